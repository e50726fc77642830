import type { GitHub } from '../github/github.ts'
import type { CommentMode } from '../plan/settings.ts'
import { foldCard } from '../report/card.ts'
import type { CardRow, Surroundings } from '../report/model.ts'
import { authenticState, createSeal, type Seal } from '../report/seal.ts'
import { CARD_MARKER, decodeState } from '../report/state.ts'
import { finalStatus } from './records.ts'
import { type OpenDeployment, type Run, windUpMs } from './run.ts'

/** What settling needs. */
export interface SettleDeps {
  readonly github: Pick<GitHub, 'comments' | 'records' | 'pullRequests'>
  readonly repositoryUrl: string
  /** Signs the card of a pull request. */
  readonly sealOf: (pullRequest: number) => Seal | undefined
  readonly comment: CommentMode
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * Brings comments and deployment records of what was cut short into their true state: superseded when the pull request has
 * a newer head, else cancelled. All of it at once, as the runner gives a post step little time.
 * @returns the states that were written; what was remembered and cannot be read has none
 */
export async function finishInterrupted(all: readonly OpenDeployment[], deps: SettleDeps): Promise<CardRow[]> {
  const updatedAt = new Date(deps.now).toISOString()
  const found = all.flatMap((open) => (decodeState(open.row) ?? []).slice(0, 1).map((row) => ({ row, open })))
  const asked = new Map<number, ReturnType<SettleDeps['github']['pullRequests']['get']>>()
  const stateOf = (number: number) => {
    const state = asked.get(number) ?? deps.github.pullRequests.get(number)
    asked.set(number, state)
    return state
  }
  const settled = await Promise.all(
    found.map(async ({ row, open }) => ({
      open,
      row: { ...row, ...(await endOf(row, open, stateOf)), phase: undefined, updatedAt },
    })),
  )
  const numbers = [...new Set(settled.flatMap(({ open }) => open.pullRequest ?? []))]
  const rowsOf = (number: number) => settled.filter(({ open }) => open.pullRequest === number).map(({ row }) => row)
  await Promise.all([
    ...numbers.map((number) => settleCard(rowsOf(number), number, deps)),
    ...settled.map(({ row, open }) => settleRecord(row, open, deps)),
  ])
  return settled.map(({ row }) => row)
}

async function endOf(
  row: CardRow,
  { pullRequest }: OpenDeployment,
  stateOf: SettleDeps['github']['pullRequests']['get'],
): Promise<Partial<CardRow>> {
  // It had come to its end, and was killed while saying so.
  if (row.status !== 'building') return {}
  const now = pullRequest === undefined ? undefined : await stateOf(pullRequest)
  const head = typeof now === 'object' ? now.head.sha : row.commit
  return head === row.commit
    ? { status: 'cancelled', reason: 'The run was cancelled' }
    : { status: 'superseded', supersededBy: head, reason: 'The run was cancelled because a newer commit was pushed' }
}

async function settleCard(
  rows: readonly CardRow[],
  pullRequest: number,
  { github, repositoryUrl, sealOf, comment }: SettleDeps,
): Promise<void> {
  if (comment === 'none') return
  const surroundings: Surroundings = { repositoryUrl, pullRequest, seal: sealOf(pullRequest) }
  const fold = (bodies: readonly string[]) => foldCard(bodies, rows, surroundings)
  // A removal does not know the commit, and has nothing to say where there is no card.
  const create = comment === 'sticky' && rows.some(({ commit }) => commit !== '')
  await github.comments.upsert({ ...cardOf(surroundings, pullRequest), fold, create })
}

/** How the card of a pull request is found. */
function cardOf({ seal }: Surroundings, pullRequest: number) {
  const authentic = seal && ((body: string) => authenticState(body, seal) !== undefined)
  return { pullRequest, marker: CARD_MARKER, authentic }
}

const mostCardsRead = 50

/**
 * Where a cancelled run loses its token at once, its post step can settle nothing: its card says “building” for good. A
 * sweep puts those right whose run has had all the time that a run is given.
 *
 * @param open numbers of the open pull requests; of many the newest are looked at
 */
export async function settleLostRuns(run: Run, open: readonly number[]): Promise<void> {
  const { settings, context, github, clock } = run
  if (open.length === 0 || settings.comment === 'none' || (await github.can('token-outlives-run'))) return
  const { repository } = context
  const now = clock.now()
  const isLost = ({ status, run: { startedAt } }: CardRow) =>
    status === 'building' && Date.parse(startedAt) < now - settings.timeoutMs - windUpMs
  const reason = 'Its run ended without a word: it was cancelled, or its runner was lost'
  for (const pullRequest of [...open].sort((a, b) => b - a).slice(0, mostCardsRead)) {
    const seal = createSeal(settings.apiKey, repository, pullRequest)
    const surroundings = { repositoryUrl: `${repository.serverUrl}/${repository.fullName}`, pullRequest, seal }
    const fold = (bodies: readonly string[]) => {
      const believed = bodies.map((body) => (seal ? (authenticState(body, seal) ?? '') : body))
      const rows = believed.flatMap((body) => decodeState(body) ?? [])
      const updatedAt = new Date(now).toISOString()
      const settled = rows
        .filter(isLost)
        .map((row): CardRow => ({ ...row, status: 'cancelled', phase: undefined, reason, updatedAt }))
      // Of several cards one is kept, and it has to hold what the others did.
      const added = settled.length === 0 && bodies.length > 1 ? rows.slice(0, 1) : settled
      const body = added.length === 0 ? bodies[0] : foldCard(bodies, added, surroundings).body
      return { body: body ?? '', shared: false }
    }
    await github.comments.upsert({ ...cardOf(surroundings, pullRequest), fold, create: false })
  }
}

async function settleRecord(
  row: CardRow,
  { deploymentId, recordOf, pullRequest }: OpenDeployment,
  { github }: SettleDeps,
): Promise<void> {
  if (row.status === 'removed') return
  const id = deploymentId ?? (recordOf && (await github.records.unfinished(recordOf.task, recordOf.sha)))
  if (id !== undefined) await github.records.setStatus(id, finalStatus(row), pullRequest === undefined)
}
