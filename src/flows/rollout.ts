import { backoffMs, DeadlinePassed } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import { Attempts, type RolloutPorts, type RolloutRequest, type StartOutcome } from './attempt.ts'
import type { RolloutEnd } from './verdict.ts'

/**
 * Starts the deployment of a branch, follows it to its end, and asks the URL. Each turn of the loop makes one start and
 * hears what came of it; whether there is another turn is decided here and nowhere else:
 *
 * | case | evidence | what is done |
 * | --- | --- | --- |
 * | live | our branch is active, the URL answers, and then is active still | done |
 * | answer lost | the start broke off, or got a 5xx | under way if it was our creation alone and that is there; else start again |
 * | start refused | `redeploy failed`, or an earlier one winds down | start again twice, then failed |
 * | name taken by a run of ours | creation refused, and a service is found that is ours | update it |
 * | name taken by a stranger | creation refused, and none is found for 15 s | error |
 * | removal under way | creation refused while the service is found, and is marked as removed or cannot be updated | wait, 3 minutes at most |
 * | winding down | failed, and says so; or failed at once, before any build | start again after 3, 8 and 20 s; once, where it is not said |
 * | cancelled right after the start | `cancelled` within 30 s | start again, once |
 * | under way already | when starting again after an acknowledged start: our branch is being deployed | follow that |
 * | taken over | when starting again: the branch of somebody who came after our first start | superseded |
 * | superseded | another branch is read, or the status says so | superseded |
 * | branch gone | failed, and an earlier removal has deleted our branch | push it and start again, once |
 * | gone | not found twice in a row, or when it was to be updated, probed or watched after that | create anew, once, if still wanted |
 * | other commit | live with another commit for a minute | failed |
 * | unknown status | not in the table of statuses | warn once, wait on |
 * | unreachable | a reading failed for good (repeating it is the session's task) | failed |
 * | deadline | the time is over | timed out |
 *
 * @throws the start's error when starting again cannot help; the signal's reason on abort
 */
export async function rollOut(run: RolloutPorts, request: RolloutRequest): Promise<RolloutEnd> {
  const attempts = new Attempts(run, request)
  const { deadline, watch } = attempts
  const startAgain = new StartAgain(run, request)
  let happened: StartOutcome | undefined
  try {
    for (;;) {
      happened = await attempts.next(happened)
      const pauseMs = await startAgain.pauseAfter(happened, { ageMs: attempts.ageMs, sawBuild: watch.sawBuild })
      if (pauseMs === undefined) return await endAfter(happened, attempts)
      await deadline.sleep(pauseMs)
    }
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error
    return { kind: 'timed-out', phase: watch.phase, perPhaseMs: watch.perPhaseMs(), ...watch.evidence() }
  }
}

/** How the rollout ends with what happened last. */
async function endAfter(happened: StartOutcome, { watch, sent }: Attempts): Promise<RolloutEnd> {
  const { phase } = watch
  switch (happened.kind) {
    case 'settled':
      return happened.end
    case 'superseded':
      return { ...happened, sent }
    case 'ended': {
      const evidence = await watch.gatherEvidence()
      const timings = watch.timings()
      if (happened.end === 'cancelled') return { kind: 'cancelled', ...evidence }
      if (happened.end === 'crashed') return { kind: 'crashed', timings, ...evidence }
      return { kind: 'failed', phase, timings, ...evidence }
    }
    case 'other-commit':
    case 'lost-answer':
    case 'refused':
    case 'unreachable': {
      const otherCommit = 'The platform shows our branch as live, but with another commit than the one pushed to it.'
      const errorMessage = happened.kind === 'other-commit' ? otherCommit : happened.message
      return { kind: 'failed', phase, timings: watch.timings(), ...watch.evidence(), errorMessage }
    }
    default:
      return { kind: 'gone' }
  }
}

const mostLostAnswers = 9
/** How long after our start an end may be due to the deployment that was in flight before it. */
const freshMs = 30_000
const failedAtOnceMs = 15_000
const windingDown =
  /wind(?:s|ing)? down|still (?:running|building|in progress|being)|already (?:started|running|in progress)/i
const namePauseMs = 1_000
// While a removal is under way the service is still found; a name that is refused and belongs to no service of ours for
// longer than this is a stranger's.
const strangerAfterMs = 15_000
const strangerAfterLooks = 5
/** So long a removal may take. */
export const longestRemovalMs = 180_000

/** How long ago the last start was, and whether anything of a build was seen since the first one. */
interface StartSeen {
  readonly ageMs: number
  readonly sawBuild: boolean
}

