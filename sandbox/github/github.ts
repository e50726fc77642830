import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createFaultRegistry, type FaultOptions } from '../fault.ts'
import { newToken, normalizePermissions } from './access.ts'
import { createApi, type JournalEntry, type Violation } from './api.ts'
import { GITHUB_FAULTS, type GitHubFault } from './faults.ts'
import { handleGit } from './git-server.ts'
import { Repository } from './repository.ts'
import { answerGraphql } from './rest/graphql.ts'
import { forkBare, initBare } from './state/git.ts'
import type { AccessLevel, ForgeProfile, Token, TokenKind } from './state/model.ts'
import { closeReaders } from './state/object-reader.ts'
import { createWorld, type RepositoryOptions, type World } from './state/state.ts'

export type { JournalEntry, Violation } from './api.ts'
export type { GitHubFault } from './faults.ts'
export type { EventKind, EventOptions, WebhookEvent } from './render/event.ts'
export type { Repository } from './repository.ts'
export type * from './state/model.ts'
export type { RepositoryOptions } from './state/state.ts'

export interface GitHubOptions {
  /** Default: any free one. */
  readonly port?: number
  readonly now?: () => Date
  /** Which forge to be. Default: GitHub. */
  readonly profile?: ForgeProfile
  /** How many requests that change something one token may send in a minute. Default: 80, as on GitHub. */
  readonly writesPerMinute?: number
  /** Answers what is neither API nor git: the pages that people see. Default: 404 for all of it. */
  readonly pages?: (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>
}

export interface TokenOptions {
  /** The repository it is for (`owner/name`, or the repository itself). A user's token is not bound to it. */
  readonly repository: string | { readonly fullName: string }
  /** As in a workflow's `permissions:`; what is not named is not allowed. */
  readonly permissions: Readonly<Record<string, AccessLevel>>
  /** Default: `github-actions[bot]`, for `kind: 'user'` the repository's owner. */
  readonly actor?: string
  readonly kind?: TokenKind
}

/** A GitHub of one's own, for repositories, pull requests, comments, deployment records and git over HTTP. */
export interface GitHub extends AsyncDisposable {
  readonly profile: ForgeProfile
  readonly serverUrl: string
  /** `serverUrl` + `/api/v3`, as on GitHub Enterprise Server; `/api/v1` on a Gitea. */
  readonly apiUrl: string
  createRepository(options: RepositoryOptions): Promise<Repository>
  repository(fullName: string): Repository
  repositories(): readonly Repository[]
  /** Makes a token at run time. */
  token(options: TokenOptions): string
  /** Ends a token's validity, as GitHub does at the end of a job. */
  revokeToken(value: string): void
  /** Arms a fault; see {@link GITHUB_FAULTS}. */
  fault(name: GitHubFault, options?: FaultOptions): void
  clearFaults(): void
  /** Every request so far with its answer's status; 0 where the connection was cut. */
  readonly journal: readonly JournalEntry[]
  /** Requests and answers that GitHub's own description of its API does not allow. A good test leaves none. */
  readonly violations: readonly Violation[]
  /** Ends the server and deletes the repositories. */
  stop(): Promise<void>
}

/** Starts the stand-in on loopback. Nothing is read or compiled until the first API request. */
export async function startGitHub(options: GitHubOptions = {}): Promise<GitHub> {
  const { profile = 'github' } = options
  const stopping = new AbortController()
  const faults = createFaultRegistry<GitHubFault>(GITHUB_FAULTS)
  const journal: JournalEntry[] = []
  const server = createServer()
  const serverUrl = await listen(server, options.port ?? 0)
  // After the port, which may be taken: no folder is then left behind.
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-github-'))
  const world = createWorld<Repository>({
    directory,
    serverUrl,
    apiUrl: `${serverUrl}/api/${profile === 'gitea' ? 'v1' : 'v3'}`,
    profile,
    writesPerMinute: options.writesPerMinute ?? 80,
    now: options.now ?? (() => new Date()),
  })
  const api = createApi(world, faults, journal, stopping.signal)
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? '/', serverUrl)
    void route(request, response, url).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(error instanceof Error ? error.message : String(error))
    })
  })

  async function route(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    if (url.pathname === '/api/graphql' && profile !== 'gitea') await answerGraphql(world, journal, request, response)
    else if (url.pathname.startsWith('/api/')) await api.handle(request, response, url)
    else if (await handleGit(world, faults, journal, request, response, url)) return
    else if (options.pages) await options.pages(request, response, url)
    else response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found\n')
  }

  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= shutDown(server, stopping, world)
    return stopped
  }

  return {
    profile,
    serverUrl,
    apiUrl: world.apiUrl,
    createRepository: (repositoryOptions) => createRepository(world, repositoryOptions),
    repository(fullName) {
      const repository = world.repositories.get(fullName.toLowerCase())
      if (!repository) throw new Error(`There is no repository ${fullName}.`)
      return repository
    },
    repositories: () => [...world.repositories.values()],
    token: (tokenOptions) => createToken(world, tokenOptions),
    revokeToken: (value) => void world.tokens.delete(value),
    fault: (name, faultOptions) => faults.set(name, faultOptions),
    clearFaults: () => faults.clear(),
    journal,
    violations: api.violations,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

async function createRepository(world: World<Repository>, options: RepositoryOptions): Promise<Repository> {
  const repository = new Repository(world, options)
  if (world.repositories.has(repository.fullName.toLowerCase())) {
    throw new Error(`There is a repository ${repository.fullName} already.`)
  }
  await mkdir(dirname(repository.gitDir), { recursive: true })
  if (options.fork) await forkBare(options.fork.gitDir, repository.gitDir)
  else await initBare(repository.gitDir, repository.defaultBranch)
  world.repositories.set(repository.fullName.toLowerCase(), repository)
  return repository
}

function createToken(world: World<Repository>, options: TokenOptions): string {
  const kind = options.kind ?? 'actions'
  const fullName = typeof options.repository === 'string' ? options.repository : options.repository.fullName
  const owner = fullName.split('/')[0] ?? ''
  const token: Token = {
    value: newToken(kind, world.profile),
    kind,
    repository: fullName,
    actor: world.user(options.actor ?? (kind === 'user' ? owner : world.actionsBot.login)),
    permissions: normalizePermissions(options.permissions),
  }
  world.tokens.set(token.value, token)
  return token.value
}

function listen(server: Server, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`))
  })
}

async function shutDown(server: Server, stopping: AbortController, world: World<Repository>): Promise<void> {
  stopping.abort()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
  // A push may have been cut off; what it set going must not write into a folder that is being deleted.
  await world.inTurn(async () => {
    await closeReaders(world.directory)
    await rm(world.directory, { recursive: true, force: true, maxRetries: 5 })
  })
}
