import { spawn } from 'node:child_process'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable, Writable } from 'node:stream'
import { createGunzip } from 'node:zlib'

/** What git does for whoever talks to a repository over HTTP: give, or take. */
export type GitService = (typeof SERVICES)[number]

const SERVICES = ['git-upload-pack', 'git-receive-pack'] as const

export function isGitService(name: string): name is GitService {
  return SERVICES.some((service) => service === name)
}

const NOT_KEPT = {
  expires: 'Fri, 01 Jan 1980 00:00:00 GMT',
  pragma: 'no-cache',
  'cache-control': 'no-cache, max-age=0, must-revalidate',
}

/** What makes git write the references of the repository it is started in, and what it can do. */
export function advertising(service: GitService): readonly string[] {
  return [service.slice('git-'.length), '--stateless-rpc', '--advertise-refs', '.']
}

/**
 * The beginning of a conversation, as `git http-backend` answers it (gitprotocol-http(5), smart server response).
 *
 * @param references - what git has written when it was {@link advertising}
 */
export function sendAdvertisement(response: ServerResponse, service: GitService, references: Buffer): void {
  response.writeHead(200, { ...NOT_KEPT, 'content-type': `application/x-${service}-advertisement` })
  // Version 2 of the protocol begins with its number (gitprotocol-v2(5)), the others with the name of the service.
  if (references.toString('latin1', 4, 13) === 'version 2') return void response.end(references)
  const announced = `# service=${service}\n`
  const length = (announced.length + 4).toString(16).padStart(4, '0')
  response.end(Buffer.concat([Buffer.from(`${length}${announced}0000`), references]))
}

/**
 * Runs git for one request and streams its answer, as `git http-backend` would, which starts three processes for it.
 *
 * @param beforeEnd - awaited after git has ended and before the client learns so
 */
export function runGitService(options: {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** What the address ends in. */
  readonly service: string
  /** The bare repository. */
  readonly directory: string
  readonly env: Readonly<Record<string, string>>
  /** Whether a body compressed with gzip is understood; to a host that does not, it is the bytes it is. */
  readonly unpacksBody: boolean
  readonly beforeEnd: () => Promise<void>
  /** Lets git see no more than so many bytes of the body, then kills it and calls `onCut`. */
  readonly cut?: { readonly afterBytes: number; readonly onCut: () => void } | undefined
}): Promise<void> {
  const { request, response, service } = options
  if (request.method !== 'POST' || !isGitService(service)) return refuse(request, response, 405, 'Method Not Allowed')
  if (request.headers['content-type'] !== `application/x-${service}-request`)
    return refuse(request, response, 415, 'Unsupported Media Type')
  const child = spawn('git', [service.slice('git-'.length), '--stateless-rpc', '.'], {
    cwd: options.directory,
    env: options.env,
    stdio: ['pipe', 'pipe', 'ignore'],
    // Git starts further processes; in a group of their own they can be ended together.
    detached: true,
  })
  const kill = () => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  const body = bodyOf(request, options.unpacksBody)
  // A body that cannot be unpacked is like one that broke off.
  body.on('error', kill)
  child.stdin.on('error', () => body.unpipe(child.stdin))
  if (options.cut === undefined) body.pipe(child.stdin)
  else passUntilCut(body, child.stdin, options.cut.afterBytes, [kill, options.cut.onCut])
  request.once('close', () => {
    // An upload that broke off must not look to git like one that has ended.
    if (!request.complete) kill()
  })
  response.writeHead(200, { ...NOT_KEPT, 'content-type': `application/x-${service}-result` })
  child.stdout.on('data', (chunk: Buffer) => response.write(chunk))

  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      options.beforeEnd().then(() => {
        if (code === null) response.destroy()
        else response.end()
        resolve()
      }, reject)
    })
  })
}

async function refuse(request: IncomingMessage, response: ServerResponse, status: number, text: string): Promise<void> {
  request.resume()
  response.writeHead(status, { ...NOT_KEPT, 'content-type': 'text/plain' }).end(`${text}\n`)
}

function bodyOf(request: IncomingMessage, unpacks: boolean): Readable {
  const packed = unpacks && /^(?:x-)?gzip$/.test(request.headers['content-encoding'] ?? '')
  return packed ? request.pipe(createGunzip()) : request
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
