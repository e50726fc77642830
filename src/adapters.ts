import { join } from 'node:path'
import { fetchNamedBy } from './core/addresses.ts'
import { systemClock } from './core/clock.ts'
import { proxiedFetch } from './core/http.ts'
import type { Deps } from './flows/run.ts'
import { openGitHub } from './github/github.ts'
import { openPlatform, type Platform } from './ink/platform.ts'
import { createSeeder } from './ink/seed-database.ts'
import { isFromFork, type RunContext, type RunEvent } from './plan/event.ts'
import type { Settings } from './plan/settings.ts'
import { openSource } from './source/source.ts'
import { createHttpRequest, createMcpProbe } from './watch/requests.ts'

/** What only the edge to the runner can give. */
export interface Edge {
  readonly context: RunContext
  readonly event: RunEvent
  readonly settings: Settings
  readonly settingsWith: Deps['settingsWith']
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly log: Deps['log']
  readonly output: Deps['output']
  readonly mask: Deps['mask']
  readonly maskVariables: Deps['maskVariables']
  readonly secrets: Deps['secrets']
  readonly redact: Deps['redact']
  readonly remember: Deps['remember']
  readonly signal: AbortSignal
}

/** Joins the rooms: builds the adapters for platform, source and GitHub. Nothing is connected or called yet. */
export function buildDeps(edge: Edge): Deps {
  const { context, event, settings, log } = edge
  const { repository } = context
  const clock = systemClock
  const random = Math.random
  const fetch = proxiedFetch(edge.environment)
  const named = fetchNamedBy(settings.endpoint, edge.environment)
  const token = settings.githubToken?.reveal()
  return {
    ...edge,
    clock,
    random,
    seedDatabase: createSeeder(fetch),
    http: createHttpRequest(named),
    mcp: createMcpProbe(named),
    github: openGitHub({
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
    openPlatform: async (place, signal) => {
      const platform = await openPlatform(
        {
          endpoint: settings.endpoint,
          apiKey: settings.apiKey?.reveal() ?? '',
          scope: { project: place.project, workspace: place.workspace },
          fetch,
          clock,
          deadlineAt: clock.now() + settings.timeoutMs,
          random,
          debug: (line) => log.debug(line),
          warning: (text) => log.warning(text),
        },
        signal,
      )
      return maskingVariables(platform, edge.maskVariables)
    },
    openSource: (_place, { ignoreWorkspace = false, deadlineAt } = {}) =>
      openSource({
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
