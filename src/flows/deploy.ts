import { costPerDay, sizeInWords } from '../ink/prices.ts'
import { deploymentBranch } from '../plan/names.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { AnnotationView, CardRow, DeployReport, PushedView } from '../report/model.ts'
import type { PushResult, Source } from '../source/contract.ts'
import { meaningOf } from '../watch/status.ts'
import { branchesInUse, deleteOldBranches } from './branches.ts'
import { makeDatabase } from './databases.ts'
import { desiredSettings } from './desired-service.ts'
import { attachDomain } from './domain.ts'
import { type Explanation, explain } from './explain.ts'
import { lastWorkingVersion } from './last-working.ts'
import { makeRoom } from './limits.ts'
import type { Outcome } from './outcome.ts'
import { claimService } from './ownership.ts'
import { type Prepared, prepare } from './prepare.ts'
import { rollBackAfterFailure } from './roll-back.ts'
import type { Run } from './run.ts'
import { type Change, changeMeanwhile } from './still-wanted.ts'
import { type Switched, switchService, tameError } from './switch-service.ts'
import { teardownClosed } from './teardown.ts'
import { inSeconds } from './timeline.ts'
import { failureOf, type Judgement, judge } from './verdict.ts'

type DeployPlan = PreviewPlan | ProductionPlan

/** Brings a commit to its URL: snapshot, push, switch, watch, probe; then settles what the world did meanwhile. */
export async function deploy(plan: DeployPlan, run: Run): Promise<Outcome> {
  const { timeline } = run.reporter
  // Closed when this function ends, so everything that uses it is awaited in here.
  await using source = run.openSource(plan.place, { ignoreWorkspace: plan.kind === 'preview' && plan.untrusted })
  timeline.begin('snapshot', 'Snapshot, and what ml.ink has')
  const found = await prepare(plan, run, source)
  const branch = deploymentBranch(plan.target, found.snapshot.sourceSha, found.snapshot.suffix)
  tellSource(run, found, branch)

  timeline.begin('push', `Push ${branch}`)
  const { snapshot, remote, remoteBranches } = found
  const pushed = await source.push({ snapshot, remote, branch, ...basesOf(plan), remoteBranches }, run.signal)
  // The same commit may have been deployed under another ref before, and its snapshot names that one.
  if (pushed.sha) run.output('snapshot', pushed.sha)
  timeline.end('done', pushInWords(pushed))

  const before = await changeMeanwhile(plan, run, snapshot.sourceSha)
  if (before) return await settleChange({ plan, run, source, prepared: found, branch, pushed }, before)
  await makeRoom(plan, run, found)
  const prepared = { ...found, database: await databaseOf(plan, run, found) }
  const work: Work = { plan, run, source, prepared, branch, pushed }
  const switched = await startOnBranch(work)
  const judgement = judge(switched)
  const after = await changeMeanwhile(plan, run, snapshot.sourceSha)
  if (after?.kind === 'closed') return await settleChange(work, after)
  return await settle(work, switched, judgement, after)
}

async function databaseOf(plan: DeployPlan, run: Run, { database }: Prepared): Promise<Prepared['database']> {
  if (!plan.database || database) return database
  const made = await makeDatabase(run.platform, plan.database, run.mask, run.signal)
  run.log.info(`Made the database ${made.name}`)
  run.reporter.update({ database: made.name })
  return made
}

interface Work {
  readonly plan: DeployPlan
  readonly run: Run
  readonly source: Source
  readonly prepared: Prepared
  readonly branch: string
  readonly pushed: PushResult
}

/**
 * A teardown of the same pull request that was still under way when it was opened again may take the branch from under
 * the build. Then it is pushed once more.
 */
async function startOnBranch(work: Work): Promise<Switched> {
  const { plan, run, source, prepared, branch } = work
  const first = await start(work)
  if (first.verdict.kind !== 'failed') return first
  const remoteBranches = await source.branches(prepared.remote, run.signal)
  if (remoteBranches.has(branch) || (await changeMeanwhile(plan, run, prepared.snapshot.sourceSha))) return first
  run.log.info(`The branch ${branch} was deleted meanwhile, probably by an earlier run; pushing it again`)
  const { snapshot, remote } = prepared
  await source.push({ snapshot, remote, branch, ...basesOf(plan), remoteBranches }, run.signal)
  const existing = await run.platform.service(plan.serviceName, { env: true, deployLogLines: 500 }, run.signal)
  return start({ ...work, prepared: { ...prepared, existing } })
}

