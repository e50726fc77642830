// A file of its own, as the command line needs it without all that reads a run.

/** Why the run ends: somebody or something cancelled it. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'

  constructor(signal: string) {
    super(`The run was cancelled (${signal})`)
  }
}

interface SignalSource {
  on(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/**
 * Makes an abort signal of the runner's SIGINT, and of the SIGTERM that follows 7.5 s later. Listening keeps the process
 * alive, so that what is under way can be wound up; dispose of it at the end.
 */
export function cancelOnSignals(source: SignalSource): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const onInterrupt = () => controller.abort(new Cancelled('SIGINT'))
  const onTerminate = () => controller.abort(new Cancelled('SIGTERM'))
  source.on('SIGINT', onInterrupt)
  source.on('SIGTERM', onTerminate)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      source.off('SIGINT', onInterrupt)
      source.off('SIGTERM', onTerminate)
    },
  }
}
