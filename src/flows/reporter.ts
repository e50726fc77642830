import { placeName } from '../plan/names.ts'
import { foldCard } from '../report/card.ts'
import type { CardRow, PhaseName, RunStamp, Surroundings, Target } from '../report/model.ts'
import { authenticState, createSeal } from '../report/seal.ts'
import { CARD_MARKER, encodeState } from '../report/state.ts'
import { isBad } from '../report/wording.ts'
import { openRecord, type RunRecord, recordTask } from './records.ts'
import type { Deps, OpenDeployment, RemovedPreview, Reporter, RunDeps } from './run.ts'
import { Timeline } from './run.ts'

/** What a run is about, as far as the reports need it. */
export interface Subject {
  readonly serviceName: string
  readonly target: Target
  /** Undefined for production, which has no pull request to comment on. */
  readonly pullRequest: number | undefined
  readonly commit: string
}

// A run that is over sooner says everything with its last words; a comment that changes twice in a few seconds is noise.
const firstCardAfterMs = 10_000
const recordTellsAfterMs = 4000

const atWork: readonly (PhaseName | undefined)[] = ['build', 'roll-out', 'probe']

/** Opens the reporter of one run. Makes no call yet. */
export function openReporter(deps: RunDeps, subject: Subject): Reporter {
  const { context, clock, startedAt, signal } = deps
  const stamp: RunStamp = { id: context.runId, attempt: context.runAttempt, startedAt }
  const now = () => new Date(clock.now()).toISOString()
  const timeline = new Timeline(() => clock.now(), deps.log)
  const card = cardWriter(deps)
  const over = new AbortController()
  let row: CardRow = {
    service: subject.serviceName,
    place: placeName(deps.settings),
    target: subject.target,
    status: 'building',
    phase: 'prepare',
    commit: subject.commit,
    updatedAt: now(),
    runUrl: context.runUrl,
    run: stamp,
  }
  let record: RunRecord | undefined
  let early: Promise<unknown> | undefined
  let begun = false
  let liveBefore: string | undefined

  const recordSubject = { ...subject, place: { ...deps.settings, repository: context.repository } }
  let removing: readonly RemovedPreview[] = []
  const rowOfRemoved = ({ serviceName, pullRequest }: RemovedPreview, status: CardRow['status'], reason: string) => ({
    service: serviceName,
    place: placeName(deps.settings),
    target: `pr-${pullRequest}` as const,
    status,
    reason,
    commit: '',
    updatedAt: now(),
    runUrl: context.runUrl,
    run: stamp,
  })
  const remember = () => {
    const own: OpenDeployment = {
      row: encodeState([deps.redact(row)]),
      pullRequest: subject.pullRequest,
      deploymentId: record?.id,
      // Until GitHub has answered, it may have made one whose id nobody knows.
      recordOf: record === undefined ? { task: recordTask(recordSubject), sha: row.commit } : undefined,
    }
    const cutShort = removing.map((preview) => ({
      row: encodeState([rowOfRemoved(preview, 'cancelled', 'The run was cancelled while it took this preview down')]),
      pullRequest: preview.pullRequest,
      deploymentId: undefined,
    }))
    deps.remember([...(begun ? [own] : []), ...cutShort], subject.serviceName)
  }
  const lasts = (ms: number) =>
    clock.sleep(ms, AbortSignal.any([over.signal, signal])).then(
      () => true,
      () => false, // the run was over sooner, or cancelled
    )
  const writeCardOfLongRun = async () => {
    if (deps.settings.comment === 'sticky' && (await lasts(firstCardAfterMs)))
      await card.write(subject.pullRequest, row, 'create')
  }
  const openOwnRecord = async () => {
    record = await openRecord(deps, recordSubject, row.commit)
    if (record.id !== undefined) deps.output('deployment-id', record.id)
    remember()
    tellAtWork()
  }
  const tellRecordOfLongRun = async (opened: Promise<void>) => {
    if (!(await lasts(recordTellsAfterMs))) return
    await opened
    // What was removed meanwhile has taken its records with it.
    if (row.status === 'building') record?.takesTime()
  }
  const tellAtWork = () => {
    if (atWork.includes(row.phase)) record?.underWay()
  }

  return {
    timeline,
    row: () => row,
    update: (change) => {
      const ended = change.status !== undefined && change.status !== row.status
      row = { ...row, ...change, updatedAt: now() }
      if (ended && begun) remember()
      tellAtWork()
    },
    previous: async () => card.before(),
    replaces: (commit) => {
      liveBefore = commit
    },
    begin: async () => {
      begun = true
      remember()
      const opened = openOwnRecord()
      early = Promise.all([writeCardOfLongRun(), tellRecordOfLongRun(opened)])
      await opened
    },
    finish: async () => {
      over.abort()
      begun = true
      remember()
      await early
      // What was removed has taken its records with it.
      const settled = row.status === 'removed' ? undefined : record?.settle(deps.redact(row))
      const [, commentId] = await Promise.all([settled, card.write(subject.pullRequest, row, finalMode(deps, row))])
      if (commentId !== undefined) deps.output('comment-id', commentId)
      row = { ...row, change: card.after()?.change }
      if (row.status === 'live') await record?.retireOlder(liveBefore)
      // What a cancellation has cut short is left to the post step.
      if (!signal.aborted) deps.remember([], subject.serviceName)
    },
    removing: (previews) => {
      removing = previews
      remember()
    },
    markRemoved: async (preview, { status, reason }) => {
      if (deps.settings.comment !== 'none') {
        const commentId = await card.write(preview.pullRequest, rowOfRemoved(preview, status, reason), 'only-existing')
        if (commentId !== undefined) deps.output('comment-id', commentId)
      }
      removing = removing.filter(({ serviceName }) => serviceName !== preview.serviceName)
      if (!signal.aborted) remember()
    },
    noteSkipped: async (reason) => {
      if (deps.settings.comment === 'none') return
      await card.write(subject.pullRequest, { ...row, status: 'skipped', phase: undefined, reason }, 'only-existing')
    },
  }
}

type WriteMode = 'create' | 'only-existing' | 'not'

function finalMode(deps: Deps, row: CardRow): WriteMode {
  switch (deps.settings.comment) {
    case 'sticky':
      return row.status === 'removed' ? 'only-existing' : 'create'
    case 'on-failure':
      // A card that is there was made by a failure; it must not stand once the service has recovered.
      return isBad(row.status) ? 'create' : 'only-existing'
    case 'none':
      return 'not'
  }
}

function cardWriter(deps: Deps) {
  const { repository } = deps.context
  let before: CardRow | undefined
  let after: CardRow | undefined
  return {
    before: () => before,
    after: () => after,
    write: async (pullRequest: number | undefined, told: CardRow, mode: WriteMode): Promise<number | undefined> => {
      if (pullRequest === undefined || mode === 'not') return undefined
      const row = deps.redact(told)
      const seal = createSeal(deps.settings.apiKey, repository, pullRequest)
      const surroundings: Surroundings = {
        repositoryUrl: `${repository.serverUrl}/${repository.fullName}`,
        pullRequest,
        seal,
      }
      const written = await deps.github.comments.upsert({
        pullRequest,
        marker: CARD_MARKER,
        create: mode === 'create',
        authentic: seal && ((body) => authenticState(body, seal) !== undefined),
        fold: (bodies) => {
          const folded = foldCard(bodies, row, surroundings)
          before ??= folded.before
          after = folded.after
          return folded
        },
      })
      return written?.id
    },
  }
}
