import { type Clock, TimeLimitError, withinTime } from './clock.ts'

/** The time given to the whole deployment is over. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed'
}

/** Waiting that never goes past one deadline. Everything rejects with the signal's reason when the signal aborts. */
export interface Deadline {
  /** @throws {DeadlinePassed} when the deadline comes first. */
  sleep(ms: number): Promise<void>
  /** @throws {DeadlinePassed} when the deadline comes first; a TimeLimitError when `limitMs` does. */
  within<T>(limitMs: number, work: (signal: AbortSignal) => Promise<T>): Promise<T>
}

/** @param deadlineAt milliseconds since the epoch */
export function deadlineAtTime(clock: Clock, deadlineAt: number, signal: AbortSignal): Deadline {
  const remainingMs = (): number => {
    signal.throwIfAborted()
    const remaining = deadlineAt - clock.now()
    if (remaining <= 0) throw new DeadlinePassed()
    return remaining
  }
  return {
    async sleep(ms) {
      await clock.sleep(Math.min(ms, remainingMs()), signal)
      remainingMs()
    },
    async within(limitMs, work) {
      const remaining = remainingMs()
      try {
        return await withinTime(clock, Math.min(limitMs, remaining), signal, work)
      } catch (error) {
        if (error instanceof TimeLimitError && remaining <= limitMs) throw new DeadlinePassed()
        throw error
      }
    },
  }
}
