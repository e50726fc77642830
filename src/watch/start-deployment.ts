import type { WatchSession } from './session.ts'
import { meaningOf } from './status.ts'
import type { ServiceReading, WatchVerdict } from './verdict.ts'

/** Answers in a row that may be lost, or starts refused, before giving up. */
const MOST_LOST_ANSWERS = 5
const MOST_REFUSALS = 3
const REFUSAL_PAUSE_MS = 3_000
/** `update_service` answers so when it changed the branch but started nothing: the old deployment's status stays. */
const REDEPLOY_REFUSED = /redeploy failed/i

/**
 * Triggers until it is certain that a deployment of ours was started.
 *
 * @returns `undefined` when one was started, otherwise the verdict
 * @throws the trigger's error when trying again cannot help
 */
export async function startDeployment(session: WatchSession): Promise<WatchVerdict | undefined> {
  let lost = 0
  let refusals = 0
  for (;;) {
    const error = await session.trigger()
    if (error === undefined) return undefined
    const message = session.messageOf(error.cause)
    if (REDEPLOY_REFUSED.test(message)) {
      refusals += 1
      if (refusals >= MOST_REFUSALS) return session.failed('redeploy-refused', message)
      session.warn(`The platform did not start the deployment (${message}); asking again.`)
      await session.sleep(REFUSAL_PAUSE_MS * refusals)
    } else if (session.options.lostAnswer(error.cause)) {
      const found = await findOut(session)
      if (found !== 'unproven') return found
      lost += 1
      if (lost >= MOST_LOST_ANSWERS) return session.failed('unreachable', message)
      session.warn(
        `The answer to the deployment's start was lost (${message}), and nothing proves that it began; starting it again.`,
      )
    } else if (!(await session.waitOut(error.cause))) {
      throw error.cause
    }
  }
}

/** Finds out by reading what a lost answer would have said. */
async function findOut(session: WatchSession): Promise<WatchVerdict | undefined | 'unproven'> {
  const outcome = await session.read()
  if (outcome.kind === 'unreachable') return session.failed('unreachable', outcome.message)
  const { reading } = outcome
  if (reading === undefined) return 'unproven'
  if (isCreated(session, reading)) return undefined
  if (isThirdParty(session, reading)) return { kind: 'superseded', branch: reading.branch }
  return 'unproven'
}

/**
 * Creating a service starts a deployment of its branch, so a service that was not there before and is now beyond
 * `pending` with our branch proves one. After an update nothing does: the branch is ours even when the redeploy
 * failed, and then the status is the old deployment's.
 */
function isCreated(session: WatchSession, reading: ServiceReading): boolean {
  const meaning = meaningOf(reading.status)
  const begun = meaning !== undefined && reading.status.trim().toLowerCase() !== 'pending'
  return session.onlyCreated() && session.isOurs(reading) && begun
}

/** A branch which is neither ours nor the one before was set by somebody who came later than we. */
function isThirdParty(session: WatchSession, reading: ServiceReading): boolean {
  if (reading.branch === undefined || session.isOurs(reading)) return false
  const before = session.before()
  if (before === undefined) return false
  return before === 'no-service' || before.branch !== reading.branch
}
