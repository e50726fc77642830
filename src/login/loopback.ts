import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { DeployError } from '../errors.ts'

/** An address on this machine for the browser to come back to (RFC 8252, 7.3). */
export interface Loopback extends AsyncDisposable {
  readonly redirectUri: string
  /** What the first visit brought. From then on nobody is let in any more. */
  readonly visit: Promise<URLSearchParams>
}

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

/** Opens a free port of 127.0.0.1. */
export async function openLoopback(): Promise<Loopback> {
  let welcome: (answer: URLSearchParams) => void = () => {}
  const visit = new Promise<URLSearchParams>((resolve) => {
    welcome = resolve
  })
  const server = createServer((request, response) => {
    const status = statusFor(request, port)
    const final = { connection: 'close', 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }
    if (status !== 200) return void response.writeHead(status, final).end()
    server.close()
    // The page is on its way before the process may end.
    response.on('close', () => welcome(new URL(request.url ?? '', 'http://127.0.0.1').searchParams))
    show(response, final)
  })
  const port = await open(server)
  return {
    redirectUri: `http://127.0.0.1:${port}${CALLBACK}`,
    visit,
    [Symbol.asyncDispose]: () => shut(server),
  }
}

function show(response: ServerResponse, headers: Record<string, string>): void {
  // The address of this page has the code in it.
  const quiet = { 'content-security-policy': "default-src 'none'", 'referrer-policy': 'no-referrer' }
  response.writeHead(200, { ...headers, ...quiet }).end(PAGE)
}

function statusFor({ method, url, headers }: IncomingMessage, port: number): number {
  // A page on the web can have a name of its own lead here; what it then sends names that.
  if (headers.host !== `127.0.0.1:${port}`) return 403
  if (new URL(url ?? '', 'http://127.0.0.1').pathname !== CALLBACK) return 404
  return method === 'GET' ? 200 : 405
}

function open(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause?: unknown) =>
      reject(
        new DeployError('no port of 127.0.0.1 could be opened for the browser to come back to', {
          cause,
          hint: 'Check what forbids it on this machine; or run this elsewhere.',
        }),
      )
    server.once('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (typeof address === 'object' && address !== null) resolve(address.port)
      else fail()
    })
  })
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
