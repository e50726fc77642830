import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from './clock.ts'

/** The wall clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    // Node replaces a delay above 31 bits by 1 ms; an aborted pause rejects with a bare AbortError instead of the reason.
    await pause(Math.min(ms, 2 ** 31 - 1), undefined, { signal }).catch(() => signal.throwIfAborted())
  },
}