/** Decides whether a rollout starts again, as often as there is a pause left for the reason; see the table of {@link rollOut}. */
class StartAgain {
  readonly #options: Pick<RolloutPorts, 'clock' | 'random' | 'log'> & RolloutRequest
  // Each start may have begun a build.
  readonly #pausesMs = {
    refused: [3_000, 6_000],
    cancelled: [3_000],
    windingDown: [3_000, 8_000, 20_000],
    gone: [0],
    restored: [0],
  }
  #lostAnswers = 0
  #sawWindingDown = false
  #nameRefusedSince: number | undefined
  #nameUnseen: { readonly since: number; readonly times: number } | undefined

  constructor(run: RolloutPorts, request: RolloutRequest) {
    this.#options = { ...run, ...request }
  }

  /**
   * @returns after how many milliseconds to start again; undefined for the end
   * @throws DeployError when the name stays taken
   */
  async pauseAfter(happened: StartOutcome, start: StartSeen): Promise<number | undefined> {
    const { log, random } = this.#options
    const { refused, gone } = this.#pausesMs
    if (happened.kind !== 'name-taken' && happened.kind !== 'not-found') {
      this.#nameRefusedSince = undefined
      this.#nameUnseen = undefined
    }
    switch (happened.kind) {
      case 'lost-answer':
        this.#lostAnswers += 1
        if (this.#lostAnswers > mostLostAnswers) return undefined
        log.warning(`The answer to the deployment's start was lost (${happened.message}); looking whether it began.`)
        return backoffMs(this.#lostAnswers, random)
      case 'refused':
        if (refused.length > 0)
          log.warning(`The platform did not start the deployment (${happened.message}); asking again.`)
        return refused.shift()
      case 'name-taken':
        return this.#pauseForName(happened)
      case 'not-found':
        return this.#pauseBeforeCreatingAnew()
      case 'gone':
        // The second time nothing of an earlier removal is there any more.
        return gone.shift() === undefined ? undefined : this.#pauseBeforeCreatingAnew()
      case 'ended':
        return this.#pauseAfterEnd(happened, start)
      default:
        return undefined
    }
  }

  #pauseForName({ refusal, seen }: Extract<StartOutcome, { kind: 'name-taken' }>): number {
    const { clock, log, serviceName } = this.#options
    const now = clock.now()
    // The first time nobody has looked yet who has the name.
    if (this.#nameRefusedSince === undefined) {
      this.#nameRefusedSince = now
      return 0
    }
    const unseen = this.#nameUnseen ?? { since: now, times: 0 }
    this.#nameUnseen = seen ? undefined : { ...unseen, times: unseen.times + 1 }
    if (!seen && unseen.times >= strangerAfterLooks && now - unseen.since > strangerAfterMs)
      throw new DeployError(
        `The service name “${serviceName}” is taken on ml.ink, and not by a service of this account`,
        {
          cause: refusal,
          hint: 'Names are shared by all users of ml.ink. Choose another one with the `service` input.',
        },
      )
    if (now - this.#nameRefusedSince > longestRemovalMs)
      throw new DeployError(`The service “${serviceName}” is being deleted on ml.ink, and still was after 3 minutes`, {
        cause: refusal,
        hint: 'Run the job again once it is gone.',
      })
    log.info(`The name ${serviceName} is still taken, probably by a removal under way; waiting for it`)
    return namePauseMs
  }

  async #pauseBeforeCreatingAnew(): Promise<number | undefined> {
    const { log, serviceName, stillWanted } = this.#options
    if (!(await stillWanted?.())) return undefined
    log.info(`The service ${serviceName} was being deleted; creating it anew`)
    return 0
  }

  /**
   * A deployment started while another one was in flight can be cancelled or fail at once because that one is still
   * winding down; starting again works (platform contract, “two updates in quick succession”).
   */
  async #pauseAfterEnd(
    { end, errorMessage }: Extract<StartOutcome, { kind: 'ended' }>,
    { ageMs, sawBuild }: StartSeen,
  ): Promise<number | undefined> {
    const { log, restoreBranch } = this.#options
    const { cancelled, restored, windingDown: pausesMs } = this.#pausesMs
    if (end === 'cancelled' && ageMs <= freshMs) {
      if (cancelled.length > 0)
        log.warning('The deployment was cancelled right after it had been started; starting it once more.')
      return cancelled.shift()
    }
    if (end !== 'failed') return undefined
    const saidSo = windingDown.test(errorMessage ?? '')
    if (!saidSo && restored.length > 0 && (await restoreBranch?.())) return restored.shift()
    const atOnce = ageMs <= failedAtOnceMs && !sawBuild && !this.#sawWindingDown
    if (!(saidSo || atOnce) || pausesMs.length === 0) return undefined
    this.#sawWindingDown = true
    log.warning(
      'The deployment failed before its build began, as happens while an earlier build winds down; starting it again.',
    )
    return pausesMs.shift()
  }
}
