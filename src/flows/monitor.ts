import { DeployError } from '../core/errors.ts'
import { settleEach } from '../core/parallel.ts'
import { createSanitizer } from '../core/sanitize.ts'
import { repositorySlug } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { recall, uptimeOf, withCheck } from '../plan/monitor-memory.ts'
import { previewNumber } from '../plan/names.ts'
import type { MonitorPlan } from '../plan/plan.ts'
import type { MonitoredService, MonitorReport } from '../report/model.ts'
import type { Target } from '../report/row.ts'
import { type ProbeResult, probe } from '../watch/probe.ts'
import { meaningOf } from '../watch/status.ts'
import { scale, stuckAtSize } from './autoscale.ts'
import { costView, runningCosts } from './costs.ts'
import { lookAtCredits } from './means.ts'
import { forgetGone, keepMemory } from './monitor-memory.ts'
import type { Outcome } from './outcome.ts'
import { isOurs } from './ownership.ts'
import { type FoundRepository, findPreviews } from './previews.ts'
import type { Run } from './run.ts'
import { safeMessage } from './switch-service.ts'
import { keepIssue } from './trouble-issue.ts'

const logLines = 40

/** Looks after production and the open previews: status, an answer from the URL, the end of the log, and one issue per trouble. */
export async function monitor(plan: MonitorPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('probe', 'Monitor')
  const { previews, unreadable, repository } = await findPreviews(run, plan.place)
  const production = await ownProduction(plan, run)
  const found = [production, ...previews.map(({ service }) => service)].filter((service) => service !== undefined)
  const now = Math.floor(run.clock.now() / 60_000)
  const load = production && repository && recall(production.name, repository.branches.keys(), now)?.load
  const stuck = production && load && stuckAtSize(run, production, load)
  const looked = await settleEach(found, (service) =>
    look(plan, run, service, service === production ? stuck : undefined),
  )
  run.signal.throwIfAborted()
  const seen = looked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const services = repository ? await withMemory(plan, run, { repository, production }, seen) : seen
  const blind = [
    ...unreadable,
    ...looked.flatMap((result, index) =>
      result.status === 'rejected'
        ? [{ serviceName: found[index]?.name ?? '', why: safeMessage(run, result.reason) }]
        : [],
    ),
  ]
  for (const { service, verdict, platformStatus } of services)
    run.log.info(`${service}: ${verdict} (${platformStatus})`)
  for (const { serviceName, why } of blind) run.log.warning(`${serviceName} could not be looked at: ${why}`)
  const sick = services.filter(({ verdict, target }) => verdict === 'trouble' && target === 'production')
  run.reporter.timeline.end(
    sick.length === 0 ? 'done' : 'failed',
    `${services.length} services looked at, ${sick.length} in trouble`,
  )
  const report: MonitorReport = {
    kind: 'monitor',
    services,
    cost: costView(runningCosts(previews, plan.place, run.settings)),
    credits: (await lookAtCredits(run))?.shown,
    runUrl: run.context.runUrl,
    warnings: run.reporter.warnings(),
  }
  const failure = failureOf(sick)
  return { action: 'monitor', status: statusOf(plan, found.length, failure), report, failure }
}

function statusOf({ dryRun }: MonitorPlan, found: number, failure: DeployError | undefined): Outcome['status'] {
  if (failure) return 'unhealthy'
  if (dryRun) return 'planned'
  return found === 0 ? 'nothing' : 'live'
}

