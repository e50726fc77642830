import type { Deadline } from '../core/async.ts'
import { createSanitizer } from '../core/sanitize.ts'
import type { Service } from '../ink/results.ts'
import { commitOf } from '../plan/names.ts'
import type { HealthCheck } from '../plan/settings.ts'
import type { PhaseName } from '../report/model.ts'
import { confirmLive } from '../watch/confirm-live.ts'
import { DeploymentWatch, type Evidence, type Timings, type WaitingPhase } from '../watch/deployment-watch.ts'
import { isMerelyTolerated, type ProbeResult, probe } from '../watch/probe.ts'
import type { DeploymentPhase, ReadService } from '../watch/readings.ts'
import type { Run } from './run.ts'

/** Which deployment is observed. */
export interface Observed {
  readonly serviceName: string
  readonly branch: string
  /** The SHA that the branch points at, for those platforms that tell the commit of a deployment. */
  readonly commitHash: string | undefined
  /** The service as it was read before, with its variables and its log. */
  readonly existing: Service | undefined
  readonly health: HealthCheck
  /** Milliseconds since the epoch, for everything up to the last answer of the probe. */
  readonly deadlineAt: number
}

/** What observing needs of a run. */
export type Observer = Pick<Run, 'clock' | 'random' | 'signal' | 'secrets' | 'http' | 'mcp'> & {
  readonly platform: Pick<Run['platform'], 'service'>
  readonly reporter: Pick<Run['reporter'], 'timeline' | 'update'>
  readonly log: Pick<Run['log'], 'info' | 'warning' | 'untrusted'>
}

/** How a rollout ended. Only `live` is a success; `cancelled`, `superseded` and `gone` are somebody else's doing. */
export type RolloutEnd =
  | ({ readonly kind: 'live'; readonly probe: ProbeResult } & DeployedWithLog)
  | ({ readonly kind: 'unhealthy'; readonly probe: ProbeResult } & DeployedWithLog)
  /** It was live, and then came to an end by itself. */
  | ({ readonly kind: 'stopped'; readonly status: string; readonly errorMessage: string | undefined } & DeployedWithLog)
  /** The URL answers, but the platform did not say any more whose answers these are. */
  | ({ readonly kind: 'unconfirmed'; readonly why: string } & Deployed)
  | ({ readonly kind: 'failed'; readonly phase: WaitingPhase; readonly timings: Timings } & Evidence)
  | ({ readonly kind: 'crashed'; readonly timings: Timings } & Evidence)
  | ({ readonly kind: 'cancelled' } & Evidence)
  /** `sent`: a start of ours had been acknowledged before that. */
  | { readonly kind: 'superseded'; readonly branch: string | undefined; readonly sent: boolean }
  | { readonly kind: 'gone' }
  | ({
      readonly kind: 'timed-out'
      readonly phase: WaitingPhase
      readonly perPhaseMs: Readonly<Record<WaitingPhase, number>>
    } & Evidence)

interface Deployed {
  readonly url: string | undefined
  readonly timings: Timings
}

interface DeployedWithLog extends Deployed {
  /** The newest lines of the app's own log, sanitized; none where it answers as asked. */
  readonly runtimeLog: readonly string[]
}

/** Opens the watch on the service being deployed; phases and lines go into the run's log and timeline as they come. */
export function openWatch(run: Observer, request: Observed, deadline: Deadline): DeploymentWatch {
  return new DeploymentWatch({
    ...run,
    ...readingsOf(run, request),
    deadline,
    logBaseline: request.existing?.deployLogs ?? [],
    sanitize: createSanitizer(run.secrets()),
    events: {
      phase: (phase, atMs) => {
        const [name, title] = phases[phase] ?? []
        if (!name || !title) return
        run.reporter.timeline.begin(name, title, atMs)
        run.reporter.update({ phase: name })
      },
      line: (line) => {
        run.reporter.timeline.ensure('build', 'Build')
        run.log.untrusted(line)
      },
      warning: (text) => run.log.warning(text),
    },
  })
}

const phases: Partial<Record<DeploymentPhase, readonly [PhaseName, string]>> = {
  queued: ['queue', 'Queue'],
  building: ['build', 'Build'],
  'rolling-out': ['roll-out', 'Roll-out'],
}

