import { count, formatBytes } from '../core/format.ts'
import { deploymentBranch } from '../plan/names.ts'
import type { CardRow } from '../report/row.ts'
import type { PushResult } from '../source/contract.ts'
import { lookAtAccount } from './account.ts'
import { costOf } from './costs.ts'
import { makeDatabase } from './databases.ts'
import { outcomeOf, sizeOf } from './deploy-outcome.ts'
import { settleDns } from './dns.ts'
import { settleDomain } from './domain.ts'
import { explain } from './explain.ts'
import { lastWorkingVersion } from './last-working.ts'
import { makeRoom } from './limits.ts'
import { measured } from './measured.ts'
import type { Outcome } from './outcome.ts'
import { type Prepared, prepare } from './prepare.ts'
import { rollBackAfterFailure } from './roll-back.ts'
import type { Run } from './run.ts'
import { readSeed, sow } from './seed.ts'
import { startOnBranch } from './start-on-branch.ts'
import { type Change, changeMeanwhile } from './still-wanted.ts'
import type { Switched } from './switch-service.ts'
import { teardownClosed } from './teardown.ts'
import { tidy } from './tidy.ts'
import { type Judgement, judge } from './verdict.ts'
import { basesOf, type DeployPlan, type Work } from './work.ts'

/** Brings a commit to its URL: snapshot, push, switch, watch, probe; then settles what the world did meanwhile. */
export async function deploy(plan: DeployPlan, run: Run): Promise<Outcome> {
  const { timeline } = run.reporter
  // Closed when this function ends, so everything that uses it is awaited in here.
  await using source = run.openSource(plan.place, { ignoreWorkspace: plan.kind === 'preview' && plan.untrusted })
  timeline.begin('snapshot', 'Snapshot, and what ml.ink has')
  const found = await prepare(plan, run, source)
  const branch = deploymentBranch(plan.target, found.snapshot.sourceSha, found.snapshot.suffix)
  tellSource(run, found, branch)

  const { snapshot, remote, remoteBranches } = found
  const seed = await readSeed(plan, source, snapshot, run.signal)
  timeline.begin('push', `Push ${branch}`)
  const pushed = await source.push({ snapshot, remote, branch, ...basesOf(plan), remoteBranches }, run.signal)
  // The same commit may have been deployed under another ref before, and its snapshot names that one.
  if (pushed.sha) run.output('snapshot', pushed.sha)
  timeline.end('done', pushInWords(pushed))

  const before = await changeMeanwhile(plan, run, snapshot.sourceSha)
  if (before) return await settleChange({ plan, run, source, prepared: found, branch, pushed }, before)
  await makeRoom(plan, run, found)
  const prepared = { ...found, database: await databaseOf(plan, run, found) }
  if (seed !== undefined) await sow(run, plan, prepared, seed)
  const work: Work = { plan, run, source, prepared, branch, pushed }
  const switched = await startOnBranch(work)
  const judgement = judge(switched)
  const after = await changeMeanwhile(plan, run, snapshot.sourceSha)
  if (after?.kind === 'closed') return await settleChange(work, after)
  const [outcome, account] = await Promise.all([
    settle(work, switched, judgement, after),
    lookAtAccount(run.platform, plan.place, run.signal),
  ])
  return outcome.report.kind === 'deploy' ? { ...outcome, report: { ...outcome.report, account } } : outcome
}

async function databaseOf(plan: DeployPlan, run: Run, { database }: Prepared): Promise<Prepared['database']> {
  if (!plan.database || database) return database
  const made = await makeDatabase(run, plan.database)
  run.log.info(`Made the database ${made.name}`)
  run.reporter.update({ database: made.name })
  return made
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
    await settleDomain(run, plan, work.prepared.existing)
    if (plan.kind === 'production') await settleDns(run, plan)
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
  // What could not be confirmed may well be good: that is red, but no reason to take it away from its users.
  const doubtful = switched.confirmation?.kind === 'lost' && switched.confirmation.loss.kind === 'unconfirmed'
  const bad = !doubtful && ['failed', 'unhealthy', 'timed-out'].includes(judgement.status)
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
    `Commit ${snapshot.sourceSha.slice(0, 7)} “${snapshot.subject}”: ${count(snapshot.files, 'file')}, ${formatBytes(snapshot.bytes)}, snapshot ${snapshot.sha.slice(0, 7)}`,
  )
  if (snapshot.why) run.log.info(snapshot.why)
  run.output('repo', repositorySlug)
  run.output('branch', branch)
  run.output('commit', snapshot.sourceSha)
  run.output('snapshot', snapshot.sha)
  const { sourceSha, bytes } = snapshot
  run.reporter.update({ commit: sourceSha, bytes, ...(database ? { database: database.name } : {}) })
}

function tellVerdict({ run, plan, prepared }: Work, switched: Switched, judgement: Judgement): void {
  const { verdict } = switched
  const url = verdict.kind === 'live' ? verdict.url : undefined
  const timings =
    verdict.kind === 'live' || verdict.kind === 'failed' || verdict.kind === 'crashed' ? verdict.timings : undefined
  if (url) run.output('url', url)
  if (timings) run.output('build-seconds', Math.round(timings.buildMs / 1000))
  const perDay = costOf(sizeOf(plan, prepared), { ...plan, prices: run.settings.prices })
  if (perDay !== undefined) run.output('cost-per-day', perDay.toFixed(4))
  const change: Partial<CardRow> = {
    status: judgement.status,
    phase: verdict.kind === 'failed' ? phaseOf[verdict.phase] : undefined,
    url: prepared.existing?.url,
    ...measured(switched),
    costPerDay: judgement.status === 'live' ? perDay : undefined,
  }
  run.reporter.update(change)
  run.reporter.timeline.end(
    judgement.status === 'live' ? 'done' : judgement.status === 'superseded' ? 'cancelled' : 'failed',
    judgement.sentence,
  )
}

const phaseOf = { triggering: 'queue', queued: 'queue', building: 'build', 'rolling-out': 'roll-out' } as const

function pushInWords(pushed: PushResult): string {
  if (pushed.kind === 'already-there') return 'ml.ink has this very commit already; nothing was sent'
  const against = pushed.incremental && pushed.against ? `, only the difference to ${pushed.against.slice(0, 7)}` : ''
  return `Sent ${count(pushed.objects, 'object')}, ${formatBytes(pushed.bytes)}${against}`
}