/** Counts what was seen of production among the checks of earlier runs, and remembers it for the next one. */
async function withMemory(
  plan: MonitorPlan,
  run: Run,
  { repository, production: service }: { repository: FoundRepository; production: Service | undefined },
  seen: readonly MonitoredService[],
): Promise<readonly MonitoredService[]> {
  const production = seen.find(({ target }) => target === 'production')
  if (!plan.dryRun) await forgetGone(run, plan.place, repository)
  if (!production || !service) return seen
  const now = Math.floor(run.clock.now() / 60_000)
  const before = recall(service.name, repository.branches.keys(), now)
  const memory = withCheck(before, { at: now, healthy: production.verdict === 'healthy' })
  const { autoscale } = plan
  const scaled =
    autoscale && (await scale({ ...plan, autoscale }, run, { service, seen: production, repository }, memory.load))
  const kept = scaled ? { ...memory, load: scaled.load } : memory
  if (!plan.dryRun) await keepMemory(run, plan.place, repository, { serviceName: service.name, memory: kept })
  const { since, asked, healthy } = uptimeOf(memory)
  const uptime = { asked, healthy, sinceIso: new Date(since * 60_000).toISOString() }
  const cared = {
    ...(scaled?.broke ? await broken(run, production, scaled.broke) : production),
    uptime,
    scaling: scaled?.said,
  }
  return seen.map((one) => (one === production ? cared : one))
}

/** A service that did not survive the change of its size is in trouble like any other. */
async function broken(run: Run, production: MonitoredService, what: string): Promise<MonitoredService> {
  const logTail = production.trouble?.logTail ?? []
  const issue = await keepIssue(run, production.service, what, logTail)
  return {
    ...production,
    verdict: 'trouble',
    trouble: { what, sinceIso: issue?.openedAt ?? new Date(run.clock.now()).toISOString(), logTail },
    issue: issue && { number: issue.number, url: issue.url },
  }
}

/** The production service, if there is one and it is ours: a stranger's log must not get into an issue of ours. */
async function ownProduction(plan: MonitorPlan, run: Run): Promise<Service | undefined> {
  const access = await run.platform.gitAccess(plan.place.repositoryName, false, run.signal)
  if (!access) return undefined
  const service = await run.platform.service(plan.serviceName, { env: true, runtimeLogLines: logLines }, run.signal)
  return service && isOurs(service, plan.place, repositorySlug(access.remote)) ? service : undefined
}

function failureOf([first]: readonly MonitoredService[]): DeployError | undefined {
  return (
    first &&
    new DeployError(`${first.service} is in trouble: ${first.trouble?.what ?? first.platformStatus}`, {
      hint: 'The summary shows the end of its log; `command: rollback` or a new deployment mends it.',
    })
  )
}

async function look(
  plan: MonitorPlan,
  run: Run,
  service: Service,
  stuck: string | undefined,
): Promise<MonitoredService> {
  const sanitize = createSanitizer(run.secrets())
  const number = previewNumber(plan.place.baseName, service.name)
  const target: Target = number === undefined ? 'production' : `pr-${number}`
  const verdict = meaningOf(service.status)?.verdict
  const health =
    plan.health.kind === 'none' ? plan.health : { ...plan.health, timeoutMs: Math.min(plan.health.timeoutMs, 15_000) }
  const asked = await probe({
    url: service.url,
    check: health,
    request: run.http,
    mcp: run.mcp,
    clock: run.clock,
    random: run.random,
    signal: run.signal,
    sanitize,
  })
  const what = troubleOf(service, verdict, asked) ?? stuck
  const logTail = service.runtimeLogs.map(sanitize)
  const issue = plan.dryRun || target !== 'production' ? undefined : await keepIssue(run, service.name, what, logTail)
  return {
    service: service.name,
    target,
    verdict: what === undefined ? 'healthy' : 'trouble',
    platformStatus: sanitize(service.status),
    url: service.url,
    health:
      asked.status === undefined
        ? undefined
        : { status: asked.status, latencyMs: asked.latencyMs ?? 0, tools: asked.tools?.length },
    trouble:
      what === undefined
        ? undefined
        : { what, sinceIso: issue?.openedAt ?? new Date(run.clock.now()).toISOString(), logTail },
    issue: issue && what !== undefined ? { number: issue.number, url: issue.url } : undefined,
  }
}

function troubleOf(service: Service, verdict: string | undefined, asked: ProbeResult): string | undefined {
  if (verdict === 'crashed' || verdict === 'suspended' || verdict === 'stopped')
    return `ml.ink reports it as ${service.status}`
  if (asked.outcome === 'unhealthy') return asked.error ?? `its URL answers HTTP ${asked.status}`
  return undefined
}
