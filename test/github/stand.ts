import {
  type GitHub,
  type PullRequest,
  type Repository,
  startGitHub,
  type TokenOptions,
} from '../../sandbox/github/github.ts'
import { type GitHub as Adapter, type GitHubOptions, openGitHub as openAdapter } from '../../src/github/github.ts'

/** All that a deployment asks for. */
export const ALL_PERMISSIONS = {
  contents: 'read',
  'pull-requests': 'write',
  deployments: 'write',
  issues: 'write',
} as const

/** A repository with a pull request on a GitHub of its own, and ways of opening the adapters on it. */
export interface Stand extends AsyncDisposable {
  readonly server: GitHub
  readonly repository: Repository
  readonly pull: PullRequest
  /** Adapters with a token of their own, as a job has; pauses take no time and are counted. */
  open(options?: OpenOptions): Opened
  /** `POST issues/create-comment`-like lines of what has reached the server since the last call. */
  calls(): string[]
}

export interface OpenOptions extends Partial<GitHubOptions> {
  readonly permissions?: TokenOptions['permissions']
  readonly kind?: TokenOptions['kind']
  readonly actor?: string
  /** Pauses really pause, for jobs that race. */
  readonly realTime?: boolean
}

export interface Opened {
  readonly github: Adapter
  readonly warnings: string[]
  readonly infos: string[]
  readonly pausesMs: number[]
}

/** Starts the stand. Disposing it checks nothing: see that `server.violations` is empty where calls are made. */
export async function openStand(options: Parameters<typeof startGitHub>[0] = {}): Promise<Stand> {
  const server = await startGitHub(options)
  const repository = await server.createRepository({ owner: 'acme', name: 'shop' })
  const parent = await repository.pushTo('main', { 'index.html': 'one' })
  await repository.commit({ branch: 'feature', parent, message: 'Change the page', files: { 'index.html': 'two' } })
  const pull = await repository.openPullRequest({ head: 'feature', title: 'Change the page' })
  let seen = 0
  return {
    server,
    repository,
    pull,
    open: (options = {}) => open(server, repository, options),
    calls() {
      const fresh = server.journal.slice(seen)
      seen = server.journal.length
      return fresh.map(
        (entry) => `${entry.method} ${entry.path.replace(/^.*\/repos\/acme\/shop/, '').replace(/\?.*$/, '')}`,
      )
    },
    [Symbol.asyncDispose]: () => server.stop(),
  }
}

function open(server: GitHub, repository: Repository, options: OpenOptions): Opened {
  const { permissions = ALL_PERMISSIONS, kind, actor, realTime = false, ...rest } = options
  const who = { ...(kind === undefined ? {} : { kind }), ...(actor === undefined ? {} : { actor }) }
  const warnings: string[] = []
  const infos: string[] = []
  const pausesMs: number[] = []
  let skippedMs = 0
  const github = openAdapter({
    token: server.token({ repository, permissions, ...who }),
    apiUrl: server.apiUrl,
    owner: 'acme',
    repo: 'shop',
    log: {
      warning: (message) => void warnings.push(message),
      info: (message) => void infos.push(message),
      debug: () => undefined,
    },
    clock: {
      now: () => Date.now() + skippedMs,
      sleep: (ms) => {
        pausesMs.push(ms)
        if (realTime) return new Promise((resolve) => setTimeout(resolve, ms))
        skippedMs += ms
        return Promise.resolve()
      },
    },
    random: Math.random,
    signal: new AbortController().signal,
    ...rest,
  })
  return { github, warnings, infos, pausesMs }
}
