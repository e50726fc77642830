import { errorMessage } from '../core/errors.ts'
import { createSanitizer } from '../core/sanitize.ts'
import { isTransient, mayHaveHappened, PlatformError } from '../ink/errors.ts'
import type { Platform, ServiceSettings } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { HealthCheck } from '../plan/settings.ts'
import type { PhaseName } from '../report/row.ts'
import { type Confirmation, confirmLive } from '../watch/confirm-live.ts'
import { type ProbeResult, probe } from '../watch/probe.ts'
import type { DeploymentPhase } from '../watch/status.ts'
import type { DeploymentReader, WatchVerdict } from '../watch/verdict.ts'
import { watchDeployment } from '../watch/watch-deployment.ts'
import type { Run } from './run.ts'
import { type ServiceStarter, serviceStarter } from './start-service.ts'
import { waitUntilGone } from './waiting.ts'

/** Switching one service to one branch. */
export interface SwitchRequest {
  readonly serviceName: string
  readonly branch: string
  /** The SHA that the branch points at, for those platforms that tell the commit of a deployment. */
  readonly commitHash: string | undefined
  readonly existing: Service | undefined
  readonly repositorySlug: string
  readonly repositoryName: string
  readonly settings: (existing: Service | undefined) => ServiceSettings
  readonly claim: (service: Service) => void
  /** Starts it otherwise than by naming the branch. */
  readonly starter?: ServiceStarter
  /** Asked when the service vanished under the deployment, which somebody may have wanted. */
  readonly mayCreateAnew: () => Promise<boolean>
  readonly health: HealthCheck
  /** Milliseconds since the epoch, for everything up to the last answer of the probe. */
  readonly deadlineAt: number
}

/** How switching ended. */
export interface Switched {
  readonly verdict: WatchVerdict
  /** Set when the deployment became active. */
  readonly confirmation: Confirmation | undefined
}

// The service found at the start may have been in deletion, and then vanishes under the deployment. Once more is enough:
// the second time nothing is there any more and it is created anew.
const triesWhenGone = 2

/** Starts a deployment of `branch`, follows it to its end, and asks the URL. */
export async function switchService(run: Run, request: SwitchRequest): Promise<Switched> {
  let existing = request.existing
  for (let attempt = 1; ; attempt++) {
    const verdict = await watch(run, { ...request, existing })
    if (verdict.kind === 'gone' && attempt < triesWhenGone && (await request.mayCreateAnew())) {
      run.log.info(`The service ${request.serviceName} was being deleted; waiting for that, then creating it anew`)
      const { serviceName: name } = request
      await waitUntilGone(
        run.platform,
        { name, id: existing?.id },
        {
          clock: run.clock,
          deadlineAt: request.deadlineAt,
          signal: run.signal,
        },
      )
      existing = undefined
      continue
    }
    if (verdict.kind !== 'live') return { verdict, confirmation: undefined }
    return { verdict, confirmation: await confirm(run, request, verdict.url) }
  }
}

function watch(run: Run, request: SwitchRequest): Promise<WatchVerdict> {
  const sanitize = createSanitizer(run.secrets())
  const starter =
    request.starter ??
    serviceStarter({
      ...request,
      platform: run.platform,
      clock: run.clock,
      random: run.random,
      accepted: (serviceId) => serviceId && run.output('service-id', serviceId),
      info: (text) => run.log.info(text),
    })
  return watchDeployment({
    branch: request.branch,
    ...(request.commitHash === undefined ? {} : { commitHash: request.commitHash }),
    reader: readerOf(run.platform, request.serviceName),
    trigger: starter.start,
    triggerCreated: starter.created,
    before: request.existing ? { branch: request.existing.branch } : 'no-service',
    logBaseline: request.existing?.deployLogs ?? [],
    clock: run.clock,
    random: run.random,
    deadlineAt: request.deadlineAt,
    signal: run.signal,
    sanitize,
    events: {
      phase: (phase, atMs) => beginPhase(run, phase, atMs),
      line: (line) => {
        run.reporter.timeline.ensure('build', 'Build')
        run.log.foreign(line)
      },
      warning: (text) => run.log.warning(text),
    },
    isTransient: (error) =>
      isTransient(error) && error instanceof PlatformError && error.retryAfterMs !== undefined
        ? { transient: true, retryAfterMs: error.retryAfterMs }
        : { transient: isTransient(error) },
    lostAnswer: mayHaveHappened,
  })
}

const phases: Partial<Record<DeploymentPhase, readonly [PhaseName, string]>> = {
  queued: ['queue', 'Queue'],
  building: ['build', 'Build'],
  'rolling-out': ['roll-out', 'Roll-out'],
}

function beginPhase(run: Run, phase: DeploymentPhase, atMs: number): void {
  const [name, title] = phases[phase] ?? []
  if (!name || !title) return
  run.reporter.timeline.begin(name, title, atMs)
  run.reporter.update({ phase: name })
}

function readerOf(platform: Pick<Platform, 'service'>, serviceName: string): DeploymentReader {
  return {
    read: async (lines, signal) => {
      const service = await platform.service(serviceName, lines, signal)
      if (!service) return undefined
      return {
        branch: service.branch,
        status: service.status,
        ...(service.errorMessage === undefined ? {} : { errorMessage: service.errorMessage }),
        ...(service.url === undefined ? {} : { url: service.url }),
        ...(service.commitHash === undefined ? {} : { commitHash: service.commitHash }),
        deployLogs: service.deployLogs,
        runtimeLogs: service.runtimeLogs,
      }
    },
  }
}

async function confirm(run: Run, request: SwitchRequest, url: string | undefined): Promise<Confirmation> {
  const sanitize = createSanitizer(run.secrets())
  const leftMs = request.deadlineAt - run.clock.now()
  const { health } = request
  const check = health.kind === 'none' ? health : { ...health, timeoutMs: Math.min(health.timeoutMs, leftMs) }
  run.reporter.timeline.begin('probe', 'Probe')
  run.reporter.update({ phase: 'probe', ...(url === undefined ? {} : { url }) })
  const confirmation = await confirmLive({
    probe: (signal) =>
      probe({ url, check, request: run.http, mcp: run.mcp, clock: run.clock, random: run.random, signal, sanitize }),
    branch: request.branch,
    ...(request.commitHash === undefined ? {} : { commitHash: request.commitHash }),
    reader: readerOf(run.platform, request.serviceName),
    clock: run.clock,
    random: run.random,
    signal: run.signal,
    warning: (text) => run.log.warning(text),
    sanitize,
  })
  if (confirmation.kind === 'probed') run.log.info(probeInWords(confirmation.probe))
  return confirmation
}

/** One line about what the probe found. */
export function probeInWords({ outcome, status, latencyMs, attempts, error, url, tools }: ProbeResult): string {
  const answer = status === undefined ? (tools ? `${tools.length} MCP tools` : 'no answer') : `HTTP ${status}`
  switch (outcome) {
    case 'healthy':
      return `${url} answers: ${answer} in ${latencyMs} ms (${attempts} attempts)`
    case 'unhealthy':
      return `${url} does not answer as wanted: ${error ?? answer} (${attempts} attempts)`
    case 'skipped':
      return 'The URL was not asked (`health-path: none`)'
    case 'no-url':
      return 'The service has no URL (a worker), so there is nothing to ask'
  }
}

/** The text of an error for the log, without any secret that is known. */
export function safeMessage(run: Pick<Run, 'secrets'>, thrown: unknown): string {
  return createSanitizer(run.secrets())(errorMessage(thrown))
}
