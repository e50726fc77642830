import { setMaxListeners } from 'node:events'
import type { Clock } from '../../src/core/async.ts'

interface Alarm {
  readonly atMs: number
  readonly order: number
  readonly ring: () => void
}

/** A clock that jumps from one alarm to the next as soon as nothing else is left to do. */
export interface VirtualTime {
  readonly clock: Clock
  /** Runs until the work is done. @throws when it waits for something that no alarm will bring */
  drive<T>(work: Promise<T>): Promise<T>
}

const START_MS = Date.parse('2026-11-22T10:00:00Z')
const TURNS_WITHOUT_ALARM = 1000

/** @param turn lets what goes on go on before the next alarm; where code is imported on the way, that takes real time */
export function openVirtualTime(turn = () => new Promise<unknown>(setImmediate)): VirtualTime {
  let nowMs = START_MS
  let order = 0
  let alarms: Alarm[] = []
  const clock: Clock = {
    now: () => nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const alarm: Alarm = { atMs: nowMs + Math.max(0, ms), order: order++, ring: done }
        function done() {
          signal.removeEventListener('abort', aborted)
          resolve()
        }
        function aborted() {
          alarms = alarms.filter((one) => one !== alarm)
          reject(signal.reason)
        }
        // As many may wait as like to; Node 20 takes that for a leak.
        setMaxListeners(0, signal)
        signal.addEventListener('abort', aborted, { once: true })
        alarms.push(alarm)
      }),
  }

  function ringNext(): boolean {
    const next = alarms.reduce<Alarm | undefined>(
      (first, one) =>
        first === undefined || one.atMs < first.atMs || (one.atMs === first.atMs && one.order < first.order)
          ? one
          : first,
      undefined,
    )
    if (!next) return false
    alarms = alarms.filter((one) => one !== next)
    nowMs = Math.max(nowMs, next.atMs)
    next.ring()
    return true
  }

  return {
    clock,
    async drive(work) {
      const state = { done: false }
      const over = () => {
        state.done = true
      }
      work.then(over, over)
      for (let idle = 0; !state.done; ) {
        await turn()
        if (state.done) break
        idle = ringNext() ? 0 : idle + 1
        if (idle > TURNS_WITHOUT_ALARM) throw new Error('Everybody waits, and nothing will happen.')
      }
      return work
    },
  }
}
