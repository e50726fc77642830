import { type Deadline, DeadlinePassed, deadlineAtTime } from '../core/async.ts'
import { capital } from '../core/format.ts'
import { createSanitizer, safeMessage } from '../core/sanitize.ts'
import { isNameTaken, isTransient, mayHaveHappened, ToolError } from '../ink/errors.ts'
import type { Service } from '../ink/results.ts'
import { commitOf } from '../plan/names.ts'
import { confirmLive } from '../watch/confirm-live.ts'
import { DeploymentWatch } from '../watch/deployment-watch.ts'
import { probe } from '../watch/probe.ts'
import { type DeploymentPhase, meaningOf, type ReadService } from '../watch/readings.ts'
import {
  endAfter,
  partsBefore,
  type RolloutPorts,
  type RolloutRequest,
  StartAgain,
  type StartOutcome,
} from './start-again.ts'
import { describeProbe, phases, type RolloutEnd } from './verdict.ts'

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

const longestHesitationMs = 4_000
const shortestPatienceMs = 60_000
const betweenLooksMs = 2_000

/** The starts of one rollout, each followed until something calls for a decision, and what is known while it goes on. */
class Attempts {
  readonly deadline: Deadline
  readonly watch: DeploymentWatch
  readonly #run: RolloutPorts
  readonly #request: RolloutRequest
  readonly #read: ReadService
  readonly #sanitize: (line: string) => string
  /** The service as it was read last; without one the next start is a creation. */
  #known: Service | undefined
  /** Starts since it was known that there is no service; undefined while there was one. */
  #startsSinceNone: number | undefined
  #startedAt = 0
  /** What is known of the last start. */
  #acknowledged = false
  #created = false
  /** Whether any start was acknowledged. */
  sent = false
  /** Seen to be gone, or refused as such; it may be found until its removal is done. */
  #vanishing = false
  /** Whether the last look found a service. */
  #seen = false

  constructor(run: RolloutPorts, request: RolloutRequest) {
    const { existing } = request
    this.deadline = deadlineAtTime(run.clock, request.deadlineAt, run.signal)
    this.#run = run
    this.#request = request
    this.#read = (lines, signal) => run.platform.service(request.serviceName, lines, signal)
    this.#sanitize = createSanitizer(run.secrets())
    this.#known = existing
    this.#startsSinceNone = existing ? undefined : 0
    this.watch = new DeploymentWatch({
      ...run,
      ...request,
      read: this.#read,
      deadline: this.deadline,
      logBaseline: existing?.deployLogs ?? [],
      sanitize: this.#sanitize,
      events: watchEvents(run),
    })
  }

  /** Milliseconds since the last start. */
  get ageMs(): number {
    return this.#run.clock.now() - this.#startedAt
  }

