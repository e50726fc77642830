import type { DeploymentPhase } from '../../src/watch/status.ts'
import type { ServiceReading, WatchVerdict } from '../../src/watch/verdict.ts'
import { watchDeployment } from '../../src/watch/watch-deployment.ts'
import type { WatchOptions } from '../../src/watch/watch-options.ts'
import { VirtualClock } from './virtual-clock.ts'

export const OURS = 'ink/pr-7/0123456789abcdef'
export const EARLIER = 'ink/pr-7/fedcba9876543210'

/** A reading of our branch, queued, without logs. */
export function reading(overrides: Partial<ServiceReading> = {}): ServiceReading {
  return { branch: OURS, status: 'queued', deployLogs: [], runtimeLogs: [], ...overrides }
}

/** A failure whose answer may or may not have been preceded by the effect. */
export class LostAnswer extends Error {}
/** A failure that passes. */
export class Passing extends Error {
  readonly retryAfterMs: number | undefined
  constructor(message: string, retryAfterMs?: number) {
    super(message)
    this.retryAfterMs = retryAfterMs
  }
}

/** A scripted platform: answers by what has happened so far and by the virtual time. */
export interface Stage {
  readonly clock: VirtualClock
  /** Virtual milliseconds since the start. */
  readonly elapsed: () => number
  readonly triggeredAt: number[]
  readonly readAt: number[]
  readonly lines: string[]
  readonly warnings: string[]
  readonly phases: { phase: DeploymentPhase; atMs: number }[]
  /** Watches with the overrides, as a caller would that cannot tell what `without` names. */
  readonly watch: (overrides?: Partial<WatchOptions>, without?: 'before' | 'logBaseline') => Promise<WatchVerdict>
}

/**
 * @param script `trigger(n)` answers the n-th trigger (from 1); `read(n)` the n-th reading. Returning an `Error` makes
 * the call fail with it.
 */
export function stage(script: {
  trigger?: (count: number, elapsedMs: number) => Error | undefined
  read: (count: number, elapsedMs: number) => ServiceReading | undefined | Error | Promise<never>
}): Stage {
  const clock = new VirtualClock()
  const startedAt = clock.now()
  const elapsed = () => clock.now() - startedAt
  const made = {
    clock,
    elapsed,
    triggeredAt: [] as number[],
    readAt: [] as number[],
    lines: [] as string[],
    warnings: [] as string[],
    phases: [] as { phase: DeploymentPhase; atMs: number }[],
  }
  const options: WatchOptions = {
    branch: OURS,
    reader: {
      read: async () => {
        made.readAt.push(elapsed())
        const answer = await script.read(made.readAt.length, elapsed())
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    trigger: async () => {
      made.triggeredAt.push(elapsed())
      const error = script.trigger?.(made.triggeredAt.length, elapsed())
      if (error !== undefined) throw error
    },
    clock,
    random: () => 0.5,
    deadlineAt: startedAt + 20 * 60_000,
    signal: new AbortController().signal,
    before: { branch: EARLIER },
    logBaseline: [],
    events: {
      phase: (phase, atMs) => made.phases.push({ phase, atMs: atMs - startedAt }),
      line: (line) => made.lines.push(line),
      warning: (text) => made.warnings.push(text),
    },
    isTransient: (error) => {
      if (!(error instanceof Passing)) return { transient: false }
      return error.retryAfterMs === undefined
        ? { transient: true }
        : { transient: true, retryAfterMs: error.retryAfterMs }
    },
    lostAnswer: (error) => error instanceof LostAnswer,
  }
  const watch: Stage['watch'] = (overrides = {}, without) => {
    const { [without ?? 'none']: _left, ...rest } = { ...options, ...overrides, none: undefined }
    return clock.run(watchDeployment(rest as WatchOptions))
  }
  return { ...made, watch }
}
