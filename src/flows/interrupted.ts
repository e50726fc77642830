import type { GitHub } from '../github/github.ts'
import type { CommentMode } from '../plan/settings.ts'
import { cardOf, foldCard } from '../report/comments.ts'
import type { CardRow, Surroundings } from '../report/model.ts'
import { decodeState } from '../report/state.ts'
import { finalStatus } from './records.ts'
import type { OpenDeployment } from './run.ts'

interface SettleDeps {
  readonly github: Pick<GitHub, 'comments' | 'records' | 'pullRequests'>
  readonly surroundingsOf: (pullRequest: number) => Surroundings
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
  const asked = new Map<number, ReturnType<GitHub['pullRequests']['get']>>()
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
  stateOf: GitHub['pullRequests']['get'],
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
  { github, surroundingsOf, comment }: SettleDeps,
): Promise<void> {
  if (comment === 'none') return
  const surroundings = surroundingsOf(pullRequest)
  const fold = (bodies: readonly string[]) => foldCard(bodies, rows, surroundings)
  // A removal does not know the commit, and has nothing to say where there is no card.
  const create = comment === 'sticky' && rows.some(({ commit }) => commit !== '')
  await github.comments.upsert({ ...cardOf(surroundings, pullRequest), fold, create })
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