/** What tells the deployment's readings from others, and how they are read. */
function readingsOf({ platform }: Observer, { serviceName, branch, commitHash }: Observed) {
  const read: ReadService = (lines, signal) => platform.service(serviceName, lines, signal)
  return { branch, commitHash, read }
}

type Confirmed =
  | Extract<RolloutEnd, { kind: 'live' | 'unhealthy' | 'stopped' | 'unconfirmed' | 'gone' }>
  | { readonly kind: 'superseded'; readonly branch: string | undefined }

/**
 * Asks the URL of a deployment that is live, and whether it still is.
 * @param removalUnderWay while this is so, a healthy one is kept an eye on before it counts
 */
export async function confirm(
  run: Observer,
  request: Observed,
  deployed: Deployed,
  removalUnderWay: (() => Promise<boolean>) | undefined,
): Promise<Confirmed> {
  const { clock, reporter } = run
  const { url } = deployed
  const sanitize = createSanitizer(run.secrets())
  const leftMs = request.deadlineAt - clock.now()
  const { health } = request
  const check = health.kind === 'none' ? health : { ...health, timeoutMs: Math.min(health.timeoutMs, leftMs) }
  reporter.timeline.begin('probe', 'Probe')
  reporter.update({ phase: 'probe', ...(url === undefined ? {} : { url }) })
  let isGone = false
  const ask = async (signal: AbortSignal): Promise<ProbeResult> => {
    const asked = await probe({ ...run, url, check, commit: commitOf(request), signal, sanitize })
    if (asked.outcome === 'unhealthy' || !(await removalUnderWay?.())) return asked
    run.log.info(`A removal of ${request.serviceName} is under way; watching until it is over`)
    do await clock.sleep(betweenLooksMs, signal)
    while (await removalUnderWay?.())
    // Where the URL is not asked, the service is not read again after this.
    const there = await run.platform.service(request.serviceName, {}, signal)
    if (!there) isGone = true
    return asked
  }
  const confirmation = await confirmLive({
    ...run,
    ...readingsOf(run, request),
    probe: ask,
    patienceMs: Math.max(shortestPatienceMs, leftMs),
    warning: (text) => run.log.warning(text),
    sanitize,
  })
  if (isGone) return { kind: 'gone' }
  const { runtimeLog } = confirmation
  if (confirmation.kind === 'probed') {
    const { probe } = confirmation
    run.log.info(describeProbe(probe))
    return { kind: probe.outcome === 'unhealthy' ? 'unhealthy' : 'live', probe, runtimeLog, ...deployed }
  }
  const { loss } = confirmation
  if (loss.kind === 'crashed') return { ...loss, kind: 'stopped', runtimeLog, ...deployed }
  return loss.kind === 'unconfirmed' ? { ...loss, ...deployed } : loss
}

/**
 * The health check for a new version. One that nobody described is tolerant, so that an API without a page at `/` is live;
 * but where the version before answered as it should, a refusal now is a fault, and no matter of taste.
 */
export async function healthAfter(
  existing: Service | undefined,
  health: HealthCheck,
  run: Observer,
): Promise<HealthCheck> {
  if (health.kind !== 'http' || !health.tolerant || existing?.url === undefined) return health
  const tolerated = await isMerelyTolerated({ ...run, url: existing.url, check: health, commit: undefined })
  return tolerated ? health : { ...health, tolerant: false }
}

const shortestPatienceMs = 60_000
const betweenLooksMs = 2_000

/** One line about what the probe found. */
function describeProbe({ outcome, status, latencyMs, attempts, error, url, tools, tolerated }: ProbeResult): string {
  const answer = status === undefined ? (tools ? `${tools.length} MCP tools` : 'no answer') : `HTTP ${status}`
  switch (outcome) {
    case 'healthy':
      return `${url} answers: ${answer}${tolerated ? ', which is the app’s own' : ''} in ${latencyMs} ms (${attempts} attempts)`
    case 'unhealthy':
      return `${url} does not answer as wanted: ${error ?? answer} (${attempts} attempts)`
    case 'skipped':
      return 'The URL was not asked (`health-path: none`)'
    case 'no-url':
      return 'The service has no URL (a worker), so there is nothing to ask'
  }
}
