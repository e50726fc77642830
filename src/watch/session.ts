import type { Clock } from '../core/clock.ts'
import { type Deadline, DeadlinePassed, deadlineAtTime } from '../core/clock.ts'
import { errorMessage } from '../core/errors.ts'
import { sanitize } from '../core/sanitize.ts'
import { type DeploymentLog, deploymentLog, WINDOW_LINES } from './deployment-log.ts'
import { isOurs } from './ours.ts'
import { type ErrorBudget, errorBudget, pauseAfterFailure, pauseBeforeReading } from './pace.ts'
import { type PhaseTimes, phaseTimes } from './phase-times.ts'
import type { FailureReason, ServiceReading, WaitingPhase, WatchTimings, WatchVerdict } from './verdict.ts'
import type { WatchOptions } from './watch-options.ts'

const READING_LIMIT_MS = 20_000
/** The log may arrive a little after the status; so long it is asked for again when a deployment failed. */
const EVIDENCE_PAUSES_MS: readonly number[] = [300, 700, 1_500]
const FAILURES_BEFORE_WARNING = 3

/** A reading that was possible, or the reason why none is any more. */
export type ReadOutcome =
  | { readonly kind: 'read'; readonly reading: ServiceReading | undefined }
  | { readonly kind: 'unreachable'; readonly message: string }

/** One watch under way: what it knows, and the ways it waits and reads. */
export class WatchSession {
  readonly options: WatchOptions
  readonly clock: Clock
  readonly sanitize: (line: string) => string
  readonly #deadline: Deadline
  readonly #budget: ErrorBudget = errorBudget()
  readonly #times: PhaseTimes
  readonly #warned = new Set<string>()
  #log: DeploymentLog
  #before: WatchOptions['before']
  #triggers = 0
  #runtimeLog: readonly string[] = []
  #errorMessage: string | undefined

  constructor(options: WatchOptions) {
    this.options = options
    this.clock = options.clock
    this.sanitize = options.sanitize ?? sanitize
    this.#deadline = deadlineAtTime(options.clock, options.deadlineAt, options.signal)
    this.#times = phaseTimes(options.clock.now())
    this.#before = options.before
    this.#log = this.#newLog(options.before === 'no-service' ? [] : options.logBaseline)
  }

