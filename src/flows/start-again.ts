import { backoffMs } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { ServiceSettings } from '../ink/catalogue.ts'
import type { Platform } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { HealthCheck } from '../plan/settings.ts'
import type { DeploymentWatch, Observation } from '../watch/deployment-watch.ts'
import { WINDOW_LINES } from '../watch/readings.ts'
import type { Run } from './run.ts'
import type { RolloutEnd } from './verdict.ts'

/** What a rollout has to know of the service as it was before. */
export const partsBefore = { env: true, deployLogLines: WINDOW_LINES } as const

/** Bringing one service to one branch. */
export interface RolloutRequest {
  readonly serviceName: string
  readonly branch: string
  /** The SHA that the branch points at, for those platforms that tell the commit of a deployment. */
  readonly commitHash: string | undefined
  /** The service as it was before, read with {@link partsBefore}. */
  readonly existing: Service | undefined
  /** `owner/slug` on the platform's git hosting. */
  readonly repositorySlug: string
  /** Name under which the platform finds the repository when a service is created. */
  readonly repositoryName: string
  /** Settings for the service as it stands, which may have vanished or appeared meanwhile. */
  readonly settings: (existing: Service | undefined) => ServiceSettings
  /** The service is on the branch, and nothing but settings is sent: a branch read a moment ago may be an old one by now. */
  readonly settingsOnly?: boolean
  readonly health: HealthCheck
  /** Milliseconds since the epoch, for everything up to the last answer of the probe. */
  readonly deadlineAt: number
  /** @throws DeployError when a service is not ours to change */
  readonly assertOwned: (service: Service) => void
  /** Whether a service that is gone is to be made anew, which it is not unless asked: somebody may have wanted it gone. */
  readonly stillWanted?: () => Promise<boolean>
  /** Pushes the branch again when the platform has it no more. @returns whether it had to */
  readonly restoreBranch?: () => Promise<boolean>
  /**
   * Given when a removal of ours may be taking the service away: whether one is under way.
   * @param createdAt when this rollout created the service, in milliseconds since the epoch: what began before is over
   */
  readonly removalUnderWay?: (createdAt: number | undefined) => Promise<boolean>
}

/** What a rollout needs of a run. */
export type RolloutPorts = Pick<Run, 'clock' | 'random' | 'signal' | 'secrets' | 'http' | 'mcp' | 'output'> & {
  readonly platform: Pick<Platform, 'service' | 'createService' | 'updateService'>
  readonly reporter: Pick<Run['reporter'], 'timeline' | 'update'>
  readonly log: Pick<Run['log'], 'info' | 'warning' | 'untrusted'>
}

/** What came of one start, as far as it calls for a decision. */
export type StartOutcome =
  | Observation
  /** The start broke off, or got a 5xx: it may have been carried out. */
  | { readonly kind: 'lost-answer' | 'refused' | 'unreachable'; readonly message: string }
  /** `seen`: whether the last look found a service of that name. */
  | { readonly kind: 'name-taken'; readonly refusal: unknown; readonly seen: boolean }
  /** The service that was to be updated. */
  | { readonly kind: 'not-found' }
  | { readonly kind: 'settled'; readonly end: RolloutEnd }

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

/** Decides whether a rollout starts again, as often as there is a pause left for the reason; see the table in rollout.ts. */
export class StartAgain {
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

/** How the rollout ends with what happened last. */
export async function endAfter(
  happened: StartOutcome,
  { watch, sent }: { readonly watch: DeploymentWatch; readonly sent: boolean },
): Promise<RolloutEnd> {
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
