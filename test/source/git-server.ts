import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { layOutRepository } from '../../sandbox/empty-repository.ts'
import { isolated } from './scratch.ts'

/** Started by itself, as `git http-backend` would start it in a process more. */
const backend = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-http-backend')

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly authorization: readonly string[]
  readonly encoding: string | undefined
  readonly protocol: string | undefined
  /** Bytes of the body, as far as they came. */
  bytes: number
}

/** What the server does with the next request, instead of serving it. */
export type Misbehaviour = number | 'hang' | 'reset'

export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  readonly address: string
  readonly root: string
  readonly requests: SeenRequest[]
  /** Bytes of all answers' bodies. */
  bytesSent: number
  /** Taken by the next requests, one each. */
  readonly misbehaviours: Misbehaviour[]
  /** Every request whose URL matches hangs. */
  hangOn: RegExp | undefined
  /** Every request whose URL matches is answered with HTTP 500. */
  failOn: RegExp | undefined
  /** Makes a plain bare repository, `owner/name.git`. Answers its folder. */
  repository(name: string): Promise<string>
  /** Address without and with credentials. */
  url(name: string): string
  urlWithToken(name: string): string
}

export interface GitServerOptions {
  readonly user: string
  readonly token: string
}

/** git's own HTTP backend behind Basic authentication, which keeps a record of what was sent to it. */
export async function startGitServer(options: GitServerOptions): Promise<GitServer> {
  const root = await mkdtemp(join(tmpdir(), 'git-server-'))
  const server = createServer((request, response) => {
    const seen = record(request)
    gitServer.requests.push(seen)
    request.on('data', (chunk: Buffer) => {
      seen.bytes += chunk.length
    })
    const misbehaviour = gitServer.misbehaviours.shift()
    if (misbehaviour === 'hang' || gitServer.hangOn?.test(seen.url)) return
    if (misbehaviour === 'reset') request.socket.destroy()
    else if (gitServer.failOn?.test(seen.url)) refuse(response, 500)
    else if (misbehaviour !== undefined) refuse(response, misbehaviour)
    else if (!allowed(seen, options)) refuse(response, 401)
    else
      serve(root, request, response, (bytes) => {
        gitServer.bytesSent += bytes
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gitServer: GitServer = {
    address,
    root,
    requests: [],
    bytesSent: 0,
    misbehaviours: [],
    hangOn: undefined,
    failOn: undefined,
    url: (name) => `${address}/${name}.git`,
    urlWithToken: (name) => `${address.replace('//', `//${options.user}:${options.token}@`)}/${name}.git`,
    repository: async (name) => {
      const directory = join(root, `${name}.git`)
      // Off by default, as GitHub has it on and hosts differ; a filter is only asked of the origin.
      const settings = '[uploadpack]\n\tallowFilter = true\n\tallowAnySHA1InWant = true\n'
      await layOutRepository(directory, { branch: 'main', bare: true, settings })
      return directory
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(root, { recursive: true, force: true, maxRetries: 3 })
    },
  }
  return gitServer
}

function record(request: IncomingMessage): SeenRequest {
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    authorization: request.headersDistinct.authorization ?? [],
    encoding: request.headers['content-encoding'],
    protocol: request.headersDistinct['git-protocol']?.[0],
    bytes: 0,
  }
}

function allowed(seen: SeenRequest, { user, token }: GitServerOptions): boolean {
  const expected = `basic ${Buffer.from(`${user}:${token}`).toString('base64')}`
  return seen.authorization.length === 1 && seen.authorization[0]?.replace(/^Basic/, 'basic') === expected
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, status === 401 ? { 'WWW-Authenticate': 'Basic realm="git"' } : {}).end('refused')
}

function serve(root: string, request: IncomingMessage, response: ServerResponse, count: (bytes: number) => void): void {
  const url = new URL(request.url ?? '', 'http://localhost')
  const child = spawn(backend, [], {
    env: {
      ...isolated,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      REMOTE_USER: 'tester',
      REMOTE_ADDR: '127.0.0.1',
      REQUEST_METHOD: request.method ?? '',
      PATH_INFO: decodeURIComponent(url.pathname),
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      ...(request.headers['content-length'] && { CONTENT_LENGTH: request.headers['content-length'] }),
      ...(request.headers['content-encoding'] && { HTTP_CONTENT_ENCODING: request.headers['content-encoding'] }),
      ...(request.headersDistinct['git-protocol']?.[0] && { GIT_PROTOCOL: request.headersDistinct['git-protocol'][0] }),
    },
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => undefined)
  response.on('close', () => child.kill())
  let head = Buffer.alloc(0)
  const readHead = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk])
    const end = head.indexOf('\r\n\r\n')
    if (end < 0) return
    child.stdout.off('data', readHead)
    child.stdout.pause()
    let status = 200
    for (const line of head.toString('latin1', 0, end).split('\r\n')) {
      const [name = '', value = ''] = line.split(/:\s*/, 2)
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10)
      else response.setHeader(name, value)
    }
    response.writeHead(status)
    response.write(head.subarray(end + 4))
    child.stdout.on('data', (more: Buffer) => count(more.length)).pipe(response)
  }
  child.stdout.on('data', readHead)
}
