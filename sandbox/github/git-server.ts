import type { IncomingMessage, ServerResponse } from 'node:http'
import { advertising, type GitService, isGitService, runGitService, sendAdvertisement } from '../git-service.ts'
import { credentialsOf, grants } from './access.ts'
import type { JournalEntry } from './api.ts'
import type { GitHubFaults } from './faults.ts'
import type { Repository } from './repository.ts'
import { isolatedGitEnvironment, succeeded, tryGit } from './state/git.ts'
import type { Token } from './state/model.ts'
import { afterPush } from './state/pull-requests.ts'
import { findMovedRepository, findRepository, type World } from './state/state.ts'

/** Serves git over HTTP with GitHub's rules: what is public may be read by all, everything else needs a token for it. */
export async function handleGit(
  world: World<Repository>,
  faults: GitHubFaults,
  journal: JournalEntry[],
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<boolean> {
  const target = gitService(url)
  if (!target) return false
  const token = world.tokens.get(credentialsOf(request.headers.authorization) ?? '')
  response.on('close', () =>
    journal.push({
      method: request.method ?? 'GET',
      path: url.pathname + url.search,
      status: response.headersSent ? response.statusCode : 0,
      operation: 'git',
      actor: token?.actor.login,
    }),
  )
  const meant = (options: { readonly [detail: string]: unknown }) =>
    options.service === undefined || options.service === target.service
  if (faults.strike('github.git-reset', meant)) {
    request.socket.destroy()
    return true
  }
  const fault = faults.strike('github.git', meant)
  if (fault) {
    refuse(request, response, Number(fault.options.status ?? 500), 'Internal Server Error')
    return true
  }
  const repository = findRepository(world, target.repositoryPath)
  const elsewhere = repository ? undefined : findMovedRepository(world, target.repositoryPath)
  if (elsewhere && readable(elsewhere, token)) {
    const rest = url.pathname.split('/').slice(3).join('/')
    response.writeHead(301, { location: `${elsewhere.cloneUrl}/${rest}${url.search}` }).end()
    return true
  }
  const refusal = refusalFor(repository, target.service, token, request.headers.authorization !== undefined)
  if (!repository || refusal) {
    refuse(request, response, refusal?.status ?? 404, refusal?.message ?? 'Repository not found.')
    return true
  }
  const protocol = request.headers['git-protocol']
  const env: Record<string, string> = typeof protocol === 'string' ? { GIT_PROTOCOL: protocol } : {}
  if (target.advertises !== undefined && request.method === 'GET') {
    sendAdvertisement(response, target.advertises, await advertisementOf(repository, target.advertises, env))
    return true
  }
  const pushing = target.service === 'write' && request.method === 'POST'
  await runGitService({
    request,
    response,
    service: target.action,
    directory: repository.gitDir,
    env: isolatedGitEnvironment(env),
    unpacksBody: true,
    // Whatever a push brings about has happened when the push is over.
    beforeEnd: async () => {
      if (pushing) await afterPush(world, repository)
    },
  })
  return true
}

/** What git said at the beginning of version 2 of the protocol; see {@link advertisementOf}. */
let saidInVersion2: Promise<Buffer> | undefined

/** In version 2 git names no references yet (gitprotocol-v2(5)): what it says depends on settings, which all repositories share. */
function advertisementOf(
  repository: Repository,
  service: GitService,
  env: Readonly<Record<string, string>>,
): Promise<Buffer> {
  const ask = async () => succeeded(await tryGit(repository.gitDir, advertising(service), { env })).stdout
  if (service !== 'git-upload-pack' || env.GIT_PROTOCOL !== 'version=2') return ask()
  saidInVersion2 ??= ask().catch((error: unknown) => {
    saidInVersion2 = undefined
    throw error
  })
  return saidInVersion2
}

function refusalFor(
  repository: Repository | undefined,
  service: 'read' | 'write',
  token: Token | undefined,
  authenticated: boolean,
): { readonly status: number; readonly message: string } | undefined {
  if (authenticated && !token) return { status: 401, message: 'Invalid username or token.' }
  if (!repository) return authenticated ? { status: 404, message: 'Repository not found.' } : challenge()
  const mine = token !== undefined && (token.kind === 'user' || token.repository === repository.fullName)
  if (!readable(repository, token)) return token ? { status: 404, message: 'Repository not found.' } : challenge()
  if (service === 'read') return undefined
  if (!token) return challenge()
  if (mine && grants(token.permissions, 'contents=write')) return undefined
  return { status: 403, message: `Permission to ${repository.fullName}.git denied to ${token.actor.login}.` }
}

function readable(repository: Repository, token: Token | undefined): boolean {
  if (!repository.private) return true
  const mine = token !== undefined && (token.kind === 'user' || token.repository === repository.fullName)
  return mine && grants(token.permissions, 'contents=read')
}

function challenge() {
  return { status: 401, message: 'No anonymous write access.' }
}

function refuse(request: IncomingMessage, response: ServerResponse, status: number, message: string): void {
  request.resume()
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 401 ? { 'www-authenticate': 'Basic realm="GitHub"' } : {}),
  })
  response.end(`${message}\n`)
}

interface Target {
  readonly repositoryPath: string
  readonly service: 'read' | 'write'
  /** What the address ends in. */
  readonly action: string
  /** The service whose references are asked for. */
  readonly advertises: GitService | undefined
}

/** Which half of a git conversation a request belongs to, or `undefined` for any other. */
function gitService(url: URL): Target | undefined {
  const [, repositoryPath, action] =
    /^\/([^/]+\/[^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(url.pathname) ?? []
  if (repositoryPath === undefined || action === undefined) return undefined
  const name = (action === 'info/refs' ? url.searchParams.get('service') : action) ?? ''
  const advertises = action === 'info/refs' && isGitService(name) ? name : undefined
  return { repositoryPath, service: name === 'git-receive-pack' ? 'write' : 'read', action, advertises }
}
