import { placeName } from '../plan/names.ts'
import { removalBy, workflowsOf } from '../plan/workflow.ts'
import { cardOf, type FoldedCard, foldCard } from '../report/comments.ts'
import type { CardRow, Surroundings, Target } from '../report/model.ts'
import { isBad, targetFor } from '../report/parts.ts'
import { createSeal, encodeState } from '../report/state.ts'
import { openRecord } from './records.ts'
import type { Cards, Deps, NamedService, Reporter, RunDeps, WriteMode, WrittenRow } from './run.ts'
import { Timeline } from './run.ts'

/** What a run is about, as far as the reports need it. */
export interface Subject extends NamedService {
  readonly target: Target
  readonly commit: string
}

// A run that is over sooner says everything with its last words: what changes twice within seconds is noise.
const firstWordsAfterMs = 20_000

/** Opens the reporter of one run. Makes no call yet. */
export function openReporter(deps: RunDeps, subject: Subject): Reporter {
  const { context, clock, settings, signal } = deps
  const { serviceName: service, target, pullRequest, commit } = subject
  const run = { id: context.runId, attempt: context.runAttempt, startedAt: deps.startedAt }
  const now = () => new Date(clock.now()).toISOString()
  const ofRun = () => ({ place: placeName(settings), updatedAt: now(), runUrl: context.runUrl, run })
  const place = { ...settings, repository: context.repository, environment: settings.named }
  const record = openRecord(deps, { ...subject, place })
  const removal = pullRequest === undefined ? undefined : cardSurroundings(deps)(pullRequest).removal
  const over = new AbortController()
  let row: CardRow = { ...ofRun(), service, target, status: 'building', phase: 'prepare', commit }
  const { write, writeLast, previous, noteExpiry } = openRows(deps)
  let early: Promise<unknown> | undefined
  let begun = false
  let liveBefore: string | undefined
  let removing: readonly NamedService[] = []

  const rowOfRemoved = (preview: NamedService, status: CardRow['status'], reason: string): CardRow => {
    const of = { service: preview.serviceName, target: targetFor(preview.pullRequest, settings.named) }
    return { ...ofRun(), ...of, status, reason, commit: '' }
  }
  const remember = () => {
    const { comment } = settings
    const own = {
      row: encodeState([deps.redact(row)]),
      pullRequest,
      ...record.remains(row.commit),
      comment,
      removal,
    }
    const cutShort = removing.map((preview) => {
      const cancelled = rowOfRemoved(preview, 'cancelled', 'The run was cancelled while it took this preview down')
      return { row: encodeState([cancelled]), pullRequest: preview.pullRequest, comment }
    })
    deps.remember([...(begun ? [own] : []), ...cutShort], service)
  }
  const tellOfLongRun = async (opened: Promise<void>) => {
    const isLong = await clock.sleep(firstWordsAfterMs, AbortSignal.any([over.signal, signal]), true).then(
      () => true,
      () => false, // the run was over sooner, or cancelled
    )
    if (!isLong) return
    const card = settings.comment === 'sticky' ? write(pullRequest, row, 'create') : undefined
    // What was removed meanwhile has taken its records with it.
    await Promise.all([card, opened.then(() => (row.status === 'building' ? record.underWay() : undefined))])
  }

  return {
    timeline: new Timeline(deps),
    row: () => row,
    update: (change) => {
      const ended = change.status !== undefined && change.status !== row.status
      row = { ...row, ...change, updatedAt: now() }
      if (ended && begun) remember()
    },
    noteExpiry,
    previous,
    replaces: (live) => {
      liveBefore = live
    },
    begin: async () => {
      begun = true
      remember()
      const opened = record.open(row.commit).then(remember)
      early = tellOfLongRun(opened)
      await opened
    },
    finish: async () => {
      over.abort()
      begun = true
      remember()
      await early
      // What was removed has taken its records with it.
      const settled = row.status === 'removed' ? undefined : record.settle(deps.redact(row))
      const [after] = await Promise.all([writeLast(pullRequest, row, finalMode(deps, row)), settled])
      row = { ...row, change: after?.change }
      if (row.status === 'live') await record.retireOlder(liveBefore)
      // What a cancellation has cut short is left to the post step.
      if (!signal.aborted) deps.remember([], service)
      return row
    },
    removing: (previews) => {
      removing = previews
      remember()
    },
    markRemoved: async (preview, status, reason) => {
      const mode = settings.comment === 'none' ? 'not' : 'only-existing'
      await writeLast(preview.pullRequest, rowOfRemoved(preview, status, reason), mode)
      removing = removing.filter(({ serviceName }) => serviceName !== preview.serviceName)
      if (!signal.aborted) remember()
    },
    noteIdle: async (why) => {
      const refused = why.diagnosis !== undefined
      row = { ...row, ...why, status: refused ? 'failed' : 'skipped', phase: undefined, ...(refused && { refused }) }
      const mode = finalMode(deps, row)
      await writeLast(pullRequest, row, refused || mode === 'not' ? mode : 'only-existing')
    },
  }
}

/** Writes rows into the cards of a run, and keeps what they had of its service before. */
function openRows({ cards, output }: RunDeps) {
  let before: CardRow | undefined
  let expiresAfterMs: number | undefined
  const write = async (pullRequest: number | undefined, row: CardRow, mode: WriteMode) => {
    const written = await cards.write(pullRequest, row, mode, expiresAfterMs)
    before ??= written?.before
    return written
  }
  return {
    write,
    /** The same for the last words on a row. @returns it as the card has it now */
    writeLast: async (...row: Parameters<typeof write>) => {
      const written = await write(...row)
      if (written?.id !== undefined) output('comment-id', written.id)
      return written?.after
    },
    previous: () => before,
    noteExpiry: (afterMs: number): void => {
      expiresAfterMs = afterMs
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
  /** Whose result tells of each row that was in it. */
  readonly written: Promise<(row: CardRow) => WrittenRow>
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
    const before = last.get(pullRequest)
    const write = async () => {
      await before?.catch(() => undefined)
      if (gatherMs > 0) await deps.clock.sleep(gatherMs, new AbortController().signal)
      waiting.delete(pullRequest)
      return await writeRows(deps, surroundingsOf(pullRequest, batch.expiresAfterMs), pullRequest, batch)
    }
    const batch: Batch = { rows: [], create: false, expiresAfterMs: undefined, written: Promise.resolve().then(write) }
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
      return (await batch.written)(row)
    },
  }
}

async function writeRows(
  { github }: Deps,
  surroundings: Surroundings,
  pullRequest: number,
  { rows, create }: Pick<Batch, 'rows' | 'create'>,
): Batch['written'] {
  // A card that others write to is folded once more, and then has what was new the first time.
  let first: FoldedCard | undefined
  let folded: FoldedCard | undefined
  const fold = (bodies: readonly string[]) => {
    folded = foldCard(bodies, rows, surroundings)
    first ??= folded
    return folded
  }
  const written = await github.comments.upsert({ ...cardOf(surroundings, pullRequest), create, fold })
  return (row) => ({ id: written?.id, before: first?.before(row), after: folded?.after(row) })
}

/** Where the card of a pull request stands, and what becomes of its preview. Reads the checkout's workflows once. */
export function cardSurroundings({ context, settings, workflowFiles, redact, remarks }: Deps) {
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
