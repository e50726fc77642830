import { placeName } from '../plan/names.ts'
import { removalBy, workflowsOf } from '../plan/workflow.ts'
import { cardOf, type FoldedCard, foldCard } from '../report/comments.ts'
import type { CardRow, Surroundings, Target } from '../report/model.ts'
import { isBad, targetFor } from '../report/parts.ts'
import { createSeal, encodeState } from '../report/state.ts'
import { openRecord, type RunRecord, recordTask } from './records.ts'
import type { Cards, Deps, OpenDeployment, RemovedPreview, Reporter, RunDeps, RunMeta, WriteMode } from './run.ts'
import { Timeline } from './run.ts'

/** What a run is about, as far as the reports need it. */
export interface Subject {
  readonly serviceName: string
  readonly target: Target
  /** Undefined for production, which has no pull request to comment on. */
  readonly pullRequest: number | undefined
  readonly commit: string
}

// A run that is over sooner says everything with its last words: what changes twice within seconds is noise.
const firstWordsAfterMs = 20_000

/** Opens the reporter of one run. Makes no call yet. */
export function openReporter(deps: RunDeps, subject: Subject): Reporter {
  const { context, clock, startedAt, signal } = deps
  const now = () => new Date(clock.now()).toISOString()
  const timeline = new Timeline(() => clock.now(), deps.log)
  let expiresAfterMs: number | undefined
  let before: CardRow | undefined
  const writeCard = async (pullRequest: number | undefined, told: CardRow, mode: WriteMode) => {
    const written = await deps.cards.write(pullRequest, told, mode, expiresAfterMs)
    before ??= written?.before
    return written
  }
  const removal =
    subject.pullRequest === undefined ? undefined : cardSurroundings(deps)(subject.pullRequest, expiresAfterMs).removal
  const over = new AbortController()
  const ofRun = () => ({
    place: placeName(deps.settings),
    updatedAt: now(),
    runUrl: context.runUrl,
    run: { id: context.runId, attempt: context.runAttempt, startedAt },
  })
  const { serviceName: service, target, commit } = subject
  let row: CardRow = { ...ofRun(), service, target, status: 'building', phase: 'prepare', commit }
  let record: RunRecord | undefined
  let asking = true
  let early: Promise<unknown> | undefined
  let begun = false
  let liveBefore: string | undefined

  const place = { ...deps.settings, repository: context.repository, environment: deps.settings.named }
  const recordSubject = { ...subject, place }
  let removing: readonly RemovedPreview[] = []
  const rowOfRemoved = (preview: RemovedPreview, status: CardRow['status'], reason: string): CardRow => ({
    ...ofRun(),
    service: preview.serviceName,
    target: targetFor(preview.pullRequest, deps.settings.named),
    status,
    reason,
    commit: '',
  })
  const remember = () => {
    const own: OpenDeployment = {
      row: encodeState([deps.redact(row)]),
      pullRequest: subject.pullRequest,
      deploymentId: record?.id,
      // Until GitHub has answered, it may have made one whose id nobody knows.
      recordOf: asking ? { task: recordTask(recordSubject), sha: row.commit } : undefined,
      comment: deps.settings.comment,
      removal,
    }
    const cutShort = removing.map((preview) => ({
      row: encodeState([rowOfRemoved(preview, 'cancelled', 'The run was cancelled while it took this preview down')]),
      pullRequest: preview.pullRequest,
      deploymentId: undefined,
      comment: deps.settings.comment,
    }))
    deps.remember([...(begun ? [own] : []), ...cutShort], subject.serviceName)
  }
  const lasts = (ms: number) =>
    clock.sleep(ms, AbortSignal.any([over.signal, signal])).then(
      () => true,
      () => false, // the run was over sooner, or cancelled
    )
  const openOwnRecord = async () => {
    record = await openRecord(deps, recordSubject, row.commit)
    asking = false
    if (record) deps.output('deployment-id', record.id)
    remember()
  }
  const tellRecord = async (opened: Promise<void>) => {
    await opened
    // What was removed meanwhile has taken its records with it.
    if (row.status === 'building') await record?.underWay()
  }
  const tellOfLongRun = async (opened: Promise<void>) => {
    const sticky = deps.settings.comment === 'sticky'
    if (await lasts(firstWordsAfterMs))
      await Promise.all([sticky && writeCard(subject.pullRequest, row, 'create'), tellRecord(opened)])
  }

  return {
    timeline,
    row: () => row,
    update: (change) => {
      const ended = change.status !== undefined && change.status !== row.status
      row = { ...row, ...change, updatedAt: now() }
      if (ended && begun) remember()
    },
    noteExpiry: (afterMs) => {
      expiresAfterMs = afterMs
    },
    previous: async () => before,
    replaces: (commit) => {
      liveBefore = commit
    },
    begin: async () => {
      begun = true
      remember()
      const opened = openOwnRecord()
      early = tellOfLongRun(opened)
      await opened
    },
    finish: async () => {
      over.abort()
      begun = true
      remember()
      await early
      // What was removed has taken its records with it.
      const settled = row.status === 'removed' ? undefined : record?.settle(deps.redact(row))
      const [, card] = await Promise.all([settled, writeCard(subject.pullRequest, row, finalMode(deps, row))])
      if (card?.id !== undefined) deps.output('comment-id', card.id)
      row = { ...row, change: card?.after?.change }
      if (row.status === 'live') await record?.retireOlder(liveBefore)
      // What a cancellation has cut short is left to the post step.
      if (!signal.aborted) deps.remember([], subject.serviceName)
    },
    removing: (previews) => {
      removing = previews
      remember()
    },
    markRemoved: async (preview, { status, reason }) => {
      const mode = deps.settings.comment === 'none' ? 'not' : 'only-existing'
      const card = await writeCard(preview.pullRequest, rowOfRemoved(preview, status, reason), mode)
      if (card?.id !== undefined) deps.output('comment-id', card.id)
      removing = removing.filter(({ serviceName }) => serviceName !== preview.serviceName)
      if (!signal.aborted) remember()
    },
    noteIdle: async (why) => {
      const refused = why.diagnosis !== undefined
      const status = refused ? 'failed' : 'skipped'
      row = { ...row, ...why, status, phase: undefined, ...(refused && { refused }) }
      const mode = finalMode(deps, row)
      const card = await writeCard(subject.pullRequest, row, refused || mode === 'not' ? mode : 'only-existing')
      if (card?.id !== undefined) deps.output('comment-id', card.id)
    },
  }
}

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

