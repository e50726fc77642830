/** Things to be done later, none of which outlives the platform. */
export interface Timers {
  later(ms: number, action: () => void): void
  stop(): void
}

export function createTimers(): Timers {
  const pending = new Set<NodeJS.Timeout>()
  return {
    later(ms, action) {
      const timer = setTimeout(() => {
        pending.delete(timer)
        action()
      }, ms)
      pending.add(timer)
    },
    stop() {
      for (const timer of pending) clearTimeout(timer)
      pending.clear()
    },
  }
}
