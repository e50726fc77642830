import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface, type Interface } from 'node:readline'
import { DeployError } from '../core/errors.ts'

const CALLBACK = '/callback'
const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<title>Back to the terminal</title>
<h1>Back to the terminal</h1>
<p>Ink Deploy goes on there, and says whether it worked. This page can be closed.</p>
</html>
`

/**
 * Opens a free port of 127.0.0.1, an address for the browser to come back to (RFC 8252, 7.3).
 * @param state of this login. Any page on the web can try the ports of this machine: a visit without it is turned away,
 * and does not keep the one that is waited for from coming
 */
export async function openLoopback(state: string) {
  let accept: (answer: URLSearchParams) => void = () => {}
  const visit = new Promise<URLSearchParams>((resolve) => {
    accept = resolve
  })
  const server = createServer((request, response) => {
    const address = addressOf(request.url ?? '')
    const status = statusFor(request, address, { port, state })
    const final = { connection: 'close', 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
    if (status !== 200) return void response.writeHead(status, final).end()
    server.close()
    // The page is on its way before the process may end.
    response.on('close', () => accept(address.searchParams))
    servePage(response, final)
  })
  const port = await listen(server)
  return {
    redirectUri: `http://127.0.0.1:${port}${CALLBACK}`,
    /** What the first visit with the state of this login brought. From then on nobody is let in any more. */
    visit,
    [Symbol.asyncDispose]: () => closeServer(server),
  }
}

/** Where a request leads. `//` and its like are not addresses, and anybody may ask for them. */
function addressOf(target: string): URL {
  const origin = 'http://127.0.0.1'
  return URL.canParse(target, origin) ? new URL(target, origin) : new URL(origin)
}

function servePage(response: ServerResponse, headers: Record<string, string>): void {
  // The address of this page has the code in it.
  const quiet = { 'content-security-policy': "default-src 'none'", 'referrer-policy': 'no-referrer' }
  response.writeHead(200, { ...headers, ...quiet }).end(PAGE)
}

function statusFor(
  { method, headers }: IncomingMessage,
  { pathname, searchParams }: URL,
  { port, state }: { readonly port: number; readonly state: string },
): number {
  // A page on the web can have a name of its own lead here; what it then sends names that.
  if (headers.host !== `127.0.0.1:${port}`) return 403
  if (pathname !== CALLBACK) return 404
  if (method !== 'GET') return 405
  return searchParams.get('state') === state ? 200 : 400
}

async function listen(server: Server): Promise<number> {
  try {
    await once(server.listen(0, '127.0.0.1'), 'listening')
  } catch (cause) {
    throw new DeployError('no port of 127.0.0.1 could be opened for the browser to come back to', {
      cause,
      hint: 'Check what forbids it on this machine; or run this elsewhere.',
    })
  }
  return (server.address() as AddressInfo).port
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** The program that opens an address in the browser of whoever sits at this machine. None of them is a shell. */
export function browserCommand(
  platform: NodeJS.Platform,
  address: string,
): { readonly program: string; readonly args: readonly string[] } {
  if (platform === 'darwin') return { program: 'open', args: [address] }
  // `start` is a word of the shell, which would take the ampersands in an address for its own.
  if (platform === 'win32') return { program: 'rundll32', args: ['url.dll,FileProtocolHandler', address] }
  return { program: 'xdg-open', args: [address] }
}

/**
 * Opens an address in the browser. Nobody waits for it: some of these programs end with the browser only.
 * @param onFailure called when it could not be opened
 */
export function openBrowser(platform: NodeJS.Platform, address: string, onFailure: () => void): void {
  const { program, args } = browserCommand(platform, address)
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.on('error', onFailure)
  child.on('exit', (code) => code !== 0 && onFailure())
  child.unref()
}

/** Where somebody may be reading and answering. */
export interface Terminal extends Disposable {
  /** Whether there is somebody to ask. */
  readonly interactive: boolean
  /** Tells something, beside the output. */
  say(text: string): void
  /** The output: what another program may be waiting for. */
  print(text: string): void
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
    print: (text) => void stdout.write(`${text}\n`),
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