  /** One start, unless it is under way already, followed until something calls for a decision. */
  async next(after: StartOutcome | undefined): Promise<StartOutcome> {
    try {
      if (after?.kind === 'gone' || after?.kind === 'not-found') {
        this.#known = undefined
        this.#startsSinceNone = 0
        this.#vanishing = true
      }
      const look = after !== undefined && after.kind !== 'not-found'
      const found = look ? await this.#look(after.kind === 'name-taken') : 'to-start'
      const failed = found === 'to-start' ? await this.#start() : found
      if (failed !== undefined && failed !== 'under-way') return failed
      this.#startedAt = this.#run.clock.now()
      const seen = await this.watch.next()
      return seen.kind === 'live' ? await this.#confirm(seen.url) : seen
    } catch (error) {
      this.#run.signal.throwIfAborted()
      if (!isTransient(error)) throw error
      return { kind: 'unreachable', message: safeMessage(this.#run, error) }
    }
  }

  /** Looks at the service before starting again, and gives way to whoever came meanwhile. */
  async #look(nameTaken: boolean): Promise<StartOutcome | 'under-way' | 'to-start'> {
    // Two runs that deploy the same commit cancel each other's deployment, and when both start again at the same moment
    // they do so for ever. So whoever starts again waits for a random while and then joins a deployment of the very same
    // branch. After a start that was not acknowledged it could be somebody else's, with the branch already set to ours.
    if (this.#acknowledged) await this.deadline.sleep(this.#run.random() * longestHesitationMs)
    const { platform } = this.#run
    const { serviceName, branch, existing, assertOwned } = this.#request
    const now = await this.#within((signal) => platform.service(serviceName, partsBefore, signal))
    this.#seen = now !== undefined
    // What the service had before is not somebody else's branch as long as it is not known that ours was ever set.
    const isOthers = now?.branch !== branch && (this.#acknowledged || now?.branch !== existing?.branch)
    if (!nameTaken && now?.branch !== undefined && isOthers) return { kind: 'superseded', branch: now.branch }
    if (!nameTaken && now && this.#isUnderWay(now)) {
      this.watch.started('updated')
      this.#acknowledged = true
      return 'under-way'
    }
    if (now && !this.#known) assertOwned(now)
    if (now && !/remov|delet/i.test(now.status)) {
      this.#known = now
      // Whatever it holds is older than the start that comes now.
      this.watch.ignoreLog(now.deployLogs)
    }
    return 'to-start'
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
    this.watch.started(known ? 'updated' : 'created')
    try {
      const { serviceId = known?.id } = await this.#within((signal) => this.#send(known, signal))
      if (serviceId) this.#run.output('service-id', serviceId)
      this.#acknowledged = true
      this.sent = true
      this.#vanishing = false
      return undefined
    } catch (error) {
      this.#run.signal.throwIfAborted()
      const message = safeMessage(this.#run, error)
      if (error instanceof ToolError) {
        if (!this.#created && error.reason === 'service-not-found') return { kind: 'not-found' }
        if (this.#created && isNameTaken(error)) return { kind: 'name-taken', refusal: error, seen: this.#seen }
        if (error.reason === 'winding-down' || /redeploy failed/i.test(error.text)) return { kind: 'refused', message }
      }
      if (mayHaveHappened(error)) return { kind: 'lost-answer', message }
      throw error
    }
  }

  #send(known: Service | undefined, signal: AbortSignal) {
    const { platform } = this.#run
    const { serviceName, repositorySlug, repositoryName, branch, settings, settingsOnly } = this.#request
    const wanted = settings(known)
    if (!known) return platform.createService(serviceName, repositoryName, branch, wanted, signal)
    const moved = known.repo !== undefined && known.repo !== repositorySlug ? { repo: repositoryName } : {}
    return platform.updateService(serviceName, settingsOnly ? wanted : { ...wanted, ...moved, branch }, signal)
  }

  /** Asks the URL of a deployment that is live, and whether it still is. */
  async #confirm(url: string | undefined): Promise<StartOutcome> {
    const { clock, reporter, log } = this.#run
    const { health, deadlineAt } = this.#request
    const deployed = { url, timings: this.watch.timings() }
    const leftMs = deadlineAt - clock.now()
    const check = health.kind === 'none' ? health : { ...health, timeoutMs: Math.min(health.timeoutMs, leftMs) }
    const given = { ...this.#run, sanitize: this.#sanitize }
    reporter.timeline.begin('probe', 'Probe')
    reporter.update({ phase: 'probe', ...(url === undefined ? {} : { url }) })
    let isGone = false
    const confirmation = await confirmLive({
      ...given,
      ...this.#request,
      read: this.#read,
      probe: async (signal) => {
        const asked = await probe({ ...given, url, check, commit: commitOf(this.#request), signal })
        isGone = asked.outcome !== 'unhealthy' && (await this.#goesMeanwhile(signal))
        return asked
      },
      patienceMs: Math.max(shortestPatienceMs, leftMs),
      warning: log.warning,
    })
    if (isGone) return { kind: 'gone' }
    const { runtimeLog } = confirmation
    if (confirmation.kind === 'probed') {
      const asked = confirmation.probe
      log.info(describeProbe(asked))
      const kind = asked.outcome === 'unhealthy' ? 'unhealthy' : 'live'
      return { kind: 'settled', end: { kind, probe: asked, runtimeLog, ...deployed } }
    }
    const { loss } = confirmation
    if (loss.kind === 'crashed') return { kind: 'settled', end: { ...loss, kind: 'stopped', runtimeLog, ...deployed } }
    return loss.kind === 'unconfirmed' ? { kind: 'settled', end: { ...loss, ...deployed } } : loss
  }

  /** A healthy one is kept an eye on while a removal is under way. @returns whether that has taken it away */
  async #goesMeanwhile(signal: AbortSignal): Promise<boolean> {
    const { clock, log, platform } = this.#run
    const { serviceName, removalUnderWay } = this.#request
    const isUnderWay = async () => await removalUnderWay?.(this.#created ? this.#startedAt : undefined)
    if (!(await isUnderWay())) return false
    log.info(`A removal of ${serviceName} is under way; watching until it is over`)
    do await clock.sleep(betweenLooksMs, signal)
    while (await isUnderWay())
    // Where the URL is not asked, the service is not read again after this.
    return (await platform.service(serviceName, {}, signal)) === undefined
  }

  #within<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.deadline.within(Number.POSITIVE_INFINITY, call)
  }
}

/** Phases and lines go into the run's log and timeline as they come. */
function watchEvents({ reporter, log }: RolloutPorts) {
  return {
    phase: (phase: DeploymentPhase, atMs: number) => {
      if (phase === 'live' || phase === 'ended') return
      const { name } = phases[phase]
      reporter.timeline.begin(name, capital(name), atMs)
      reporter.update({ phase: name })
    },
    line: (line: string) => {
      reporter.timeline.ensure('build', 'Build')
      log.untrusted(line)
    },
    warning: log.warning,
  }
}