  #newLog(baseline: readonly string[] | undefined): DeploymentLog {
    return deploymentLog(baseline, this.sanitize, this.options.events)
  }

  /** Reads the state before the trigger, where the caller has not. */
  async prepare(): Promise<WatchVerdict | undefined> {
    const { before, logBaseline } = this.options
    if (before === 'no-service' || (before !== undefined && logBaseline !== undefined)) return undefined
    const outcome = await this.read()
    if (outcome.kind === 'unreachable') return this.failed('unreachable', outcome.message)
    const { reading } = outcome
    this.#before ??= reading === undefined ? 'no-service' : { branch: reading.branch }
    this.#log = this.#newLog(logBaseline ?? reading?.deployLogs ?? [])
    return undefined
  }

  /** What the service was before the trigger, as far as known. */
  before(): WatchOptions['before'] {
    return this.#before
  }

  /** @returns what the trigger threw, wrapped so that a thrown `undefined` is an error as well */
  async trigger(): Promise<{ cause: unknown } | undefined> {
    this.#triggers += 1
    try {
      await this.#deadline.within(Number.POSITIVE_INFINITY, this.options.trigger)
      this.#budget.succeeded()
      return undefined
    } catch (cause) {
      this.options.signal.throwIfAborted()
      if (cause instanceof DeadlinePassed) throw cause
      return { cause }
    }
  }

  /**
   * Whether what was triggered so far can have been nothing but the creation of a service that was not there: what is
   * there now was then deployed by it. A later attempt may have been an update of what somebody made meanwhile.
   */
  onlyCreated(): boolean {
    return this.#triggers === 1 && this.#before === 'no-service' && (this.options.triggerCreated?.() ?? true)
  }

  /** Reads once, trying on through transient failures for as long as the error budget lasts. */
  async read(): Promise<ReadOutcome> {
    for (;;) {
      try {
        const reading = await this.#readOnce()
        this.#budget.succeeded()
        return { kind: 'read', reading }
      } catch (error) {
        this.options.signal.throwIfAborted()
        if (error instanceof DeadlinePassed) throw error
        if (!this.#isTransient(error).transient) throw error
        if (!(await this.waitOut(error))) return { kind: 'unreachable', message: this.messageOf(error) }
      }
    }
  }

  async #readOnce(runtimeLogLines?: number): Promise<ServiceReading | undefined> {
    const lines = {
      deployLogLines: WINDOW_LINES,
      runtimeLogLines: runtimeLogLines ?? (this.#times.current === 'rolling-out' ? WINDOW_LINES : 0),
    }
    return await this.#deadline.within(READING_LIMIT_MS, (signal) => this.options.reader.read(lines, signal))
  }

  #isTransient(error: unknown): { readonly transient: boolean; readonly retryAfterMs?: number } {
    return error instanceof Error && error.name === 'TimeLimitError'
      ? { transient: true }
      : this.options.isTransient(error)
  }

  /** Waits before another try. @returns false when the error is not transient or the error budget is spent */
  async waitOut(error: unknown): Promise<boolean> {
    const { transient, retryAfterMs } = this.#isTransient(error)
    const { inARow, spent } = this.#budget.failed()
    if (!transient || spent) return false
    if (inARow === FAILURES_BEFORE_WARNING) {
      this.warn(`The platform has not answered ${inARow} times in a row (${this.messageOf(error)}); trying on.`)
    }
    const pauseMs = pauseAfterFailure(inARow, retryAfterMs, this.options.random)
    this.#budget.waited(pauseMs)
    await this.sleep(pauseMs)
    return true
  }

  /** Sleeps until the next reading is due. */
  async pause(changed: boolean): Promise<void> {
    await this.sleep(pauseBeforeReading(this.#times.ageMs(this.clock.now()), changed, this.options.random))
  }

  async sleep(ms: number): Promise<void> {
    await this.#deadline.sleep(ms)
  }

  isOurs(reading: ServiceReading): boolean {
    return isOurs(reading, this.options)
  }

  /** Takes log lines and error text from a reading of ours. @returns how many log lines were new */
  follow(reading: ServiceReading): number {
    this.#errorMessage = reading.errorMessage === undefined ? undefined : this.sanitize(reading.errorMessage)
    if (reading.runtimeLogs.length > 0) this.#runtimeLog = reading.runtimeLogs.map(this.sanitize)
    return this.#log.accept(reading.deployLogs)
  }

  /** @returns whether the phase is another one than before */
  enter(phase: Exclude<WaitingPhase, 'triggering'>): boolean {
    const at = this.clock.now()
    const changed = this.#times.enter(phase, at)
    if (changed) this.options.events.phase(phase, at)
    return changed
  }

  sawBuild(): boolean {
    return this.timings().fromCache === false
  }

  timings(): WatchTimings {
    return this.#times.timings(this.clock.now(), this.#log.buildTrace)
  }

  /** Reads again for the lines that arrive after the status, and for the runtime log. */
  async gatherEvidence(): Promise<void> {
    try {
      for (const pauseMs of EVIDENCE_PAUSES_MS) {
        await this.sleep(pauseMs)
        const reading = await this.#readOnce(WINDOW_LINES)
        if (reading === undefined || !this.isOurs(reading)) return
        const toldWhy = this.#log.lines.length > 0 || reading.errorMessage !== undefined
        if (this.follow(reading) === 0 && toldWhy) return
      }
    } catch (error) {
      this.options.signal.throwIfAborted()
      this.warn(`The log of the failed deployment may be incomplete (${this.messageOf(error)}).`)
    }
  }

  /** What is known of a deployment that ended badly. */
  evidence(): { errorMessage: string | undefined; deployLog: readonly string[]; runtimeLog: readonly string[] } {
    return { errorMessage: this.#errorMessage, deployLog: this.#log.lines, runtimeLog: this.#runtimeLog }
  }

  live(reading: ServiceReading): WatchVerdict {
    this.options.events.phase('live', this.clock.now())
    return { kind: 'live', url: reading.url, timings: this.timings() }
  }

  failed(reason: FailureReason, message?: string): WatchVerdict {
    const evidence = this.evidence()
    const phase = this.#times.current
    const errorMessage = message ?? evidence.errorMessage
    this.options.events.phase('ended', this.clock.now())
    return { kind: 'failed', reason, phase, timings: this.timings(), ...evidence, errorMessage }
  }

  timedOut(): WatchVerdict {
    const perPhaseMs = this.#times.perPhaseMs(this.clock.now())
    this.options.events.phase('ended', this.clock.now())
    return { kind: 'timed-out', phase: this.#times.current, perPhaseMs, ...this.evidence() }
  }

  /** The text of an error and its causes, on one harmless line. */
  messageOf(error: unknown): string {
    return this.sanitize(errorMessage(error))
  }

  warn(text: string): void {
    this.options.events.warning(text)
  }

  warnOnce(text: string): void {
    if (this.#warned.has(text)) return
    this.#warned.add(text)
    this.warn(text)
  }
}
