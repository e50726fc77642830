import { type Deadline, DeadlinePassed, deadlineAtTime } from '../core/async.ts'
import { safeMessage } from '../core/sanitize.ts'
import type { ServiceSettings } from '../ink/catalogue.ts'
import { isNameTaken, isTransient, mayHaveHappened, ToolError } from '../ink/errors.ts'
import type { Platform } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { DeploymentWatch } from '../watch/deployment-watch.ts'
import { meaningOf } from '../watch/readings.ts'
import { confirm, type Observed, type Observer, openWatch, type RolloutEnd } from './observe.ts'
import type { Run } from './run.ts'
import { StartAgain, type StartOutcome } from './start-again.ts'

/** Bringing one service to one branch. */
export interface RolloutRequest extends Observed {
  /** `owner/slug` on the platform's git hosting. */
  readonly repositorySlug: string
  /** Name under which the platform finds the repository when a service is created. */
  readonly repositoryName: string
  /** Settings for the service as it stands, which may have vanished or appeared meanwhile. */
  readonly settings: (existing: Service | undefined) => ServiceSettings
  /** The service is on the branch, and nothing but settings is sent: a branch read a moment ago may be an old one by now. */
  readonly settingsOnly?: boolean
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
export type RolloutPorts = Observer &
  Pick<Run, 'output'> & { readonly platform: Pick<Platform, 'service' | 'createService' | 'updateService'> }

const longestHesitationMs = 4_000

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
  const deadline = deadlineAtTime(run.clock, request.deadlineAt, run.signal)
  const watch = openWatch(run, request, deadline)
  const rollout = new Rollout(run, request, deadline, watch)
  const startAgain = new StartAgain({ ...run, ...request })
  let happened: StartOutcome | undefined
  try {
    for (;;) {
      happened = await rollout.attempt(happened)
      const pauseMs = await startAgain.pauseAfter(happened, { ageMs: rollout.ageMs, sawBuild: watch.sawBuild })
      if (pauseMs === undefined) return await rollout.endAfter(happened)
      await deadline.sleep(pauseMs)
    }
  } catch (error) {
    if (!(error instanceof DeadlinePassed)) throw error
    return { kind: 'timed-out', phase: watch.phase, perPhaseMs: watch.perPhaseMs(), ...watch.evidence() }
  }
}

/** What one rollout knows while it goes on. */
class Rollout {
  readonly #run: RolloutPorts
  readonly #request: RolloutRequest
  readonly #deadline: Deadline
  readonly #watch: DeploymentWatch
  /** The service as it was read last; without one the next start is a creation. */
  #known: Service | undefined
  /** The branch that the service had before our first start. */
  #before: string | undefined
  /** Starts since it was known that there is no service; undefined while there was one. */
  #startsSinceNone: number | undefined
  #startedAt = 0
  /** What is known of the last start. */
  #acknowledged = false
  #created = false
  /** Whether any start was acknowledged. */
  #sent = false
  /** Seen to be gone, or refused as such; it may be found until its removal is done. */
  #vanishing = false
  /** Whether the last look found a service. */
  #seen = false

  constructor(run: RolloutPorts, request: RolloutRequest, deadline: Deadline, watch: DeploymentWatch) {
    this.#run = run
    this.#request = request
    this.#deadline = deadline
    this.#watch = watch
    this.#known = request.existing
    this.#before = request.existing?.branch
    this.#startsSinceNone = request.existing ? undefined : 0
  }

  /** Milliseconds since the last start. */
  get ageMs(): number {
    return this.#run.clock.now() - this.#startedAt
  }

