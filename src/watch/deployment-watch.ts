import { type Clock, type Deadline, DeadlinePassed } from '../core/async.ts'
import { errorMessage } from '../core/errors.ts'
import {
  type DeploymentEnd,
  type DeploymentLog,
  type DeploymentPhase,
  deploymentLog,
  followLog,
  isOtherCommit,
  isOurs,
  jittered,
  meaningOf,
  type OurMarks,
  type ReadService,
  type ServiceReading,
  WINDOW_LINES,
} from './readings.ts'

interface WatchOptions extends OurMarks {
  readonly read: ReadService
  readonly clock: Clock
  /** Yields [0, 1). */
  readonly random: () => number
  readonly deadline: Deadline
  readonly signal: AbortSignal
  /** Build-log lines seen before the first start: they belong to earlier deployments. */
  readonly logBaseline: readonly string[]
  /** Makes a line of strangers harmless and masks secrets in it. */
  readonly sanitize: (line: string) => string
  /** What the watch tells while it waits. Lines are sanitized: they can be printed as they are. */
  readonly events: {
    /** A phase began at `atMs` (ms since the epoch). */
    phase(phase: DeploymentPhase, atMs: number): void
    line(text: string): void
    warning(text: string): void
  }
}

/** A phase in which time can pass. `triggering` lasts until a start is known to have been made. */
export type WaitingPhase = 'triggering' | 'queued' | 'building' | 'rolling-out'

/** Something that calls for a decision. */
export type Observation =
  | { readonly kind: 'live'; readonly url: string | undefined }
  /** Our deployment came to another end than becoming live. */
  | {
      readonly kind: 'ended'
      readonly end: Exclude<DeploymentEnd, 'active' | 'superseded' | 'removed'>
      readonly errorMessage: string | undefined
    }
  /** Another branch, or another deployment of ours, took over. */
  | { readonly kind: 'superseded'; readonly branch: string | undefined }
  | { readonly kind: 'gone' }
  /** Live on our branch, and for a minute now with another commit than ours. */
  | { readonly kind: 'other-commit' }

export type Timings = Readonly<ReturnType<DeploymentWatch['timings']>>

/** What is known of a deployment that ended badly. */
export type Evidence = Readonly<ReturnType<DeploymentWatch['evidence']>>

const AFTER_CHANGE_MS = 250
const SHORTEST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 5_000
/** A pause of 4 % of the phase's age makes the end seen 2 % late on average, whatever the length of the build. */
const SHARE_OF_PHASE = 0.04
/** After so much waiting for one reading, its repetitions included, the log says so. */
const SILENCE_MS = 10_000
/** How long a platform may show the previous commit together with our branch. */
const OTHER_COMMIT_GRACE_MS = 60_000
/** The log may arrive a little after the status; so long it is asked for again when a deployment failed. */
const EVIDENCE_PAUSES_MS: readonly number[] = [300, 700, 1_500]
const EVIDENCE_LIMIT_MS = 20_000

/**
 * Watches one service while it is deployed: reads it at a fitting pace, follows its log, keeps the times. It starts
 * nothing and decides nothing; {@link next} tells what was seen as soon as that calls for a decision. Only a reading that
 * is about our branch counts: the platform reports the status of the latest deployment, whoever started it.
 */
export class DeploymentWatch {
  readonly #options: WatchOptions
  readonly #log: DeploymentLog
  readonly #warned = new Set<string>()
  readonly #spentMs: Record<WaitingPhase, number> = { triggering: 0, queued: 0, building: 0, 'rolling-out': 0 }
  #phase: WaitingPhase = 'triggering'
  #since: number
  #sawBuildPhase = false
  #pauseMs: number | undefined
  #missing = 0
  #otherCommitSince: number | undefined
  /** Set from a creation until its build begins: what the log holds then was written by a predecessor of that name. */
  #readsPredecessors = false
  #runtimeBaseline: readonly string[] = []
  #runtimeLog: readonly string[] = []
  #errorMessage: string | undefined

