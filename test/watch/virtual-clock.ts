import type { Clock } from '../../src/core/async.ts'

interface Alarm {
  readonly at: number
  readonly ring: () => void
}

/** Time that passes only while everybody waits: `run` rings the next alarm whenever nothing else is going on. */
export class VirtualClock implements Clock {
  #now: number
  #alarms: Alarm[] = []

  constructor(startMs = 1_800_000_000_000) {
    this.#now = startMs
  }

  now(): number {
    return this.#now
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason)
      const abort = () => {
        this.#alarms = this.#alarms.filter((each) => each !== alarm)
        reject(signal.reason)
      }
      const alarm: Alarm = {
        at: this.#now + Math.max(0, ms),
        ring: () => {
          signal.removeEventListener('abort', abort)
          resolve()
        },
      }
      signal.addEventListener('abort', abort, { once: true })
      this.#alarms.push(alarm)
    })
  }

  /** Alarms still set: a finished wait must leave none behind. */
  get pending(): number {
    return this.#alarms.length
  }

  /** Lets time pass until `promise` settles. Fails when nothing is left that could settle it. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const done = () => {
      settled = true
    }
    promise.then(done, done)
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve))
      if (settled) return await promise
      this.#alarms.sort((a, b) => a.at - b.at)
      const next = this.#alarms.shift()
      if (next === undefined) throw new Error('everybody waits, and nobody set an alarm')
      this.#now = Math.max(this.#now, next.at)
      next.ring()
    }
  }
}
