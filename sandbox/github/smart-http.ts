import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename, dirname } from 'node:path'
import { isolatedGitEnvironment } from './git.ts'

/** Which half of a git conversation a request belongs to, or `undefined` when it is none. */
export function gitService(
  url: URL,
): { readonly repositoryPath: string; readonly service: 'read' | 'write' } | undefined {
  const match = /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(url.pathname)
  if (!match?.[1]) return undefined
  const name = match[2] === 'info/refs' ? url.searchParams.get('service') : match[2]
  return { repositoryPath: match[1], service: name === 'git-receive-pack' ? 'write' : 'read' }
}

/**
 * Hands a request to git's own HTTP backend and its answer back. Resolves when the backend has ended.
 * The client is kept waiting for `settle`, so that whatever a push brings about has happened when the push is over.
 */
export function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  target: { readonly gitDir: string; readonly url: URL; readonly user: string; readonly settle: () => Promise<void> },
): Promise<void> {
  const endpoint = target.url.pathname.replace(/^\/[^/]+\/[^/]+\//, '')
  const child = spawn('git', ['http-backend'], {
    env: isolatedGitEnvironment({
      GIT_PROJECT_ROOT: dirname(target.gitDir),
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: `/${basename(target.gitDir)}/${endpoint}`,
      QUERY_STRING: target.url.search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      REMOTE_USER: target.user,
      ...header(request, 'content-type', 'CONTENT_TYPE'),
      ...header(request, 'content-length', 'CONTENT_LENGTH'),
      ...header(request, 'content-encoding', 'HTTP_CONTENT_ENCODING'),
      ...header(request, 'git-protocol', 'GIT_PROTOCOL'),
    }),
  })
  // Either side may hang up in mid-conversation; the other then sees its stream end.
  child.stdin.on('error', () => undefined)
  request.pipe(child.stdin)
  child.stderr.resume()
  response.on('close', () => child.stdout.destroy())
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => {
      target.settle().then(() => {
        if (!response.headersSent) response.writeHead(500)
        response.end()
        resolve()
      }, reject)
    })
    relayCgi(child.stdout, response)
  })
}

function header(request: IncomingMessage, name: string, variable: string): Record<string, string> {
  const value = request.headers[name]
  return typeof value === 'string' ? { [variable]: value } : {}
}

/** CGI (RFC 3875 §6): header lines, an empty line, then the body; `Status:` is the status line. */
function relayCgi(stdout: NodeJS.ReadableStream, response: ServerResponse): void {
  let head = Buffer.alloc(0)
  let inBody = false
  stdout.on('data', (chunk: Buffer) => {
    if (inBody) {
      response.write(chunk)
      return
    }
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    inBody = true
    writeCgiHead(head.subarray(0, end).toString('latin1'), response)
    response.write(head.subarray(end + 4))
  })
}

function writeCgiHead(head: string, response: ServerResponse): void {
  let status = 200
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
    else response.setHeader(name, value)
  }
  response.writeHead(status)
}