  constructor(options: WatchOptions) {
    this.#options = options
    this.#log = deploymentLog(options.logBaseline, options.sanitize, options.events.line)
    this.#since = options.clock.now()
  }

  get phase(): WaitingPhase {
    return this.#phase
  }

  /** Whether anything of a build was seen since the watch began. */
  get sawBuild(): boolean {
    return !this.timings().fromCache
  }

  /** Told of each start that may have been made, so that readings are taken for what they are. */
  started(how: 'created' | 'updated'): void {
    this.#missing = 0
    this.#otherCommitSince = undefined
    this.#readsPredecessors = how === 'created'
    // What stands in the log right after a creation cannot be ours yet; every moment later it could.
    this.#pauseMs = how === 'created' ? 0 : AFTER_CHANGE_MS
  }

  /** Takes a log that is older than the next start. */
  ignoreLog(window: readonly string[]): void {
    this.#log.skip(window)
  }

  /**
   * Waits until something calls for a decision.
   * @throws DeadlinePassed; what the reading throws, once it is given up; the signal's reason on abort
   */
  async next(): Promise<Observation> {
    for (;;) {
      await this.#options.deadline.sleep(this.#pause())
      const seen = this.#judge(await this.#readPatiently())
      if (seen !== undefined) return seen
    }
  }

  #pause(): number {
    const { clock, random } = this.#options
    const steady = Math.max(SHORTEST_PAUSE_MS, (clock.now() - this.#since) * SHARE_OF_PHASE)
    const pauseMs = this.#pauseMs ?? Math.min(LONGEST_PAUSE_MS, steady)
    this.#pauseMs = undefined
    return jittered(pauseMs, random)
  }

  /** Repeating a reading that fails is the reader's; only that it takes long is told. */
  async #readPatiently(): Promise<ServiceReading | undefined> {
    const { clock, deadline } = this.#options
    const answered = new AbortController()
    const silence = `The platform has not answered for ${SILENCE_MS / 1_000} s; asking on.`
    clock.sleep(SILENCE_MS, answered.signal, true).then(
      () => this.#warnOnce(silence),
      () => undefined, // it has answered, or nobody waits any more
    )
    try {
      return await deadline.within(Number.POSITIVE_INFINITY, (limited) => this.#read(limited))
    } finally {
      answered.abort('answered')
    }
  }

  #read(signal: AbortSignal, runtime = false): Promise<ServiceReading | undefined> {
    const wanted = runtime || this.#phase === 'rolling-out' || this.#readsPredecessors
    return this.#options.read({ deployLogLines: WINDOW_LINES, runtimeLogLines: wanted ? WINDOW_LINES : 0 }, signal)
  }