  /** One start, unless it is under way already, followed until something calls for a decision. */
  async attempt(after: StartOutcome | undefined): Promise<StartOutcome> {
    try {
      if (after?.kind === 'gone' || after?.kind === 'not-found') this.#forgetService()
      const look = after !== undefined && after.kind !== 'not-found'
      const found = look ? await this.#look(after.kind === 'name-taken') : 'to-start'
      const failed = found === 'to-start' ? await this.#start() : found
      if (failed !== undefined && failed !== 'under-way') return failed
      this.#startedAt = this.#run.clock.now()
      const seen = await this.#watch.next()
      return seen.kind === 'live' ? await this.#confirm(seen.url) : seen
    } catch (error) {
      this.#run.signal.throwIfAborted()
      if (!isTransient(error)) throw error
      return { kind: 'unreachable', message: safeMessage(this.#run, error) }
    }
  }

  #forgetService(): void {
    this.#known = undefined
    this.#startsSinceNone = 0
    this.#vanishing = true
  }

  /** Looks at the service before starting again, and gives way to whoever came meanwhile. */
  async #look(nameTaken: boolean): Promise<StartOutcome | 'under-way' | 'to-start'> {
    // Two runs that deploy the same commit cancel each other's deployment, and when both start again at the same moment
    // they do so for ever. So whoever starts again waits for a random while and then joins a deployment of the very same
    // branch. After a start that was not acknowledged it could be somebody else's, with the branch already set to ours.
    if (this.#acknowledged) await this.#deadline.sleep(this.#run.random() * longestHesitationMs)
    const { platform } = this.#run
    const parts = { env: true, deployLogLines: 500 }
    const now = await this.#within((signal) => platform.service(this.#request.serviceName, parts, signal))
    this.#seen = now !== undefined
    if (!nameTaken && now?.branch !== undefined && this.#isSomebodyElses(now.branch))
      return { kind: 'superseded', branch: now.branch }
    if (!nameTaken && now && this.#isUnderWay(now)) {
      this.#watch.started('updated')
      this.#acknowledged = true
      return 'under-way'
    }
    if (now && !this.#known) this.#request.assertOwned(now)
    if (now && !/remov|delet/i.test(now.status)) {
      this.#known = now
      // Whatever it holds is older than the start that comes now.
      this.#watch.ignoreLog(now.deployLogs)
    }
    return 'to-start'
  }

  /** What the service had before does not count as somebody else's branch as long as it is not known that ours was ever set. */
  #isSomebodyElses(branch: string): boolean {
    return branch !== this.#request.branch && (this.#acknowledged || branch !== this.#before)
  }

  #isUnderWay({ branch, status }: Service): boolean {
    const phase = meaningOf(status)?.phase
    const neverDeployed = status.trim().toLowerCase() === 'pending'
    if (branch !== this.#request.branch || phase === undefined || neverDeployed) return false
    if (this.#acknowledged) return phase !== 'ended' && (phase !== 'live' || this.#vanishing)
    // After an update whose answer was lost nothing proves that it started anything: the branch is ours even when the
    // redeploy failed, and then the status is the old deployment's. A creation alone cannot have left such, unless what is
    // found is the service that is being removed, which an earlier start of ours may have brought to our branch.
    return this.#created && this.#startsSinceNone === 1 && !this.#vanishing
  }

  /** Starts exactly one deployment. @returns what it failed with, where starting again may help */
  async #start(): Promise<StartOutcome | undefined> {
    const known = this.#known
    this.#created = known === undefined
    if (this.#startsSinceNone !== undefined) this.#startsSinceNone += 1
    this.#acknowledged = false
    this.#watch.started(known ? 'updated' : 'created')
    try {
      const accepted = await this.#within((signal) => (known ? this.#update(known, signal) : this.#create(signal)))
      const id = accepted.serviceId ?? known?.id
      if (id) this.#run.output('service-id', id)
      this.#acknowledged = true
      this.#sent = true
      this.#vanishing = false
      return undefined
    } catch (error) {
      this.#run.signal.throwIfAborted()
      return this.#whyNotStarted(error)
    }
  }

  #create(signal: AbortSignal) {
    const { serviceName, repositoryName, branch, settings } = this.#request
    return this.#run.platform.createService(serviceName, repositoryName, branch, settings(undefined), signal)
  }

  #update(known: Service, signal: AbortSignal) {
    const { serviceName, repositorySlug, repositoryName, branch, settings, settingsOnly } = this.#request
    const moved = known.repo !== undefined && known.repo !== repositorySlug ? { repo: repositoryName } : {}
    const changes = settingsOnly ? settings(known) : { ...settings(known), ...moved, branch }
    return this.#run.platform.updateService(serviceName, changes, signal)
  }

  #whyNotStarted(error: unknown): StartOutcome {
    const message = safeMessage(this.#run, error)
    if (error instanceof ToolError) {
      if (!this.#created && error.reason === 'service-not-found') return { kind: 'not-found' }
      if (this.#created && isNameTaken(error)) return { kind: 'name-taken', refusal: error, seen: this.#seen }
      const refused = error.reason === 'winding-down' || /redeploy failed/i.test(error.text)
      if (refused) return { kind: 'refused', message }
    }
    if (mayHaveHappened(error)) return { kind: 'lost-answer', message }
    throw error
  }

  async #confirm(url: string | undefined): Promise<StartOutcome> {
    const timings = this.#watch.timings()
    const { removalUnderWay } = this.#request
    const createdAt = this.#created ? this.#startedAt : undefined
    const underWay = removalUnderWay && (() => removalUnderWay(createdAt))
    const seen = await confirm(this.#run, this.#request, { url, timings }, underWay)
    return seen.kind === 'gone' || seen.kind === 'superseded' ? seen : { kind: 'settled', end: seen }
  }

  /** How the rollout ends with what happened last. */
  async endAfter(happened: StartOutcome): Promise<RolloutEnd> {
    switch (happened.kind) {
      case 'settled':
        return happened.end
      case 'superseded':
        return { ...happened, sent: this.#sent }
      case 'ended': {
        const evidence = await this.#watch.gatherEvidence()
        if (happened.end === 'cancelled') return { kind: 'cancelled', ...evidence }
        const timings = this.#watch.timings()
        if (happened.end === 'crashed') return { kind: 'crashed', timings, ...evidence }
        return { kind: 'failed', phase: this.#watch.phase, timings, ...evidence }
      }
      case 'other-commit':
        return this.#failed('The platform shows our branch as live, but with another commit than the one pushed to it.')
      case 'lost-answer':
      case 'refused':
      case 'unreachable':
        return this.#failed(happened.message)
      default:
        return { kind: 'gone' }
    }
  }

  #failed(errorMessage: string): RolloutEnd {
    const { phase } = this.#watch
    return { kind: 'failed', phase, timings: this.#watch.timings(), ...this.#watch.evidence(), errorMessage }
  }

  #within<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#deadline.within(Number.POSITIVE_INFINITY, call)
  }
}
