import { isDeepStrictEqual } from 'node:util'
import { count, formatBytes, shortSha } from '../core/format.ts'
import { safeMessage } from '../core/sanitize.ts'
import { describeSize } from '../ink/account.ts'
import { describeKept } from '../plan/describe.ts'
import type { Change } from '../plan/guards.ts'
import { deploymentBranch } from '../plan/names.ts'
import { describeIdleGlobs } from '../plan/paths.ts'
import { keptSecrets } from '../plan/variables.ts'
import { isBad } from '../report/parts.ts'
import type { PushResult } from '../source/push.ts'
import { changeMeanwhile } from './facts.ts'
import {
  type DeployPlan,
  desiredSettings,
  detectInSnapshot,
  expirySeconds,
  explainEnd,
  healthAfter,
  type Prepared,
  prepare,
  pushSnapshot,
  type Work,
} from './prepare.ts'
import { costOf, isBilled, makeRoom, readAccount, wholeSize } from './resources/account.ts'
import { keepVersions } from './resources/branches.ts'
import { findDatabase, makeDatabase, readSeed, runSeed, type Seed } from './resources/databases.ts'
import { applyDnsRecords, applyDomain } from './resources/dns.ts'
import { ownedBy } from './resources/repository.ts'
import { lastWorkingVersion, liveVersion, restorePrevious } from './rollback.ts'
import { rollOut } from './rollout.ts'
import type { Outcome, Run } from './run.ts'
import { partsBefore } from './start-again.ts'
import { teardownClosed } from './teardown.ts'
import { type Ended, type Explanation, judge, outcomeOf, type RolloutEnd, tellEnd } from './verdict.ts'

/** Brings a commit to its URL: snapshot, push, roll-out, probe; then sees to what the world did meanwhile. */
export async function deploy(plan: DeployPlan, run: Run): Promise<Outcome> {
  const { timeline } = run.reporter
  // Closed when this function ends, so everything that uses it is awaited in here.
  await using source = run.openSource({
    ignoreWorkspace: plan.kind === 'preview' && plan.untrusted,
    deadlineAt: run.deadlineAt,
  })
  timeline.begin('snapshot', 'Snapshot, and what ml.ink has')
  const prepared = await prepare({ plan, run, source })
  const { snapshot } = prepared
  const branch = deploymentBranch(plan.target, snapshot.sourceSha, snapshot.suffix)
  const begun: Work = { plan, run, source, prepared, branch, pushed: undefined }
  await tellSource(begun)
  const seed = await readSeed(plan, source, snapshot, run.signal)
  const overtaken = await changeSince(begun)
  if (overtaken) return await giveWay(begun, overtaken)
  timeline.begin('push', `Push ${branch}`)
  const pushed = await pushSnapshot(begun, prepared.remoteBranches)
  timeline.end('done', describePush(pushed))

  // Of two pushes to production the newer one stays, however long the push of the older took. A preview that was closed
  // meanwhile is taken down again in the end, and that its head has moved on is said then.
  const before = plan.kind === 'production' && (await changeSince(begun))
  if (before) return await giveWay({ ...begun, pushed }, before)
  let work: Work
  let end: RolloutEnd
  try {
    await makeRoom(plan, run, prepared)
    work = { ...begun, pushed, prepared: await withDatabase(plan, run, prepared, seed) }
    end = await rollOutWork(work, seed)
  } catch (error) {
    run.signal.throwIfAborted()
    // Where that is not known either, what failed first is told.
    const change = plan.kind === 'preview' ? await changeSince(begun).catch(() => undefined) : undefined
    if (change?.kind !== 'closed') throw error
    // Whoever took the preview down when it was closed may not have found yet what was made for it.
    run.log.warning(`The preview could not be made: ${safeMessage(run, error)}`)
    return await giveWay(begun, change)
  }
  const after = await changeSince(begun)
  if (after?.kind === 'closed') return await giveWay(work, after)
  const [outcome, account] = await Promise.all([
    conclude(work, end, after),
    readAccount(run.platform, plan.place, run.signal),
  ])
  return outcome.report.kind === 'deploy' ? { ...outcome, report: { ...outcome.report, account } } : outcome
}

