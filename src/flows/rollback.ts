import { signalWithin } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import { capital, shortSha } from '../core/format.ts'
import type { Service } from '../ink/results.ts'
import { commitOf } from '../plan/names.ts'
import type { ProductionPlan, RollbackPlan } from '../plan/plan.ts'
import { marks } from '../plan/variables.ts'
import type { LastWorking } from '../report/model.ts'
import { isLive, meaningOf, WINDOW_LINES } from '../watch/readings.ts'
import type { Work } from './prepare.ts'
import { healthAfter } from './prepare.ts'
import { versionToRestore } from './resources/branches.ts'
import { assertOwned, openInkRepository, ownedBy } from './resources/repository.ts'
import { rollOut } from './rollout.ts'
import { type Outcome, type Run, windUpMs } from './run.ts'
import { partsBefore } from './start-again.ts'
import { type Ended, explain, type Judgement, judge, outcomeOf, tellEnd } from './verdict.ts'

/** Switches a service to a branch of an earlier deployment: the one of a given commit, or the one before the present. */
export async function rollback(plan: RollbackPlan, run: Run): Promise<Outcome> {
  run.reporter.timeline.begin('prepare', 'Find the version to go back to')
  const repository = await openInkRepository(run, plan.place)
  const service = await run.platform.service(plan.serviceName, partsBefore, run.signal)
  if (!repository || !service)
    throw new DeployError(`There is no service ${plan.serviceName} on ml.ink to roll back`, {
      hint: 'Check the inputs `service` and `project`.',
    })
  const { slug } = repository
  const { env } = service
  assertOwned(service, plan, slug)
  await using source = run.openSource()
  const branches = await source.branches(repository.remote, run.signal)
  const branch = await versionToRestore(plan, run, source, { branches, present: service.branch })
  const commit = commitOf({ branch }) ?? ''
  run.output('branch', branch)
  run.output('commit', commit)
  run.reporter.update({ commit })
  // The record has to name the commit that will serve.
  await run.reporter.begin()
  run.reporter.timeline.end('done', `Going back from ${service.branch ?? 'an unknown branch'} to ${branch}`)
  const end = await rollOut(run, {
    ...ownedBy(plan, slug),
    branch,
    commitHash: branches.get(branch),
    existing: service,
    settings: () => (env ? { env: { ...env, ...(env[marks.commit] ? { [marks.commit]: commit } : {}) } } : {}),
    health: await healthAfter(service, plan.health, run),
    deadlineAt: run.deadlineAt,
  })
  const judgement = judge(end)
  // The tree of that version is not at hand, so no place in a file can be shown.
  const explanation = explain(end)
  tellEnd(run, end, judgement, service)
  if (!('url' in end) && service.url) run.output('url', service.url)
  const live = judgement.status === 'live'
  run.reporter.update({
    phase: undefined,
    ...(live ? { note: 'Rolled back by command' } : {}),
    diagnosis: explanation?.diagnosis,
    reason: live || explanation ? undefined : judgement.sentence,
  })
  return outcomeOf(run, judgement, explanation, { action: 'rollback', envNames: Object.keys(env ?? {}).sort() })
}

/**
 * After a production deployment went wrong: switches back to the branch and the variables of before, and asks the URL
 * again. The image of that branch is still there, so this takes seconds.
 * If the service has another branch than the failed one by now, somebody else was faster, and it is left alone.
 * @returns the outcome to report, or undefined when there is nothing to go back to
 */
export async function restorePrevious(
  plan: ProductionPlan,
  { run, prepared, branch }: Work,
  failed: Judgement,
): Promise<Ended | undefined> {
  const { existing, repositorySlug, remoteBranches } = prepared
  const back = versionBefore(existing, remoteBranches)
  if (!existing || !back) {
    run.log.warning('There is no earlier version to go back to, so the failed one stays as it is.')
    return undefined
  }
  const now = await run.platform.service(plan.serviceName, { deployLogLines: WINDOW_LINES }, run.signal)
  if (!now || (now.branch !== undefined && now.branch !== branch)) {
    const what = now ? `somebody else has switched the service to ${now.branch}` : 'somebody has deleted the service'
    run.log.info(`Not rolled back: ${what} meanwhile`)
    return undefined
  }
  const commit = shortSha(back.commit)
  run.log.info(`Going back to ${commit} (${back.branch})`)
  const end = await rollOut(run, {
    ...ownedBy(plan, repositorySlug),
    branch: back.branch,
    commitHash: remoteBranches.get(back.branch),
    // The failed build's lines stand in the log by now; they are not this one's.
    existing: { ...existing, branch: now.branch, deployLogs: now.deployLogs },
    settings: () => (existing.env ? { env: existing.env } : {}),
    health: plan.health,
    // Often it is the time that is over, and users are waiting all the same.
    deadlineAt: Math.max(run.deadlineAt, run.clock.now() + Math.min(plan.timeoutMs, windUpMs)),
  })
  const { status, sentence } = judge(end)
  run.reporter.timeline.end(status === 'live' ? 'done' : 'failed', sentence)
  if (end.kind !== 'live') {
    const also = `going back to ${commit} did not work either: ${sentence}`
    run.log.warning(capital(also))
    return { status: failed.status, sentence: `${failed.sentence}; ${also}` }
  }
  run.reporter.update({ lastWorking: { commit: back.commit, url: end.url, stillLive: true } })
  return { status: 'rolled-back', sentence: `${failed.sentence}; production is back at ${commit}` }
}

/** Where to go back to: the branch that the service had when it was found, if that exists and had not failed itself. */
function versionBefore(existing: Service | undefined, branches: ReadonlyMap<string, string>) {
  const branch = existing?.branch
  const commit = commitOf(existing)
  if (existing?.url === undefined || meaningOf(existing.status)?.phase === 'ended') return undefined
  return branch !== undefined && commit !== undefined && branches.has(branch) ? { branch, commit } : undefined
}

const askTimeoutMs = 5000

/**
 * The version that worked before a failed deployment, as far as it is known: from the service as it was found, else from
 * the card. “Still live” is claimed only when its URL was seen to answer after the failure.
 */
export async function lastWorkingVersion(run: Run, existing: Service | undefined): Promise<LastWorking | undefined> {
  const previous = run.reporter.previous()
  const served = liveVersion(existing)
  // What the platform calls active may have answered with errors; the card knows.
  const unhealthy = served !== undefined && previous?.commit === served.commit && previous.status !== 'live'
  const { commit, url } = previous ?? {}
  const fromCard = previous?.status === 'live' && commit !== undefined ? { commit, url } : previous?.lastWorking
  const known = (unhealthy ? undefined : served) ?? fromCard
  if (!known) return undefined
  return { ...known, stillLive: known.url !== undefined && (await answers(run, known.url)) }
}

/** What a service runs, as far as its latest deployment is live. */
export function liveVersion(existing: Service | undefined): LastWorking | undefined {
  const commit = commitOf(existing)
  return commit !== undefined && isLive(existing) ? { commit, url: existing?.url } : undefined
}

async function answers(run: Run, url: string): Promise<boolean> {
  try {
    const { status } = await run.http(new URL(url), signalWithin(askTimeoutMs, run.signal))
    return status < 400
  } catch {
    run.signal.throwIfAborted()
    return false // whatever keeps it from answering, it cannot be called live
  }
}
