import { join } from 'node:path'
import { systemClock, withinTime } from './core/async.ts'
import { type Fetch, proxiedFetch } from './core/http.ts'
import { type AsyncMethods, late, shared } from './core/late.ts'
import type { Deps } from './flows/run.ts'
import type { GitHub, GitHubOptions } from './github/github.ts'
import type { Platform } from './ink/platform.ts'
import type { Session } from './ink/session.ts'
import { isFromFork } from './plan/event.ts'
import type { LoadedRun } from './runner/load-run.ts'
import type { Source } from './source/source.ts'
import type { SourceOptions } from './source/workspace.ts'

/** What only the edge to the runner can give. */
export type Edge = Omit<LoadedRun, 'remarks' | 'problem'> &
  Pick<Deps, 'remarks' | 'problem' | 'remember' | 'workflowFiles' | 'signal' | 'startedAt'>

/**
 * Joins the rooms: builds the adapters for platform, source and GitHub. Nothing is connected or called yet, and the code of
 * each is loaded by whoever needs it first: a run that is skipped needs none.
 */
export function buildDeps(edge: Edge): Deps {
  const { context, event, settings, log } = edge
  const { repository } = context
  const clock = systemClock
  const random = Math.random
  const fetch = proxiedFetch(edge.environment)
  const named = lateFetch(async () =>
    (await import('./core/addresses.ts')).fetchNamedBy(settings.endpoint, edge.environment),
  )
  const token = settings.githubToken?.reveal()
  const loadSession = () => import('./ink/session.ts')
  const session = shared(
    async (givenUp) => {
      const options = {
        endpoint: settings.endpoint,
        apiKey: settings.apiKey?.reveal() ?? '',
        fetch,
        clock,
        deadlineAt: clock.now() + settings.timeoutMs,
        random,
        debug: log.debug,
        warning: log.warning,
      }
      return (await loadSession()).openSession(options, AbortSignal.any([edge.signal, givenUp]))
    },
    (opened) => opened.close(),
  )
  return {
    ...edge,
    clock,
    random,
    seedDatabase: async (...args) => (await import('./ink/seed-database.ts')).createSeeder(fetch)(...args),
    http: async (...args) => (await import('./watch/requests.ts')).createHttpRequest(named)(...args),
    mcp: async (...args) => (await import('./watch/requests.ts')).createMcpProbe(named)(...args),
    github: lateGitHub({
      token,
      apiUrl: repository.apiUrl,
      owner: repository.owner,
      repo: repository.name,
      log,
      clock,
      random,
      signal: edge.signal,
      readOnlyBecause: readOnlyBecause(edge),
      commenter: event.kind === 'comment' ? { login: event.author, mayWrite: event.authorMayWrite } : undefined,
      fetch,
    }),
    connect: async () => {
      const held = session()
      await loadSession()
      // What was loaded for it has asked by the time that other events are looked at.
      await new Promise(setImmediate)
      return held
    },
    openPlatform: async ({ project, workspace }, signal) => {
      signal.throwIfAborted()
      const held = session()
      // Counted from here: whoever comes late to the connection has time to ask again as well.
      const deadlineAt = clock.now() + settings.timeoutMs
      try {
        const ready = Promise.all([held.value, import('./ink/platform.ts')])
        const [opened, { openPlatform }] = await withinTime(clock, Number.POSITIVE_INFINITY, signal, () => ready)
        const call: Session['call'] = (tool, args, how) => opened.call(tool, args, { deadlineAt, ...how })
        const platform = openPlatform({ ...opened, call }, { project, workspace }, log.warning)
        const { maskVariables } = edge
        return maskingVariables({ ...platform, [Symbol.asyncDispose]: held[Symbol.asyncDispose] }, maskVariables)
      } catch (error) {
        await held[Symbol.asyncDispose]()
        throw error
      }
    },
    openSource: ({ ignoreWorkspace = false, deadlineAt } = {}) =>
      lateSource({
        workspace: ignoreWorkspace ? join(context.tempDir, 'no-checkout') : context.workspace,
        tempDir: context.tempDir,
        environment: edge.environment,
        origin: { url: `${repository.serverUrl}/${repository.fullName}`, token },
        repository: repository.fullName,
        log,
        killGroup: (leader) => process.kill(-leader, 'SIGKILL'),
        clock,
        deadlineAt,
      }),
  }
}

function lateFetch(open: () => Promise<Fetch>): Fetch {
  return late(async () => ({ fetch: await open() }), 'fetch').fetch
}

function lateSource(options: SourceOptions): Source {
  let opened: Promise<Source> | undefined
  const open = () => {
    opened ??= import('./source/source.ts').then(({ openSource }) => openSource(options))
    return opened
  }
  return {
    ...late(open, 'snapshot', 'files', 'read', 'readCommitted', 'committedPaths', 'push'),
    ...late(open, 'branches', 'oldBranches', 'newestFirst', 'mark', 'deleteBranches'),
    // What was never opened has left nothing behind.
    [Symbol.asyncDispose]: async () => (await opened)?.[Symbol.asyncDispose](),
  }
}

function lateGitHub(options: GitHubOptions): GitHub {
  let opened: Promise<GitHub> | undefined
  let seen: GitHub | undefined
  const open = async () => {
    opened ??= import('./github/github.ts').then(({ openGitHub }) => openGitHub(options))
    seen = await opened
    return seen
  }
  const room = <R extends keyof GitHub, N extends AsyncMethods<GitHub[R]> & keyof GitHub[R]>(
    name: R,
    ...methods: readonly N[]
  ) => late<GitHub[R], N>(async () => (await open())[name], ...methods)
  return {
    ...late(open, 'can'),
    branches: room('branches', 'tip', 'isGone'),
    files: room('files', 'read'),
    comments: room('comments', 'upsert', 'add'),
    records: room(
      'records',
      ...(['jobHasEnvironment', 'open', 'setStatus', 'retireOlder', 'outcomeOf'] as const),
      ...(['unfinished', 'tasksIn', 'remove'] as const),
    ),
    pullRequests: {
      ...room('pullRequests', 'get', 'list', 'changedFiles', 'changedBetween', 'timeline'),
      mayRead: () => seen?.pullRequests.mayRead() ?? true,
    },
    people: room('people', 'mayWrite', 'react'),
    issues: room('issues', 'find', 'upsert', 'close'),
  }
}

/** What a service was given elsewhere is as secret as our own, and its log may show it: masked the moment it is read. */
function maskingVariables(platform: Platform, mask: Edge['maskVariables']): Platform {
  return {
    ...platform,
    service: async (...args) => {
      const service = await platform.service(...args)
      if (service?.env) mask(service.env)
      return service
    },
  }
}

// GitHub gives workflows of forks a token that can only read, whatever `permissions:` says.
function readOnlyBecause({ context, event }: Edge): string | undefined {
  const fork =
    event.kind === 'pull-request' && !event.withSecretsForForks && isFromFork(event.pullRequest, context.repository)
  return fork ? 'workflows of pull requests from forks get a token that can only read' : undefined
}
