import { backoffMs, type Clock } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { Observation } from '../watch/deployment-watch.ts'
import type { RolloutEnd } from './observe.ts'

/** What came of one start, as far as it calls for a decision. */
export type StartOutcome =
  | Observation
  /** The start broke off, or got a 5xx: it may have been carried out. */
  | { readonly kind: 'lost-answer'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string }
  /** `seen`: whether the last look found a service of that name. */
  | { readonly kind: 'name-taken'; readonly refusal: unknown; readonly seen: boolean }
  /** The service that was to be updated. */
  | { readonly kind: 'not-found' }
  | { readonly kind: 'unreachable'; readonly message: string }
  | { readonly kind: 'settled'; readonly end: RolloutEnd }

// Each of these may have started a build, so they are counted; together they wait for more than a minute.
const mostLostAnswers = 10
const mostRefusals = 3
const refusalPauseMs = 3_000
/** How long after our start an end may be due to the deployment that was in flight before it. */
const freshMs = 30_000
const failedAtOnceMs = 15_000
/** Pauses before starting again while an earlier build winds down; the first is also used after `cancelled`. */
const windDownPausesMs: readonly number[] = [3_000, 8_000, 20_000]
const windingDown =
  /wind(?:s|ing)? down|still (?:running|building|in progress|being)|already (?:started|running|in progress)/i
const namePauseMs = 1_000
// While a removal is under way the service is still found; a name that is refused and belongs to no service of ours for
// longer than this is a stranger's.
const strangerAfterMs = 15_000
const strangerAfterLooks = 5
/** So long a removal may take. */
export const longestRemovalMs = 180_000

/** What starting again depends on, besides what happened. */
interface StartAgainOptions {
  readonly clock: Clock
  /** Yields [0, 1). */
  readonly random: () => number
  readonly log: { info(text: string): void; warning(text: string): void }
  readonly serviceName: string
  readonly stillWanted?: (() => Promise<boolean>) | undefined
  readonly restoreBranch?: (() => Promise<boolean>) | undefined
}

/** Decides whether a rollout starts again, and counts how often it did; see the table of `rollOut`. */
export class StartAgain {
  readonly #options: StartAgainOptions
  readonly #count = { lost: 0, refused: 0, cancelled: 0, windDown: 0, restored: 0, gone: 0 }
  #nameRefusedSince: number | undefined
  #nameUnseen: { readonly since: number; readonly times: number } | undefined

  constructor(options: StartAgainOptions) {
    this.#options = options
  }

  /**
   * @param start how long ago the last start was, and whether anything of a build was seen since the first one
   * @returns after how many milliseconds to start again; undefined for the end
   * @throws DeployError when the name stays taken
   */
  async pauseAfter(
    happened: StartOutcome,
    start: { readonly ageMs: number; readonly sawBuild: boolean },
  ): Promise<number | undefined> {
    const { log, random } = this.#options
    const count = this.#count
    if (happened.kind !== 'name-taken' && happened.kind !== 'not-found') {
      this.#nameRefusedSince = undefined
      this.#nameUnseen = undefined
    }
    switch (happened.kind) {
      case 'lost-answer':
        count.lost += 1
        if (count.lost >= mostLostAnswers) return undefined
        log.warning(`The answer to the deployment's start was lost (${happened.message}); looking whether it began.`)
        return backoffMs(count.lost, random)
      case 'refused':
        count.refused += 1
        if (count.refused >= mostRefusals) return undefined
        log.warning(`The platform did not start the deployment (${happened.message}); asking again.`)
        return refusalPauseMs * count.refused
      case 'name-taken':
        return this.#pauseForName(happened)
      case 'not-found':
        return this.#pauseBeforeCreatingAnew()
      case 'gone':
        // The second time nothing of an earlier removal is there any more.
        count.gone += 1
        return count.gone > 1 ? undefined : this.#pauseBeforeCreatingAnew()
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
    const stranger = !seen && unseen.times >= strangerAfterLooks && now - unseen.since > strangerAfterMs
    if (stranger || now - this.#nameRefusedSince > longestRemovalMs) throw nameIsTaken(serviceName, refusal, stranger)
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
    { ageMs, sawBuild }: { readonly ageMs: number; readonly sawBuild: boolean },
  ): Promise<number | undefined> {
    const { log, restoreBranch } = this.#options
    const count = this.#count
    if (end === 'cancelled' && ageMs <= freshMs && count.cancelled === 0) {
      count.cancelled += 1
      log.warning('The deployment was cancelled right after it had been started; starting it once more.')
      return windDownPausesMs[0]
    }
    if (end !== 'failed') return undefined
    const saidSo = windingDown.test(errorMessage ?? '')
    if (!saidSo && count.restored === 0 && (await restoreBranch?.())) {
      count.restored += 1
      return 0
    }
    const atOnce = ageMs <= failedAtOnceMs && !sawBuild && count.windDown === 0
    const pauseMs = windDownPausesMs[count.windDown]
    if (!(saidSo || atOnce) || pauseMs === undefined) return undefined
    count.windDown += 1
    log.warning(
      'The deployment failed before its build began, as happens while an earlier build winds down; starting it again.',
    )
    return pauseMs
  }
}

function nameIsTaken(name: string, cause: unknown, stranger: boolean): DeployError {
  if (!stranger)
    return new DeployError(`The service “${name}” is being deleted on ml.ink, and still was after 3 minutes`, {
      cause,
      hint: 'Run the job again once it is gone.',
    })
  return new DeployError(`The service name “${name}” is taken on ml.ink, and not by a service of this account`, {
    cause,
    hint: 'Names are shared by all users of ml.ink. Choose another one with the `service` input.',
  })
}
