import type { GitHub } from '../github/github.ts'
import type { CommentMode } from '../plan/settings.ts'
import { foldCard } from '../report/card.ts'
import type { CardRow, Surroundings } from '../report/model.ts'
import { authenticState, type Seal } from '../report/seal.ts'
import { CARD_MARKER, decodeState } from '../report/state.ts'
import { finalStatus } from './records.ts'
import type { OpenDeployment } from './run.ts'

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
 * Brings comment and deployment record of a deployment that was cut short into their true state: superseded when the
 * pull request has a newer head, else cancelled.
 * @returns the state that was written, undefined when what was remembered cannot be read
 */
export async function finishInterrupted(open: OpenDeployment, deps: SettleDeps): Promise<CardRow | undefined> {
  const [row] = decodeState(open.row) ?? []
  if (!row) return undefined
  const settled = {
    ...row,
    ...(await endOf(row, open, deps)),
    phase: undefined,
    updatedAt: new Date(deps.now).toISOString(),
  }
  await Promise.all([settleCard(settled, open, deps), settleRecord(settled, open, deps)])
  return settled
}

async function endOf(row: CardRow, { pullRequest }: OpenDeployment, { github }: SettleDeps): Promise<Partial<CardRow>> {
  // It had come to its end, and was killed while saying so.
  if (row.status !== 'building') return {}
  const now = pullRequest === undefined ? undefined : await github.pullRequests.get(pullRequest)
  const head = typeof now === 'object' ? now.head.sha : row.commit
  return head === row.commit
    ? { status: 'cancelled', reason: 'The run was cancelled' }
    : { status: 'superseded', supersededBy: head, reason: 'The run was cancelled because a newer commit was pushed' }
}

async function settleCard(
  row: CardRow,
  { pullRequest }: OpenDeployment,
  { github, repositoryUrl, sealOf, comment }: SettleDeps,
): Promise<void> {
  if (pullRequest === undefined || comment === 'none') return
  const seal = sealOf(pullRequest)
  const surroundings: Surroundings = { repositoryUrl, pullRequest, seal }
  const authentic = seal && ((body: string) => authenticState(body, seal) !== undefined)
  const fold = (bodies: readonly string[]) => foldCard(bodies, row, surroundings)
  // A removal does not know the commit, and has nothing to say where there is no card.
  const create = comment === 'sticky' && row.commit !== ''
  await github.comments.upsert({ pullRequest, marker: CARD_MARKER, authentic, fold, create })
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
