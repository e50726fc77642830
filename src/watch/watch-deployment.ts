import { DeadlinePassed } from '../core/clock.ts'
import { isOtherCommit } from './ours.ts'
import { WatchSession } from './session.ts'
import { startDeployment } from './start-deployment.ts'
import { type DeploymentEnd, meaningOf, type StatusMeaning } from './status.ts'
import type { FailureReason, ServiceReading, WatchVerdict } from './verdict.ts'
import type { WatchOptions } from './watch-options.ts'

/** How long after our trigger an end may be due to the deployment that was in flight before it. */
const FRESH_MS = 30_000
const FAILED_AT_ONCE_MS = 15_000
/** Pauses before starting again while an earlier build winds down; the first is also used after `cancelled`. */
const WIND_DOWN_PAUSES_MS: readonly number[] = [3_000, 8_000, 20_000]
/** How long a platform may show the previous commit together with our branch. */
const OTHER_COMMIT_GRACE_MS = 60_000
const WINDING_DOWN =
  /wind(?:s|ing)? down|still (?:running|building|in progress|being)|already (?:started|running|in progress)/i

const END_REASONS: Readonly<Partial<Record<DeploymentEnd, FailureReason>>> = {
  failed: 'deployment-failed',
  completed: 'completed',
  stopped: 'stopped',
  suspended: 'suspended',
}

/**
 * Triggers a deployment and waits for its end. Only a status which was read together with our branch, and after the
 * platform acknowledged our trigger, counts: the platform reports the status of the latest deployment, whoever
 * started it.
 *
 * @returns how it ended; the deadline is a verdict too, as is a platform that cannot be reached any more
 * @throws the trigger's or reader's error when it is neither transient nor a lost answer; the signal's reason on abort
 */
export async function watchDeployment(options: WatchOptions): Promise<WatchVerdict> {
  const session = new WatchSession(options)
  try {
    const unreadable = await session.prepare()
    if (unreadable !== undefined) return unreadable
    const retries: Retries = { afterCancel: 0, afterWindDown: 0 }
    for (;;) {
      const refused = await startDeployment(session)
      if (refused !== undefined) return refused
      const end = await followDeployment(session, retries)
      if (end !== 'start-again') return end
    }
  } catch (error) {
    if (error instanceof DeadlinePassed) return session.timedOut()
    throw error
  }
}

interface Retries {
  afterCancel: number
  afterWindDown: number
}

async function followDeployment(session: WatchSession, retries: Retries): Promise<WatchVerdict | 'start-again'> {
  const startedAt = session.clock.now()
  const view: View = { missing: 0, otherCommitSince: undefined }
  let changed = true
  for (;;) {
    await session.pause(changed)
    const outcome = await session.read()
    if (outcome.kind === 'unreachable') return session.failed('unreachable', outcome.message)
    const news = judge(session, view, outcome.reading)
    if (news.kind === 'verdict') return news.verdict
    if (news.kind === 'ended') {
      const again = pauseBeforeAnotherTry(session, retries, news, startedAt)
      if (again === undefined) return await endOf(session, news)
      await session.sleep(again)
      return 'start-again'
    }
    changed = news.changed
  }
}

interface View {
  missing: number
  otherCommitSince: number | undefined
}

interface Ended {
  readonly kind: 'ended'
  readonly end: DeploymentEnd
  readonly reading: ServiceReading
}

type News = { kind: 'wait'; changed: boolean } | { kind: 'verdict'; verdict: WatchVerdict } | Ended

function judge(session: WatchSession, view: View, reading: ServiceReading | undefined): News {
  if (reading === undefined) {
    view.missing += 1
    // One miss may be a replica that has not heard of the new service yet.
    return view.missing > 1 ? { kind: 'verdict', verdict: { kind: 'gone' } } : { kind: 'wait', changed: true }
  }
  view.missing = 0
  if (!session.isOurs(reading)) {
    if (reading.branch !== undefined) {
      return { kind: 'verdict', verdict: { kind: 'superseded', branch: reading.branch } }
    }
    session.warnOnce('The platform does not tell which branch it deploys: its status cannot be trusted, waiting on.')
    return { kind: 'wait', changed: false }
  }
  session.follow(reading)
  const meaning = meaningOf(reading.status)
  if (meaning === undefined) {
    session.warnOnce(
      `The platform reports a status unknown to this version: “${session.sanitize(reading.status)}”. Waiting on.`,
    )
    return { kind: 'wait', changed: false }
  }
  return judgeStatus(session, view, reading, meaning)
}

function judgeStatus(session: WatchSession, view: View, reading: ServiceReading, meaning: StatusMeaning): News {
  if (meaning.phase === 'ended') return { kind: 'ended', end: meaning.verdict ?? 'failed', reading }
  if (meaning.phase !== 'live') return { kind: 'wait', changed: session.enter(meaning.phase) }
  if (isOtherCommit(reading, session.options)) return awaitOurCommit(session, view)
  return { kind: 'verdict', verdict: session.live(reading) }
}

/** A live status that names another commit speaks of an earlier deployment, whatever branch it shows. */
function awaitOurCommit(session: WatchSession, view: View): News {
  const now = session.clock.now()
  view.otherCommitSince ??= now
  if (now - view.otherCommitSince < OTHER_COMMIT_GRACE_MS) return { kind: 'wait', changed: false }
  const message = 'The platform shows our branch as live, but with another commit than the one pushed to it.'
  return { kind: 'verdict', verdict: session.failed('other-commit', message) }
}

/**
 * A deployment started while another one was in flight can be cancelled or fail at once because that one is still
 * winding down; starting again works (platform contract, “two updates in quick succession”).
 */
function pauseBeforeAnotherTry(
  session: WatchSession,
  retries: Retries,
  ended: Ended,
  startedAt: number,
): number | undefined {
  const ageMs = session.clock.now() - startedAt
  if (ended.end === 'cancelled' && ageMs <= FRESH_MS && retries.afterCancel === 0) {
    retries.afterCancel += 1
    session.warn('The deployment was cancelled right after it had been started; starting it once more.')
    return WIND_DOWN_PAUSES_MS[0]
  }
  if (ended.end !== 'failed') return undefined
  const saidSo = WINDING_DOWN.test(ended.reading.errorMessage ?? '')
  const atOnce = ageMs <= FAILED_AT_ONCE_MS && !session.sawBuild() && retries.afterWindDown === 0
  const pause = WIND_DOWN_PAUSES_MS[retries.afterWindDown]
  if (!(saidSo || atOnce) || pause === undefined) return undefined
  retries.afterWindDown += 1
  session.warn(
    'The deployment failed before its build began, as happens while an earlier build winds down; starting it again.',
  )
  return pause
}

async function endOf(session: WatchSession, ended: Ended): Promise<WatchVerdict> {
  if (ended.end === 'removed') return { kind: 'gone' }
  if (ended.end === 'superseded') return { kind: 'superseded', branch: undefined }
  await session.gatherEvidence()
  if (ended.end === 'cancelled') return { kind: 'cancelled', ...session.evidence() }
  if (ended.end === 'crashed') return { kind: 'crashed', timings: session.timings(), ...session.evidence() }
  return session.failed(END_REASONS[ended.end] ?? 'deployment-failed')
}