  #judge(reading: ServiceReading | undefined): Observation | undefined {
    if (reading === undefined) {
      this.#missing += 1
      this.#pauseMs = AFTER_CHANGE_MS
      // One miss may be a replica that has not heard of the new service yet.
      return this.#missing > 1 ? { kind: 'gone' } : undefined
    }
    this.#missing = 0
    if (!isOurs(reading, this.#options)) {
      if (reading.branch !== undefined) return { kind: 'superseded', branch: reading.branch }
      this.#warnOnce('The platform does not tell which branch it deploys: its status cannot be trusted, waiting on.')
      return undefined
    }
    this.#take(reading)
    const meaning = meaningOf(reading.status)
    if (meaning === undefined) {
      const status = this.#options.sanitize(reading.status)
      this.#warnOnce(`The platform reports a status unknown to this version: “${status}”. Waiting on.`)
      return undefined
    }
    if (meaning.phase === 'live') return this.#live(reading)
    if (meaning.phase !== 'ended') return this.#enter(meaning.phase)
    const { verdict: end = 'failed' } = meaning
    if (end === 'removed') return { kind: 'gone' }
    if (end === 'superseded') return { kind: 'superseded', branch: undefined }
    return { kind: 'ended', end: end === 'active' ? 'failed' : end, errorMessage: this.#errorMessage }
  }

  /** A live status that names another commit speaks of an earlier deployment, whatever branch it shows. */
  #live(reading: ServiceReading): Observation | undefined {
    const { clock, events } = this.#options
    if (!isOtherCommit(reading, this.#options)) {
      events.phase('live', clock.now())
      return { kind: 'live', url: reading.url }
    }
    this.#otherCommitSince ??= clock.now()
    return clock.now() - this.#otherCommitSince < OTHER_COMMIT_GRACE_MS ? undefined : { kind: 'other-commit' }
  }

  #enter(phase: Exclude<WaitingPhase, 'triggering'>): undefined {
    this.#sawBuildPhase ||= phase === 'building'
    if (phase === this.#phase) return
    const now = this.#options.clock.now()
    this.#spentMs[this.#phase] += now - this.#since
    this.#phase = phase
    this.#since = now
    // Changes come in rows.
    this.#pauseMs = AFTER_CHANGE_MS
    this.#options.events.phase(phase, now)
  }

  /** Takes log lines and error text from a reading of ours. @returns how many log lines were new */
  #take(reading: ServiceReading): number {
    const { sanitize } = this.#options
    this.#errorMessage = reading.errorMessage === undefined ? undefined : sanitize(reading.errorMessage)
    if (this.#isPredecessors(reading)) {
      this.#log.skip(reading.deployLogs)
      this.#runtimeBaseline = reading.runtimeLogs
      return 0
    }
    const runtime = followLog(WINDOW_LINES, this.#runtimeBaseline).accept(reading.runtimeLogs).lines
    if (runtime.length > 0) this.#runtimeLog = runtime.map(sanitize)
    return this.#log.accept(reading.deployLogs)
  }

  /**
   * The platform keeps logs by name: a service that was deleted and made again shows the lines of the one before. What is
   * there before our build has begun is not ours; nor is it when the roll-out is seen first, for then nothing was built.
   */
  #isPredecessors(reading: ServiceReading): boolean {
    if (!this.#readsPredecessors) return false
    const phase = meaningOf(reading.status)?.phase
    const before = phase === 'queued' || (phase === 'rolling-out' && this.#phase === 'triggering')
    if (phase !== 'queued') this.#readsPredecessors = false
    return before
  }

  timings() {
    const { buildTrace } = this.#log
    return {
      /** As seen from here: a build that is shorter than the pause between two readings counts 0. */
      buildMs: this.perPhaseMs().building,
      /** No build was seen, neither its phase nor a line of its log, or the log says that it was skipped. */
      fromCache: buildTrace === 'skipped' || (buildTrace === 'none' && !this.#sawBuildPhase),
    }
  }

  /** Where the time went until now. */
  perPhaseMs(): Readonly<Record<WaitingPhase, number>> {
    const age = this.#options.clock.now() - this.#since
    return { ...this.#spentMs, [this.#phase]: this.#spentMs[this.#phase] + age }
  }

  /** Sanitized log lines of this deployment only, oldest first. */
  evidence() {
    return { errorMessage: this.#errorMessage, deployLog: this.#log.lines, runtimeLog: this.#runtimeLog }
  }

  /** Reads again for the lines that arrive after the status, and for the runtime log. */
  async gatherEvidence(): Promise<Evidence> {
    const { deadline, signal, sanitize, events } = this.#options
    try {
      for (const pauseMs of EVIDENCE_PAUSES_MS) {
        await deadline.sleep(pauseMs)
        const reading = await deadline.within(EVIDENCE_LIMIT_MS, (limited) => this.#read(limited, true))
        if (reading === undefined || !isOurs(reading, this.#options)) break
        const toldWhy = this.#log.lines.length > 0 || reading.errorMessage !== undefined
        if (this.#take(reading) === 0 && toldWhy) break
      }
    } catch (error) {
      signal.throwIfAborted()
      if (!(error instanceof DeadlinePassed))
        events.warning(`The log of the failed deployment may be incomplete (${sanitize(errorMessage(error))}).`)
    }
    return this.evidence()
  }

  #warnOnce(text: string): void {
    if (this.#warned.has(text)) return
    this.#warned.add(text)
    this.#options.events.warning(text)
  }
}
