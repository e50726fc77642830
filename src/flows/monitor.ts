import { DeployError } from '../errors.ts'
import type { Service } from '../ink/results.ts'
import { previewNumber } from '../plan/names.ts'
import type { MonitorPlan } from '../plan/plan.ts'
import type { MonitoredService, MonitorReport, Target } from '../report/model.ts'
import { type ProbeResult, probe } from '../watch/probe.ts'
import { meaningOf } from '../watch/status.ts'
import { createTamer } from '../watch/tame.ts'
import { settleEach } from './in-parallel.ts'
import type { Outcome } from './outcome.ts'
import { findPreviews } from './previews.ts'
import type { Run } from './run.ts'
import { keepIssue } from './trouble-issue.ts'

const logLines = 40

/** Looks after production and the open previews: status, an answer from the URL, the end of the log, and one issue per trouble. */
export async function monitor(plan: MonitorPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('probe', 'Monitor')
  const { previews } = await findPreviews(run, plan.place)
  const names = [plan.serviceName, ...previews.filter(({ service }) => service).map(({ serviceName }) => serviceName)]
  const read = await settleEach(names, (name) => run.platform.service(name, { runtimeLogLines: logLines }, run.signal))
  run.signal.throwIfAborted()
  const found = read.flatMap((result) => (result.status === 'fulfilled' && result.value ? [result.value] : []))
  const looked = await settleEach(found, (service) => look(plan, run, service))
  const services = looked.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  for (const { service, verdict, platformStatus } of services)
    run.log.info(`${service}: ${verdict} (${platformStatus})`)
  const sick = services.filter(({ verdict, target }) => verdict === 'trouble' && target === 'production')
  run.reporter.timeline.end(
    sick.length === 0 ? 'done' : 'failed',
    `${services.length} services looked at, ${sick.length} in trouble`,
  )
  const report: MonitorReport = {
    kind: 'monitor',
    services,
    runUrl: run.context.runUrl,
    warnings: run.reporter.warnings(),
  }
  const [first] = sick
  const failure = first
    ? new DeployError(`${first.service} is in trouble: ${first.trouble?.what ?? first.platformStatus}`, {
        hint: 'The summary shows the end of its log; /ink rollback or a new deployment mends it.',
      })
    : undefined
  return { action: 'monitor', status: failure ? 'unhealthy' : 'live', report, failure }
}

async function look(plan: MonitorPlan, run: Run, service: Service): Promise<MonitoredService> {
  const tame = createTamer(run.secrets())
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
    tame,
  })
  const what = troubleOf(service, verdict, asked)
  const logTail = service.runtimeLogs.map(tame)
  const issue = plan.dryRun || target !== 'production' ? undefined : await keepIssue(run, service.name, what, logTail)
  return {
    service: service.name,
    target,
    verdict: what === undefined ? 'healthy' : 'trouble',
    platformStatus: tame(service.status),
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
