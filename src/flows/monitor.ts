import { tryEach } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import { createSanitizer, safeMessage } from '../core/sanitize.ts'
import type { Service } from '../ink/results.ts'
import {
  type MonitorMemory,
  memoryBranch,
  recall,
  serviceOfMemoryBranch,
  uptimeOf,
  withCheck,
} from '../plan/monitor-memory.ts'
import { commitOf, previewNumber } from '../plan/names.ts'
import type { MonitorPlan } from '../plan/plan.ts'
import { troubleIssueBody, troubleIssueMarker, troubleOverComment } from '../report/comments.ts'
import type { MonitoredService, MonitorReport, Target } from '../report/model.ts'
import type { Source } from '../source/source.ts'
import { probe } from '../watch/probe.ts'
import { meaningOf } from '../watch/readings.ts'
import { costView, readCredits, runningCosts } from './resources/account.ts'
import { findPreviews } from './resources/previews.ts'
import { ownService, type ReadRepository } from './resources/repository.ts'
import { type Production, scale, stuckAtSize } from './resources/scaling.ts'
import { type Outcome, type Run, reportBase } from './run.ts'

// A process that dies of its memory writes a long stack below its reason.
const logLines = 80

/** Looks after production and the open previews: status, an answer from the URL, the end of the log, and one issue per trouble. */
export async function monitor(plan: MonitorPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('probe', 'Monitor')
  const { previews, unreadable, repository } = await findPreviews(run, plan.place)
  const production = await ownService(run, plan.place, plan.serviceName, logLines)
  const found = [production, ...previews.map(({ service }) => service)].filter((service) => service !== undefined)
  const load = production && repository && memoryOf(run, production, repository)?.load
  const stuck = production && load && stuckAtSize(plan, production, load)
  const lookAt = (service: Service) => look(plan, run, service, service === production ? stuck : undefined)
  const { done, failed } = await tryEach(found, lookAt, run.signal)
  if (repository && !plan.dryRun) await forgetGone(run, repository)
  const withItsMemory = async (seen: MonitoredService) =>
    repository && seen.service === production?.name
      ? withMemory(plan, run, { repository, service: production, seen })
      : seen
  const services = await Promise.all(done.map(withItsMemory))
  for (const { service, verdict, platformStatus } of services)
    run.log.info(`${service}: ${verdict} (${platformStatus})`)
  const unseen = failed.map(({ item, error }) => ({ serviceName: item.name, why: safeMessage(run, error) }))
  for (const { serviceName, why } of [...unreadable, ...unseen])
    run.log.warning(`${serviceName} could not be looked at: ${why}`)
  const unhealthy = services.find(({ verdict, target }) => verdict === 'trouble' && target === 'production')
  const said = unhealthy && `${unhealthy.service} is in trouble: ${unhealthy.trouble?.what ?? unhealthy.platformStatus}`
  const hint = 'The summary shows the end of its log; `command: rollback` or a new deployment fixes it.'
  const counts = `${services.length} services looked at, ${unhealthy ? 1 : 0} in trouble`
  run.reporter.timeline.end(unhealthy ? 'failed' : 'done', counts)
  const cost = costView(runningCosts(previews, plan, run.platform))
  const credits = (await readCredits(plan, run))?.shown
  const report: MonitorReport = { kind: 'monitor', services, cost, credits, ...reportBase(run) }
  if (said) return { action: 'monitor', status: 'unhealthy', report, failure: new DeployError(said, { hint }) }
  return { action: 'monitor', status: plan.dryRun ? 'planned' : found.length === 0 ? 'nothing' : 'live', report }
}

/** Counts what was seen of production among the checks of earlier runs, and remembers it for the next one. */
async function withMemory(plan: MonitorPlan, run: Run, production: Production): Promise<MonitoredService> {
  const { repository, service, seen } = production
  const now = Math.floor(run.clock.now() / 60_000)
  const memory = withCheck(memoryOf(run, service, repository), { at: now, healthy: seen.verdict === 'healthy' })
  const { autoscale } = plan
  const scaled = autoscale && (await scale({ ...plan, autoscale }, run, production, memory.load))
  const kept = scaled ? { ...memory, load: scaled.load } : memory
  if (!plan.dryRun) await keepMemory(run, repository, service.name, kept)
  const { since, asked, healthy } = uptimeOf(memory)
  const uptime = { asked, healthy, sinceIso: new Date(since * 60_000).toISOString() }
  // A service that did not survive the change of its size is in trouble like any other.
  const logTail = seen.trouble?.logTail ?? []
  const afterwards = scaled?.broke ? await withTrouble(plan, run, seen, scaled.broke, logTail) : seen
  return { ...afterwards, uptime, scaling: scaled?.said }
}

function memoryOf(run: Run, { name }: Service, { branches }: ReadRepository): MonitorMemory | undefined {
  return recall(name, branches.keys(), Math.floor(run.clock.now() / 60_000))
}