function start({ plan, run, prepared, branch }: Work): Promise<Switched> {
  return switchService(run, {
    serviceName: plan.serviceName,
    branch,
    commitHash: prepared.snapshot.sha,
    existing: prepared.existing,
    repositorySlug: prepared.repositorySlug,
    repositoryName: plan.place.repositoryName,
    settings: (existing) =>
      desiredSettings({
        build: plan.build,
        variables: plan.variables,
        envStrategy: plan.envStrategy,
        databaseVariables: prepared.database?.variables ?? {},
        prebuilt: plan.directory !== undefined,
        expireAfterSeconds:
          plan.kind === 'preview' && run.platform.canExpire ? expirySeconds(plan.previewTtlMs) : undefined,
        existing,
      }),
    claim: (service) => claimService(service, plan, prepared.repositorySlug),
    mayCreateAnew: async () => (await changeMeanwhile(plan, run, prepared.snapshot.sourceSha)) === undefined,
    health: plan.health,
    deadlineAt: run.clock.now() + plan.timeoutMs,
  })
}

// The platform counts at most a day (destroy_timeout_seconds, G2); longer lives end with the sweep.
function expirySeconds(ttlMs: number | undefined): number | undefined {
  const seconds = ttlMs === undefined ? undefined : Math.round(ttlMs / 1000)
  return seconds !== undefined && seconds <= 86_400 ? seconds : undefined
}

/** The branch was superseded or the pull request closed before anything was started, or while it was. */
async function settleChange(work: Work, change: Change): Promise<Outcome> {
  const { run } = work
  if (change.kind === 'closed') {
    run.log.info(`${change.sentence}; taking the preview down`)
    return teardownClosed(work.plan, run)
  }
  run.reporter.update({ status: 'superseded', supersededBy: change.by, reason: change.sentence })
  run.reporter.timeline.end('cancelled', change.sentence)
  return outcomeOf(work, { status: 'superseded', sentence: change.sentence }, undefined)
}

async function settle(
  work: Work,
  switched: Switched,
  judgement: Judgement,
  moved: Change | undefined,
): Promise<Outcome> {
  const { run, plan } = work
  tellVerdict(work, switched, judgement)
  if (judgement.status === 'live') {
    run.reporter.timeline.begin('settle', 'Settle')
    if (plan.kind === 'production' && plan.domain) await attachDomain(run, plan.serviceName, plan.domain)
    await tidy(work)
    if (moved) run.reporter.update({ note: moved.sentence })
    run.reporter.timeline.end('done', 'Settled')
    return outcomeOf(work, judgement, undefined)
  }
  const explanation =
    judgement.status === 'superseded' ? undefined : explain(plan, switched, judgement, await filesOf(work))
  run.reporter.update({
    diagnosis: explanation?.diagnosis,
    lastWorking: judgement.status === 'superseded' ? undefined : await lastWorkingVersion(run, work.prepared.existing),
    reason: explanation ? undefined : judgement.sentence,
  })
  const bad = ['failed', 'unhealthy', 'timed-out'].includes(judgement.status)
  if (plan.kind === 'production' && plan.rollback && bad) {
    const back = await rollBackAfterFailure(run, plan, work, judgement)
    if (back) return outcomeOf(work, back, explanation)
  }
  return outcomeOf(work, judgement, explanation)
}

/** Annotations are made on files of the deployed tree alone: a log is a stranger's text and may name anything. */
async function filesOf({ source, prepared, run }: Work): Promise<(path: string) => boolean> {
  const files = await source.files(prepared.snapshot, run.signal)
  return (path) => files.has(path)
}

/** Tells what is known of the source as soon as it is known: the outputs are there also when something fails later. */
function tellSource(run: Run, { snapshot, repositorySlug, database }: Prepared, branch: string): void {
  run.log.info(
    `Commit ${snapshot.sourceSha.slice(0, 7)} “${snapshot.subject}”: ${snapshot.files} ${snapshot.files === 1 ? 'file' : 'files'}, snapshot ${snapshot.sha.slice(0, 7)}`,
  )
  if (snapshot.why) run.log.info(snapshot.why)
  run.output('repo', repositorySlug)
  run.output('branch', branch)
  run.output('commit', snapshot.sourceSha)
  run.output('snapshot', snapshot.sha)
  run.reporter.update({ commit: snapshot.sourceSha, ...(database ? { database: database.name } : {}) })
}

function tellVerdict({ run, plan, prepared }: Work, { verdict, confirmation }: Switched, judgement: Judgement): void {
  const probe = confirmation?.kind === 'probed' ? confirmation.probe : undefined
  const url = verdict.kind === 'live' ? verdict.url : undefined
  const timings =
    verdict.kind === 'live' || verdict.kind === 'failed' || verdict.kind === 'crashed' ? verdict.timings : undefined
  if (url) run.output('url', url)
  if (timings) run.output('build-seconds', Math.round(timings.buildMs / 1000))
  const perDay = costPerDay(sizeOf(plan, prepared), run.settings.prices)
  if (perDay !== undefined) run.output('cost-per-day', perDay.toFixed(4))
  const change: Partial<CardRow> = {
    status: judgement.status,
    phase: verdict.kind === 'failed' ? phaseOf[verdict.phase] : undefined,
    url: url ?? prepared.existing?.url,
    buildMs: verdict.kind !== 'live' || timings?.fromCache || !timings?.buildMs ? undefined : timings.buildMs,
    cached: timings?.fromCache,
    health:
      probe?.outcome === 'healthy' || probe?.status !== undefined
        ? { status: probe.status ?? 200, latencyMs: probe.latencyMs ?? 0, tools: probe.tools?.length }
        : undefined,
    probe: probe?.outcome === 'skipped' ? 'off' : probe?.outcome === 'no-url' ? 'no-url' : undefined,
    costPerDay: judgement.status === 'live' ? perDay : undefined,
  }
  run.reporter.update(change)
  run.reporter.timeline.end(
    judgement.status === 'live' ? 'done' : judgement.status === 'superseded' ? 'cancelled' : 'failed',
    judgement.sentence,
  )
}

