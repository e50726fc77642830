import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'

/**
 * Runs `git http-backend` for one request (RFC 3875) and streams its answer.
 *
 * `GIT_PROTOCOL` and `HTTP_CONTENT_ENCODING` are passed on by those alone who put them into `env`: without the one protocol v0
 * is spoken, without the other a body compressed with gzip reaches git as the bytes it is, and is not understood.
 *
 * @param beforeEnd - awaited after git has ended and before the client learns so
 */
export function runHttpBackend(options: {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly projectRoot: string
  /** The address within the project root, and the query. */
  readonly pathInfo: string
  readonly query: string
  readonly user: string
  readonly env: Readonly<Record<string, string>>
  readonly beforeEnd: () => Promise<void>
  /** Lets git see no more than so many bytes of the body, then kills it and calls `onCut`. */
  readonly cut?: { readonly afterBytes: number; readonly onCut: () => void } | undefined
}): Promise<void> {
  const { request, response } = options
  const child = spawn('git', ['http-backend'], {
    env: {
      ...options.env,
      GIT_PROJECT_ROOT: options.projectRoot,
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: options.user,
      REMOTE_ADDR: request.socket.remoteAddress ?? '',
      PATH_INFO: options.pathInfo,
      QUERY_STRING: options.query,
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: request.headers['content-length'] }),
    },
    stdio: ['pipe', 'pipe', 'ignore'],
    // Git starts further processes; in a group of their own they can be ended together.
    detached: true,
  })
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  child.stdin.on('error', () => request.unpipe(child.stdin))
  if (options.cut === undefined) request.pipe(child.stdin)
  else passUntilCut(request, child.stdin, options.cut.afterBytes, [kill, options.cut.onCut])
  request.once('close', () => {
    // An upload that broke off must not look to git like one that has ended.
    if (!request.complete) kill()
  })

  let head = Buffer.alloc(0)
  let headSent = false
  child.stdout.on('data', (chunk: Buffer) => {
    if (headSent) {
      response.write(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    writeHead(response, head.subarray(0, end).toString('latin1'))
    headSent = true
    if (head.length > end + 4) response.write(head.subarray(end + 4))
  })

  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      options.beforeEnd().then(() => {
        if (!headSent && !response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
        if (code === null) response.destroy()
        else response.end()
        resolve()
      }, reject)
    })
  })
}

function passUntilCut(from: Readable, to: Writable, bytes: number, cut: readonly (() => void)[]): void {
  let left = bytes
  let isCut = false
  from.on('data', (chunk: Buffer) => {
    if (isCut) return
    to.write(chunk.subarray(0, left))
    left -= chunk.length
    if (left >= 0) return
    isCut = true
    for (const step of cut) step()
  })
  from.once('end', () => to.end())
}

function writeHead(response: ServerResponse, head: string): void {
  const fields = head.split('\r\n').map((line): [string, string] => {
    const colon = line.indexOf(':')
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
  })
  const status = fields.find(([name]) => name === 'status')?.[1]
  response.writeHead(
    status === undefined ? 200 : Number.parseInt(status, 10),
    Object.fromEntries(fields.filter(([name]) => name !== 'status')),
  )
}