/** @param stuck what earlier runs have found to be wrong with its size */
async function look(plan: MonitorPlan, run: Run, service: Service, stuck?: string): Promise<MonitoredService> {
  const { health } = plan
  const sanitize = createSanitizer(run.secrets())
  const number = previewNumber(plan.place.baseName, service.name)
  const target: Target = number === undefined ? 'production' : `pr-${number}`
  const check = health.kind === 'none' ? health : { ...health, timeoutMs: Math.min(health.timeoutMs, 15_000) }
  const asked = await probe({ ...run, url: service.url, check, commit: commitOf(service), sanitize })
  const { status, latencyMs = 0, tools } = asked
  const verdict = meaningOf(service.status)?.verdict
  const isDown = verdict === 'crashed' || verdict === 'suspended' || verdict === 'stopped'
  const answer = asked.outcome === 'unhealthy' ? (asked.error ?? `its URL answers HTTP ${status}`) : undefined
  const what = isDown ? `ml.ink reports it as ${service.status}` : (answer ?? stuck)
  const seen: MonitoredService = {
    service: service.name,
    target,
    verdict: 'healthy',
    platformStatus: sanitize(service.status),
    url: service.url,
    health: status === undefined ? undefined : { status, latencyMs, tools: tools?.length },
  }
  return withTrouble(plan, run, seen, what, service.runtimeLogs.map(sanitize))
}

/** What was seen of a service together with what is wrong with it, if anything is; of production an issue tells as well. */
async function withTrouble(
  plan: MonitorPlan,
  run: Run,
  seen: MonitoredService,
  what: string | undefined,
  logTail: readonly string[],
): Promise<MonitoredService> {
  const told = !plan.dryRun && seen.target === 'production'
  const issue = told ? await keepIssue(run, seen.service, what, logTail) : undefined
  if (what === undefined) return seen
  return {
    ...seen,
    verdict: 'trouble',
    trouble: { what, logTail },
    issue: issue && { number: issue.number, url: issue.url },
  }
}

/**
 * Puts what is remembered of a service in the place of what was. The new branch is made before the old ones go, so that
 * a run which ends in between loses nothing.
 */
async function keepMemory(run: Run, repository: ReadRepository, serviceName: string, memory: MonitorMemory) {
  const branch = memoryBranch(serviceName, memory)
  const own = memoriesIn(repository).filter((name) => serviceOfMemoryBranch(name) === serviceName)
  const old = own.filter((name) => name !== branch)
  await writeMemory(run, async (source) => {
    await source.mark(repository.remote, [branch], run.signal)
    if (old.length > 0) await source.deleteBranches(repository.remote, old, run.signal)
  })
}

/** Forgets services that are gone. Whoever's they were: a branch of a service that is there is left alone. */
async function forgetGone(run: Run, repository: ReadRepository): Promise<void> {
  const memories = memoriesIn(repository)
  const services = [...new Set(memories.map((name) => serviceOfMemoryBranch(name) ?? ''))]
  await writeMemory(run, async (source) => {
    const ask = async (name: string) => ((await run.platform.service(name, {}, run.signal)) ? [] : [name])
    const gone = (await tryEach(services, ask, run.signal)).done.flat()
    const stale = memories.filter((name) => gone.includes(serviceOfMemoryBranch(name) ?? ''))
    if (stale.length > 0) await source.deleteBranches(repository.remote, stale, run.signal)
  })
}

function memoriesIn({ branches }: ReadRepository): string[] {
  return [...branches.keys()].filter((name) => serviceOfMemoryBranch(name) !== undefined)
}

/** What cannot be written is a warning: the monitor is there for the service. */
async function writeMemory(run: Run, write: (source: Source) => Promise<void>): Promise<void> {
  try {
    await using source = run.openSource()
    await write(source)
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(`What the monitor remembers could not be written: ${safeMessage(run, error)}`)
  }
}

const label = 'ink-monitor'

/** Keeps one issue per service: opened when trouble begins, kept up to date, closed with a last word when it is over. */
async function keepIssue(run: Run, serviceName: string, trouble: string | undefined, logTail: readonly string[]) {
  const marker = troubleIssueMarker(serviceName)
  if (trouble !== undefined) {
    const body = troubleIssueBody({ serviceName, ...run.redact({ trouble, logTail }), runUrl: run.context.runUrl })
    return run.github.issues.upsert({ marker, label, title: `${serviceName} on ml.ink is in trouble`, body })
  }
  const open = await run.github.issues.find(marker, label)
  if (open === undefined || open === 'absent') return undefined
  const lastedMs = run.clock.now() - Date.parse(open.openedAt)
  const lastWord = troubleOverComment(serviceName, lastedMs, run.context.runUrl)
  const closed = await run.github.issues.close(marker, label, lastWord)
  return closed === 'absent' ? undefined : closed
}