/** Makes the database where one is wanted and not there, and fills it. */
async function withDatabase(plan: DeployPlan, run: Run, prepared: Prepared, seed: Seed | undefined): Promise<Prepared> {
  if (!plan.database) return prepared
  let { database } = prepared
  if (!database) {
    database = await makeDatabase(run, plan.database)
    run.log.info(`Made the database ${database.name}`)
    run.reporter.update({ database: database.name })
  }
  const complete = { ...prepared, database }
  if (seed !== undefined) await runSeed(run, complete, seed)
  return complete
}

async function rollOutWork(work: Work, seed: Seed | undefined): Promise<RolloutEnd> {
  const { plan, run, source, prepared, branch } = work
  const { existing, snapshot, removals } = prepared
  const kept = keptSecrets(existing?.env, plan.variables)
  if (kept.length > 0) run.log.warning(describeKept(kept))
  const expiry = expirySeconds(plan, run.platform)
  if (expiry !== undefined) run.reporter.noteExpiry(expiry * 1000)
  let current = prepared
  const findOwn = async () => plan.database && (await findDatabase(run, plan.database, run.signal))
  const end = await rollOut(run, {
    ...ownedBy(plan, prepared.repositorySlug),
    branch,
    commitHash: snapshot.sha,
    existing,
    settings: (now) => desiredSettings(plan, run.platform, current, now),
    stillWanted: async () => {
      if (await changeSince(work)) return false
      // Whoever took the service away may have taken branch and database along. Without a branch nobody would find the
      // database, should this run come to nothing.
      await restoreBranch(work, async () => true)
      const detected = await detectInSnapshot(work, snapshot)
      const anew = { ...prepared, existing: undefined, database: await findOwn(), detected }
      current = await withDatabase(plan, run, anew, seed)
      return true
    },
    restoreBranch: () => restoreBranch(work, async () => !(await changeSince(work))),
    health: await healthAfter(existing, plan.health, run),
    deadlineAt: run.deadlineAt,
    ...(removals ? { removalUnderWay: (createdAt) => removals.look(source, createdAt) } : {}),
  })
  if (end.kind !== 'live' || !removals || !plan.database) return end
  // A removal that found no service yet may have taken the database, which was there before.
  const database = await findOwn()
  if (isDeepStrictEqual(database?.variables, current.database?.variables)) return end
  run.log.info(`The database ${plan.database.name} was removed meanwhile; the service gets another one`)
  const now = await run.platform.service(plan.serviceName, partsBefore, run.signal)
  const again = await withDatabase(plan, run, { ...prepared, existing: now, database }, seed)
  return rollOutWork({ ...work, prepared: again }, seed)
}

const changeSince = ({ plan, run, prepared }: Work) => changeMeanwhile(plan, run, prepared.snapshot.sourceSha)

/**
 * A teardown that was still under way when the pull request was opened again may take the branch from under the build.
 * @returns whether it was gone, and is there again
 */
async function restoreBranch(work: Work, isWanted: () => Promise<boolean>): Promise<boolean> {
  const { run, source, prepared, branch } = work
  const remoteBranches = await source.branches(prepared.remote, run.signal)
  if (remoteBranches.has(branch) || !(await isWanted())) return false
  run.log.info(`The branch ${branch} was deleted meanwhile, probably by an earlier run; pushing it again`)
  await pushSnapshot(work, remoteBranches)
  return true
}

/** The branch was superseded or the pull request closed before anything was pushed or started, or while it was. */
async function giveWay(work: Work, change: Change): Promise<Outcome> {
  const { run, plan } = work
  const { sentence } = change
  if (change.kind === 'closed' && plan.kind === 'preview') {
    run.log.info(`${sentence}; taking the preview down`)
    return teardownClosed(plan, run)
  }
  run.reporter.update({ supersededBy: change.by, reason: sentence })
  run.reporter.timeline.end('cancelled', sentence)
  return deployed(work, { status: 'superseded', sentence }, undefined)
}