const phaseOf = { triggering: 'queue', queued: 'queue', building: 'build', 'rolling-out': 'roll-out' } as const

function sizeOf(plan: DeployPlan, { existing }: Prepared) {
  return { memory: plan.build.memory ?? existing?.memory, vcpus: plan.build.vcpus ?? existing?.vcpus }
}

/** Deletes the branches of earlier deployments. What cannot be deleted now is found by the next run or the sweep. */
async function tidy({ run, plan, source, prepared, branch }: Work): Promise<void> {
  try {
    // Our own service is asked as well: somebody may have taken over since it was seen live.
    const where = { repositorySlug: prepared.repositorySlug, targets: [plan.target], except: [] }
    const inUse = await branchesInUse(run.platform, where, run.signal)
    const branches = new Map([...prepared.remoteBranches, [branch, prepared.snapshot.sha]])
    const deleted = await deleteOldBranches(
      source,
      prepared.remote,
      { branches, target: plan.target, protect: [branch, ...inUse, ...versionBefore(prepared)] },
      run.signal,
    )
    if (deleted.length > 0)
      run.log.info(
        `Deleted ${deleted.length} ${deleted.length === 1 ? 'branch' : 'branches'} that no deployment needs any more`,
      )
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(
      `Old branches on ml.ink could not be deleted (${tameError(run, error)}). The next deployment tries again.`,
    )
  }
}

/** The version that this one took the place of is kept, so that there is something to roll back to. */
function versionBefore({ existing }: Prepared): string[] {
  const worked = existing !== undefined && meaningOf(existing.status)?.phase === 'live'
  return worked && existing.branch !== undefined ? [existing.branch] : []
}

function outcomeOf(
  work: Work,
  { status, sentence }: { status: CardRow['status']; sentence: string },
  explanation: Explanation | undefined,
): Outcome {
  const { run, plan } = work
  run.reporter.update(status === 'failed' ? { status } : { status, phase: undefined })
  const annotations: readonly AnnotationView[] = explanation?.annotations ?? []
  const perDay = run.reporter.row().costPerDay
  const report: DeployReport = {
    kind: 'deploy',
    action: plan.kind,
    row: run.reporter.row(),
    phases: run.reporter.timeline.phases,
    pushed: pushedView(work),
    envNames: [...plan.variables.keys(), ...Object.keys(work.prepared.database?.variables ?? {})].sort(),
    cost:
      perDay === undefined
        ? undefined
        : { perDay, perMonth: perDay * 30, basis: sizeInWords(sizeOf(plan, work.prepared)) },
    annotations,
    runUrl: run.context.runUrl,
    warnings: run.reporter.warnings(),
  }
  const failure = failureOf(
    status,
    explanation ? `${sentence}: ${explanation.diagnosis.cause}` : sentence,
    explanation?.diagnosis.hint,
  )
  return { action: plan.kind, status: status === 'building' ? 'failed' : status, report, failure }
}

function pushedView({ branch, prepared, pushed }: Work): PushedView {
  const { snapshot } = prepared
  return {
    branch,
    snapshot: snapshot.sha,
    files: snapshot.files,
    bytes: pushed.bytes,
    objects: pushed.objects,
    kind: pushed.kind === 'already-there' ? 'none' : pushed.incremental ? 'incremental' : 'whole',
  }
}

/** The deployments whose snapshots the platform probably has, and the refs under which those were made. */
function basesOf(plan: DeployPlan): { bases: readonly string[]; baseRefs: readonly string[] } {
  const branch = plan.kind === 'preview' ? plan.pullRequest.base.ref : plan.place.repository.defaultBranch
  return { bases: plan.bases, baseRefs: [`refs/heads/${branch}`] }
}

function pushInWords(pushed: PushResult): string {
  if (pushed.kind === 'already-there') return 'ml.ink has this very commit already; nothing was sent'
  const against = pushed.incremental && pushed.against ? `, only the difference to ${pushed.against.slice(0, 7)}` : ''
  return `Sent ${pushed.objects} objects, ${pushed.bytes} bytes${against} in ${inSeconds(pushed.durationMs)}`
}
