import { createInterface, type Interface } from 'node:readline'

/** Where somebody may be reading and answering. */
export interface Terminal extends Disposable {
  /** Whether there is somebody to ask. */
  readonly interactive: boolean
  /** Tells something, beside the output. */
  say(text: string): void
  /** The output: what another program may be waiting for. */
  hand(text: string): void
  /** The next line that is typed or piped in; undefined at the end of it. */
  line(signal: AbortSignal): Promise<string | undefined>
}

export interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

export function openTerminal({ stdin, stdout, stderr }: Streams): Terminal {
  let reading: Interface | undefined
  let lines: AsyncIterator<string> | undefined
  return {
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    say: (text) => void stderr.write(`${text}\n`),
    hand: (text) => void stdout.write(`${text}\n`),
    async line(signal) {
      signal.throwIfAborted()
      // Opened only now: an input that nobody asks for is left alone. And not as a terminal of its own, which would
      // keep Ctrl-C to itself.
      reading ??= createInterface({ input: stdin, terminal: false })
      lines ??= reading[Symbol.asyncIterator]()
      const { done, value } = await unlessAborted(lines.next(), signal)
      return done ? undefined : value
    },
    [Symbol.dispose]: () => reading?.close(),
  }
}

/** Awaits a promise, or throws the reason of the signal if that comes first. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