interface Batch {
  readonly rows: CardRow[]
  create: boolean
  expiresAfterMs: number | undefined
  readonly written: Promise<WrittenRows>
}

/**
 * Opens the cards of the pull requests that a run writes to: rows that come while one is being written, or at about the same
 * time, are written together.
 * @param gatherMs how long the first of several rows waits for others
 */
export function openCards(deps: Deps, gatherMs: number): Cards {
  const surroundingsOf = cardSurroundings(deps)
  const waiting = new Map<number, Batch>()
  const last = new Map<number, Promise<unknown>>()
  const begin = (pullRequest: number): Batch => {
    const rows: CardRow[] = []
    const before = last.get(pullRequest)
    const write = async () => {
      await before?.catch(() => undefined)
      if (gatherMs > 0) await deps.clock.sleep(gatherMs, new AbortController().signal)
      waiting.delete(pullRequest)
      return await writeRows(deps, surroundingsOf(pullRequest, batch.expiresAfterMs), pullRequest, batch)
    }
    const batch: Batch = { rows, create: false, expiresAfterMs: undefined, written: Promise.resolve().then(write) }
    waiting.set(pullRequest, batch)
    last.set(pullRequest, batch.written)
    return batch
  }
  return {
    write: async (pullRequest, row, mode, expiresAfterMs) => {
      if (pullRequest === undefined || mode === 'not') return undefined
      const batch = waiting.get(pullRequest) ?? begin(pullRequest)
      batch.rows.push(deps.redact(row))
      batch.create ||= mode === 'create'
      batch.expiresAfterMs ??= expiresAfterMs
      const { id, folded } = await batch.written
      return { id, before: folded?.before(row), after: folded?.after(row) }
    },
  }
}

interface WrittenRows {
  readonly id: number | undefined
  readonly folded: FoldedCard | undefined
}

async function writeRows(
  { github }: Deps,
  surroundings: Surroundings,
  pullRequest: number,
  { rows, create }: Pick<Batch, 'rows' | 'create'>,
): Promise<WrittenRows> {
  let first: FoldedCard | undefined
  let folded: FoldedCard | undefined
  const written = await github.comments.upsert({
    ...cardOf(surroundings, pullRequest),
    create,
    fold: (bodies) => {
      folded = foldCard(bodies, rows, surroundings)
      first ??= folded
      return folded
    },
  })
  return { id: written?.id, folded: folded && first && { ...folded, before: first.before } }
}

/** Where the card of a pull request stands, and what becomes of its preview. Reads the checkout's workflows once. */
export function cardSurroundings({
  context,
  settings,
  workflowFiles,
  redact,
  remarks,
}: Pick<Deps, 'context' | 'settings' | 'workflowFiles' | 'redact'> & Pick<RunMeta, 'remarks'>) {
  const { repository } = context
  const byWorkflow = removalBy(workflowsOf(workflowFiles(), context))
  return (pullRequest: number, expiresAfterMs?: number): Surroundings => ({
    repositoryUrl: `${repository.serverUrl}/${repository.fullName}`,
    header: redact(settings.commentHeader ?? ''),
    remarks: redact(remarks),
    removal: byWorkflow === 'closing' || expiresAfterMs === undefined ? byWorkflow : { expiresAfterMs },
    seal: createSeal(settings.apiKey, repository, pullRequest),
  })
}