async function conclude(work: Work, end: RolloutEnd, moved: Change | undefined): Promise<Outcome> {
  const { run, plan, prepared } = work
  const { existing } = prepared
  const judgement = judge(end)
  tellEnd(run, end, judgement, existing)
  const perDay = costOf(sizeOf(work), plan, run.platform)
  if (perDay !== undefined) run.output('cost-per-day', perDay.toFixed(4))
  if (judgement.status === 'live') {
    run.reporter.update({ costPerDay: perDay, ...(moved ? { note: moved.sentence } : {}) })
    run.reporter.timeline.begin('settle', 'Settle')
    await applyDomain(run, plan, existing)
    if (plan.kind === 'production') await applyDnsRecords(run, plan)
    await keepVersions(work)
    run.reporter.timeline.end('done', 'Settled')
    return deployed(work, judgement, undefined)
  }
  const superseded = judgement.status === 'superseded'
  const explanation = superseded ? undefined : await explainEnd(work, end)
  run.reporter.update({
    diagnosis: explanation?.diagnosis,
    lastWorking: superseded ? undefined : await lastWorkingVersion(run, existing),
    reason: explanation ? undefined : judgement.sentence,
  })
  // What could not be confirmed may well be good: that is red, but no reason to take it away from its users.
  const harms = end.kind !== 'unconfirmed' && isBad(judgement.status)
  const back = harms && plan.kind === 'production' && plan.rollback && (await restorePrevious(plan, work, judgement))
  return deployed(work, back || judgement, explanation)
}

/** Tells what is known of the source as soon as it is known: the outputs are there also when something fails later. */
async function tellSource({ plan, run, source, prepared, branch }: Work): Promise<void> {
  const { snapshot, repositorySlug, database, existing } = prepared
  run.reporter.replaces(liveVersion(existing)?.commit)
  const { sourceSha, sha, subject, files, bytes, why } = snapshot
  const size = `${count(files, 'file')}, ${formatBytes(bytes)}`
  run.log.info(`Commit ${shortSha(sourceSha)} “${subject}”: ${size}, snapshot ${shortSha(sha)}`)
  if (why) run.log.info(why)
  run.output('repo', repositorySlug)
  run.output('branch', branch)
  run.output('commit', sourceSha)
  run.output('snapshot', sha)
  run.reporter.update({ commit: sourceSha, bytes, ...(database ? { database: database.name } : {}) })
  // What is shipped is not what is tracked, where either of these is set.
  if (!plan.paths || plan.directory !== undefined || plan.exportIgnore) return
  const warning = describeIdleGlobs(plan.paths, await source.files(snapshot, run.signal))
  if (warning) run.log.warning(warning)
}

function describePush(pushed: PushResult): string {
  if (pushed.kind === 'already-there') return 'ml.ink has this very commit already; nothing was sent'
  const against = pushed.incremental && pushed.against ? `, only the difference to ${shortSha(pushed.against)}` : ''
  return `Sent ${count(pushed.objects, 'object')}, ${formatBytes(pushed.bytes)}${against}`
}

/** What a deployment comes to: the row is brought to its end, and all that is known of it becomes the report. */
function deployed(work: Work, ended: Ended, explanation: Explanation | undefined): Outcome {
  const { run, plan, prepared, pushed, branch } = work
  const { status, sentence } = ended
  const { sha, files } = prepared.snapshot
  run.reporter.update(status === 'failed' ? { status } : { status, phase: undefined })
  if (status === 'superseded') {
    run.output('skipped-reason', sentence)
    run.log.notice(`${plan.serviceName} was left to a newer deployment: ${sentence}`)
  }
  const perDay = run.reporter.row().costPerDay
  return outcomeOf(run, ended, explanation, {
    action: plan.kind,
    pushed: pushed && {
      branch,
      snapshot: sha,
      files,
      bytes: pushed.bytes,
      objects: pushed.objects,
      kind: pushed.kind === 'already-there' ? 'none' : pushed.incremental ? 'incremental' : 'whole',
    },
    detected: prepared.detected?.sentence,
    envNames: [...plan.variables.keys(), ...Object.keys(prepared.database?.variables ?? {})].sort(),
    cost: perDay === undefined ? undefined : { perDay, basis: basisOf(work) },
  })
}

function basisOf(work: Work): string {
  const { database } = work.plan
  const usual = work.run.platform.defaultSize
  const service = describeSize(wholeSize(sizeOf(work), usual))
  return database && isBilled(database)
    ? `${service}, and its ${database.type} database (${describeSize(usual)} assumed)`
    : service
}

/** What the service has, as far as it was asked for or is told. */
function sizeOf({ plan, prepared: { existing } }: Work) {
  const { memory, vcpus } = plan.build
  const scaled = plan.kind === 'production' ? plan.autoscale : undefined
  return {
    memory: scaled?.memoryMi ? (existing?.memory ?? memory) : (memory ?? existing?.memory),
    vcpus: scaled?.vcpus ? (existing?.vcpus ?? vcpus) : (vcpus ?? existing?.vcpus),
  }
}
