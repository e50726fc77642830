import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FaultRegistry } from '../../fault.ts'
import { type GitService, isGitService, runGitService, sendAdvertisement } from '../../git-service.ts'
import type { InkFaultName } from '../faults.ts'
import type { Journal } from '../journal.ts'
import type { GitCommand } from './command.ts'
import type { Repositories, Repository } from './repositories.ts'

/** A branch that a push has created or moved. */
export interface BranchMove {
  readonly repository: Repository
  readonly branch: string
  readonly commit: string
}

export interface GitServerDependencies {
  readonly repositories: Repositories
  readonly git: GitCommand
  readonly faults: FaultRegistry<InkFaultName>
  readonly journal: Journal
  readonly onBranchMoved: (move: BranchMove) => void
}

const GIT_SERVICES = /^\/(.+)\.git\/(info\/refs|git-upload-pack|git-receive-pack)$/

/** Answers git's smart HTTP requests: Basic authentication with a token per repository, protocol v0. */
export function createGitHandler(dependencies: GitServerDependencies) {
  const { repositories, faults, journal } = dependencies
  const pushes = new Map<string, Promise<void>>()

  /** Pushes to one repository run one after the other, so that what a push moved can be told from before and after. */
  async function afterOtherPushes(repository: Repository, push: () => Promise<void>): Promise<void> {
    const previous = pushes.get(repository.fullName) ?? Promise.resolve()
    const current = previous.then(push, push)
    pushes.set(repository.fullName, current)
    return current
  }

  async function receivePush(exchange: Exchange): Promise<void> {
    const { repository } = exchange
    const before = await repositories.branches(repository)
    await serve(exchange, async () => {
      const after = await repositories.branches(repository)
      const moved = [...after].filter(([branch, commit]) => before.get(branch) !== commit)
      const deleted = [...before.keys()].filter((branch) => !after.has(branch))
      journal.add({
        kind: 'git',
        name: 'git-receive-pack',
        ok: true,
        detail: { repo: repository.fullName, moved: Object.fromEntries(moved), deleted },
      })
      for (const [branch, commit] of moved) dependencies.onBranchMoved({ repository, branch, commit })
    })
  }

  async function serve(exchange: Exchange, beforeEnd: () => Promise<void>): Promise<void> {
    // Before a large push git probes its credentials with a body of four bytes; that is not the push yet.
    const isPush = exchange.service === 'git-receive-pack' && exchange.request.headers['content-length'] !== '4'
    const cut = isPush && exchange.isPost ? faults.strike('git.cut') : undefined
    await runGitService({
      request: exchange.request,
      response: exchange.response,
      service: exchange.action,
      directory: exchange.repository.path,
      // Without GIT_PROTOCOL: the platform's git host knows the first version alone.
      env: dependencies.git.env,
      unpacksBody: false,
      async beforeEnd() {
        await beforeEnd()
        if (cut?.options.when === 'after') breakOff(exchange.request)
      },
      cut:
        cut === undefined || cut.options.when === 'after'
          ? undefined
          : { afterBytes: Number(cut.options.afterBytes ?? 0), onCut: () => breakOff(exchange.request) },
    })
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://git.invalid')
    const service = url.searchParams.get('service') ?? url.pathname.split('/').at(-1) ?? ''
    const refuse = (status: number, text: string, headers: Record<string, string> = {}) => {
      journal.add({ kind: 'git', name: service, ok: false, detail: { status, text } })
      // Git keeps sending a body that nobody reads; an answer without reading it would look like a broken connection.
      request.resume()
      response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${text}\n`)
    }

    const slow = faults.strike('git.slow')
    if (slow !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(slow.options.delayMs ?? 2_000)))
    const broken = faults.strike('git.http', (options) => options.service === undefined || options.service === service)
    if (broken !== undefined)
      return refuse(Number(broken.options.status ?? 503), String(broken.options.body ?? 'error'))

    const token = basicPassword(request.headers.authorization)
    const challenge = { 'www-authenticate': 'Basic realm="Git"' }
    if (token === undefined) return refuse(401, 'authentication required', challenge)
    if (faults.strike('git.unauthorized')) return refuse(401, 'authentication required', challenge)
    const granted = repositories.byToken(token)
    if (granted === undefined) return refuse(401, 'authentication required', challenge)

    const [, name, action] = GIT_SERVICES.exec(decodeURIComponent(url.pathname)) ?? []
    if (name === undefined || action === undefined) return refuse(404, 'not found')
    if (name !== granted.fullName || faults.strike('git.forbidden')) {
      return refuse(403, 'token not authorized for this repository')
    }
    if (!isGitService(service)) return refuse(400, 'invalid service')
    // Before its first push a repository exists in name only: whoever asks what it holds makes git fail.
    if (service === 'git-receive-pack') await repositories.prepare(granted)
    else if (!repositories.isPrepared(granted)) return refuse(500, 'git command failed')

    const isPost = request.method === 'POST'
    const exchange: Exchange = { request, response, action, service, isPost, repository: granted }
    if (isPost && service === 'git-receive-pack') return afterOtherPushes(granted, () => receivePush(exchange))
    journal.add({
      kind: 'git',
      name: isPost ? service : `${service} refs`,
      ok: true,
      detail: { repo: granted.fullName },
    })
    if (isPost || action !== 'info/refs') return serve(exchange, async () => {})
    sendAdvertisement(response, service, await repositories.advertisement(granted, service))
  }
  return handle
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly action: string
  readonly service: GitService
  readonly isPost: boolean
  readonly repository: Repository
}

function basicPassword(header: string | undefined): string | undefined {
  const encoded = /^Basic (.+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const credentials = Buffer.from(encoded, 'base64').toString()
  const colon = credentials.indexOf(':')
  return colon < 0 ? undefined : credentials.slice(colon + 1)
}

/** Cuts the connection in mid-answer: without the beginning of one, git's HTTP library would quietly send the push again. */
function breakOff({ socket }: IncomingMessage): void {
  socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/x-git-receive-pack-result\r\n\r\n', () => socket.destroy())
}
