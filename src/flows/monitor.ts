import { settleEach, tryEach } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import { createSanitizer, safeMessage } from '../core/sanitize.ts'
import type { WrittenIssue } from '../github/issues.ts'
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
import { type ProbeResult, probe } from '../watch/probe.ts'
import { meaningOf } from '../watch/readings.ts'
import { costView, readCredits, runningCosts } from './resources/account.ts'
import { findPreviews } from './resources/previews.ts'
import { ownService, type ReadRepository } from './resources/repository.ts'
import { scale, stuckAtSize } from './resources/scaling.ts'
import { type Outcome, type Run, reportBase } from './run.ts'

// A process that dies of its memory writes a long stack below its reason.
const logLines = 80

/** Looks after production and the open previews: status, an answer from the URL, the end of the log, and one issue per trouble. */
export async function monitor(plan: MonitorPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('probe', 'Monitor')
  const { previews, unreadable, repository } = await findPreviews(run, plan.place)
  const production = await ownService(run, plan.place, plan.serviceName, logLines)
  const found = [production, ...previews.map(({ service }) => service)].filter((service) => service !== undefined)
  const now = Math.floor(run.clock.now() / 60_000)
  const load = production && repository && recall(production.name, repository.branches.keys(), now)?.load
  const stuck = production && load && stuckAtSize(plan, production, load)
  const { done: seen, failed } = await tryEach(
    found,
    (service) => look(plan, run, service, service === production ? stuck : undefined),
    run.signal,
  )
  const services = repository ? await withMemory(plan, run, { repository, production }, seen) : seen
  const unseen = failed.map(({ item, error }) => ({ serviceName: item.name, why: safeMessage(run, error) }))
  for (const { service, verdict, platformStatus } of services)
    run.log.info(`${service}: ${verdict} (${platformStatus})`)
  for (const { serviceName, why } of [...unreadable, ...unseen])
    run.log.warning(`${serviceName} could not be looked at: ${why}`)
  const [unhealthy] = services.filter(({ verdict, target }) => verdict === 'trouble' && target === 'production')
  const failure =
    unhealthy &&
    new DeployError(`${unhealthy.service} is in trouble: ${unhealthy.trouble?.what ?? unhealthy.platformStatus}`, {
      hint: 'The summary shows the end of its log; `command: rollback` or a new deployment fixes it.',
    })
  run.reporter.timeline.end(
    failure ? 'failed' : 'done',
    `${services.length} services looked at, ${failure ? 1 : 0} in trouble`,
  )
  const report: MonitorReport = {
    kind: 'monitor',
    services,
    cost: costView(runningCosts(previews, plan, run.platform)),
    credits: (await readCredits(plan, run))?.shown,
    ...reportBase(run),
  }
  const green = plan.dryRun ? 'planned' : found.length === 0 ? 'nothing' : 'live'
  return { action: 'monitor', status: failure ? 'unhealthy' : green, report, failure }
}

/** Counts what was seen of production among the checks of earlier runs, and remembers it for the next one. */
async function withMemory(
  plan: MonitorPlan,
  run: Run,
  { repository, production: service }: { repository: ReadRepository; production: Service | undefined },
  seen: readonly MonitoredService[],
): Promise<readonly MonitoredService[]> {
  const production = seen.find(({ target }) => target === 'production')
  if (!plan.dryRun) await forgetGone(run, repository)
  if (!production || !service) return seen
  const now = Math.floor(run.clock.now() / 60_000)
  const before = recall(service.name, repository.branches.keys(), now)
  const memory = withCheck(before, { at: now, healthy: production.verdict === 'healthy' })
  const { autoscale } = plan
  const scaled =
    autoscale && (await scale({ ...plan, autoscale }, run, { service, seen: production, repository }, memory.load))
  const kept = scaled ? { ...memory, load: scaled.load } : memory
  if (!plan.dryRun) await keepMemory(run, repository, { serviceName: service.name, memory: kept })
  const { since, asked, healthy } = uptimeOf(memory)
  const uptime = { asked, healthy, sinceIso: new Date(since * 60_000).toISOString() }
  // A service that did not survive the change of its size is in trouble like any other.
  const logTail = production.trouble?.logTail ?? []
  const afterwards = scaled?.broke ? await withTrouble(plan, run, production, scaled.broke, logTail) : production
  const cared = { ...afterwards, uptime, scaling: scaled?.said }
  return seen.map((one) => (one === production ? cared : one))
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
  const asked = await probe({ ...run, url: service.url, check: health, commit: commitOf(service), sanitize })
  const what = troubleOf(service, verdict, asked) ?? stuck
  const { status, latencyMs = 0, tools } = asked
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

function troubleOf(service: Service, verdict: string | undefined, asked: ProbeResult): string | undefined {
  if (verdict === 'crashed' || verdict === 'suspended' || verdict === 'stopped')
    return `ml.ink reports it as ${service.status}`
  if (asked.outcome === 'unhealthy') return asked.error ?? `its URL answers HTTP ${asked.status}`
  return undefined
}

/**
 * Puts what is remembered of a service in the place of what was. The new branch is made before the old ones go, so that
 * a run which ends in between loses nothing. What cannot be written is a warning: the monitor is there for the service.
 */
async function keepMemory(
  run: Run,
  repository: ReadRepository,
  of: { readonly serviceName: string; readonly memory: MonitorMemory },
): Promise<void> {
  const branch = memoryBranch(of.serviceName, of.memory)
  const old = memoriesIn(repository).filter((name) => serviceOfMemoryBranch(name) === of.serviceName && name !== branch)
  await orWarn(run, async () => {
    await using source = run.openSource()
    await source.mark(repository.remote, [branch], run.signal)
    if (old.length > 0) await source.deleteBranches(repository.remote, old, run.signal)
  })
}

/** Forgets services that are gone. Whoever's they were: a branch of a service that is there is left alone. */
async function forgetGone(run: Run, repository: ReadRepository): Promise<void> {
  const memories = memoriesIn(repository)
  const services = [...new Set(memories.map((name) => serviceOfMemoryBranch(name) ?? ''))]
  await orWarn(run, async () => {
    const there = await settleEach(services, (name) => run.platform.service(name, {}, run.signal))
    const gone = services.filter((_, index) => {
      const answer = there[index]
      return answer?.status === 'fulfilled' && answer.value === undefined
    })
    const stale = memories.filter((name) => gone.includes(serviceOfMemoryBranch(name) ?? ''))
    if (stale.length === 0) return
    await using source = run.openSource()
    await source.deleteBranches(repository.remote, stale, run.signal)
  })
}

function memoriesIn({ branches }: ReadRepository): string[] {
  return [...branches.keys()].filter((name) => serviceOfMemoryBranch(name) !== undefined)
}

async function orWarn(run: Run, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(`What the monitor remembers could not be written: ${safeMessage(run, error)}`)
  }
}

const label = 'ink-monitor'

/** Keeps one issue per service: opened when trouble begins, kept up to date, closed with a last word when it is over. */
async function keepIssue(
  run: Run,
  serviceName: string,
  trouble: string | undefined,
  logTail: readonly string[],
): Promise<WrittenIssue | undefined> {
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
