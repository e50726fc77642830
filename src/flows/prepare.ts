import { bothOf } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { ServiceSettings } from '../ink/catalogue.ts'
import type { Platform } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { type DetectedBuild, decidingFiles, detectBuild, isBuildSaid, startAdvice } from '../plan/file/detect.ts'
import type { FileTree } from '../plan/file/detect-node.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import type { HealthCheck } from '../plan/settings.ts'
import { layVariables } from '../plan/variables.ts'
import type { PushResult } from '../source/push.ts'
import type { GitRemote } from '../source/remote.ts'
import type { Snapshot } from '../source/snapshot.ts'
import type { Source } from '../source/source.ts'
import { isMerelyTolerated } from '../watch/probe.ts'
import { assertAffordable, assertDeployable } from './resources/account.ts'
import { type RemovalWatch, watchRemovals } from './resources/branches.ts'
import { findDatabase, type ServiceDatabase } from './resources/databases.ts'
import { assertOwned, openInkRepository } from './resources/repository.ts'
import type { Run, RunDeps } from './run.ts'
import { partsBefore } from './start-again.ts'
import { explain, type RolloutEnd } from './verdict.ts'

export type DeployPlan = PreviewPlan | ProductionPlan

/** What a deployment starts from. */
export interface Prepared {
  readonly snapshot: Snapshot
  /** The service as it was before this run. */
  readonly existing: Service | undefined
  readonly remote: GitRemote
  /** `owner/slug` on the platform's git hosting. */
  readonly repositorySlug: string
  readonly remoteBranches: ReadonlyMap<string, string>
  /** Undefined when none is wanted, or it has to be made yet. */
  readonly database: ServiceDatabase | undefined
  /** What its files tell of a service that is yet to be created. */
  readonly detected: DetectedBuild | undefined
  /** Undefined for production, which nothing removes. */
  readonly removals: RemovalWatch | undefined
}

/** A deployment, before anything is known of it. */
interface Begun {
  readonly plan: DeployPlan
  readonly run: Run
  readonly source: Source
}

/** A deployment under way. */
export interface Work extends Begun {
  readonly prepared: Prepared
  readonly branch: string
  /** Undefined until its branch is pushed. */
  readonly pushed: PushResult | undefined
}

/** Reads the platform and makes the snapshot, at the same time; makes the repository when it is missing. */
export async function prepare(begun: Begun): Promise<Prepared> {
  const [platformSide, snapshot] = await bothOf(
    begun.run.signal,
    (signal) => preparePlatform({ ...begun, run: { ...begun.run, signal } }),
    (signal) => begun.source.snapshot(snapshotRequest(begun.plan), signal),
  )
  const detected = platformSide.existing ? undefined : await detectInSnapshot(begun, snapshot)
  return { ...platformSide, snapshot, detected }
}

/** The source snapshots are shared by what is asked of them, so nothing else of the plan may be in there. */
export function snapshotRequest({ wanted, ordinaryCheckouts, directory, exportIgnore, lfsPointers }: DeployPlan) {
  return { wanted, ordinaryCheckouts, directory, exportIgnore, lfsPointers }
}

async function preparePlatform({ plan, run, source }: Begun): Promise<Omit<Prepared, 'snapshot' | 'detected'>> {
  const { platform, signal } = run
  const { serviceName, place } = plan
  const readService = (one: AbortSignal) => platform.service(serviceName, partsBefore, one)
  const [found, present] = await bothOf(signal, readService, (one) => openInkRepository({ ...run, signal: one }, place))
  assertDeployable(platform, plan, found !== undefined)
  if (!found) await assertAffordable(plan, run)
  const repository = present ?? (await openInkRepository(run, place, true))
  if (!repository) throw new DeployError(`ml.ink gave no access to the repository ${place.repositoryName}`)
  const { remote, slug, created } = repository
  const state = found ? `is ${found.status}` : 'does not exist yet'
  run.log.info(`Repository ${slug}${created ? ' (made just now)' : ''}, service ${serviceName} ${state}`)
  if (found) assertOwned(found, plan, slug)
  const removals = plan.kind === 'preview' ? watchRemovals(run, remote, serviceName) : undefined
  const readRest = async (existing: Service | undefined) => {
    const [remoteBranches, database] = await bothOf(
      signal,
      async (one) => (created ? new Map<string, string>() : source.branches(remote, one)),
      async (one) => (plan.database ? findDatabase(run, plan.database, one) : undefined),
    )
    return { existing, remote, repositorySlug: slug, remoteBranches, database, removals }
  }
  const rest = await readRest(found)
  if (!removals?.isUnderWay(rest.remoteBranches.keys())) return rest

  run.log.info(`An earlier removal of ${serviceName} is under way; waiting until it is over`)
  await removals.wait(source, async () => (await platform.service(serviceName, {}, signal)) !== undefined)
  const existing = await readService(signal)
  if (existing) assertOwned(existing, plan, slug)
  return readRest(existing)
}

/** Sends the snapshot of a deployment to its branch: only the difference to what the platform probably has. */
export function pushSnapshot(work: Work, remoteBranches: ReadonlyMap<string, string>): Promise<PushResult> {
  const { snapshot, remote } = work.prepared
  const { bases } = work.plan
  return work.source.push({ snapshot, remote, branch: work.branch, bases, remoteBranches }, work.run.signal)
}

/**
 * The settings to send with the create or update call. An update replaces **all** variables of a service, so with
 * `merge` those which are there are read back and sent along (ink-platform: `env_vars` replaces all).
 */
export function desiredSettings(
  plan: DeployPlan,
  platform: Platform,
  { database, detected }: Pick<Prepared, 'database' | 'detected'>,
  existing: Service | undefined,
): ServiceSettings {
  const { build, directory } = plan
  // Sizes that are the monitor's to change, once the service is there.
  const scaled = existing && plan.kind === 'production' ? plan.autoscale : undefined
  // A whole directory of built files was shipped, so nothing is to be built.
  const defaultPack = directory !== undefined && !existing ? 'static' : undefined
  return {
    ...build,
    buildPack: build.buildPack ?? defaultPack,
    memory: scaled?.memoryMi ? undefined : build.memory,
    vcpus: scaled?.vcpus ? undefined : build.vcpus,
    region: existing ? undefined : build.region,
    // The credentials of its own database are laid over everything else.
    env: { ...layVariables(existing?.env, plan.variables, plan.envStrategy), ...database?.variables },
    destroyTimeoutSeconds: expirySeconds(plan, platform),
    // A service that is there keeps what it has, as it may well run with that.
    ...(existing ? {} : detected?.settings),
  }
}

// The platform counts at most a day (destroy_timeout_seconds, G2); longer lives end with the sweep.
export function expirySeconds(plan: DeployPlan, { canExpire }: Platform): number | undefined {
  if (plan.kind !== 'preview' || plan.previewTtlMs === undefined || !canExpire) return undefined
  const seconds = Math.round(plan.previewTtlMs / 1000)
  return seconds <= 86_400 ? seconds : undefined
}

/** Looks at what is about to be pushed for a service that does not exist yet, and tells what is set because of it. */
export async function detectInSnapshot(begun: Begun, snapshot: Snapshot): Promise<DetectedBuild | undefined> {
  const { plan, run } = begun
  if (isBuildSaid(plan)) return undefined
  const detected = detectBuild(await treeOf(begun, snapshot), folderOf(plan))
  // What a server does not know is left to what it does by itself.
  if (!detected || run.platform.checkArguments('createService', detected.settings).length > 0) return undefined
  run.log.info(detected.sentence)
  return detected
}

/** The same before there is a snapshot, as far as the checkout tells. */
export async function detectInCheckout(plan: DeployPlan, deps: RunDeps): Promise<DetectedBuild | undefined> {
  if (isBuildSaid(plan)) return undefined
  const ignoreWorkspace = plan.kind === 'preview' && plan.untrusted
  await using source = deps.openSource({ ignoreWorkspace })
  const paths = await source.committedPaths(plan, deps.signal)
  const tree = await readTree(paths ?? new Set(), folderOf(plan), async (path) => {
    const { file, inCheckout } = await source.readCommitted(plan, path, deps.signal)
    return [file, inCheckout].find((one): one is Buffer => one instanceof Buffer)
  })
  return detectBuild(tree, folderOf(plan))
}

/** Finds the reason of a failed deployment, with what its files tell of how it is to be built and started. */
export async function explainEnd(work: Work, end: RolloutEnd) {
  const { plan, run, source, prepared } = work
  const { buildPack = 'railpack', startCommand, publishDirectory, rootDirectory } = plan.build
  const advice = startAdvice(await treeOf(work, prepared.snapshot), folderOf(plan))
  const isSaid = buildPack !== 'railpack' || (startCommand ?? publishDirectory ?? plan.directory) !== undefined
  const files = await source.files(prepared.snapshot, run.signal)
  const explanation = explain(end, rootDirectory, files, isSaid ? undefined : advice)
  const published = publishDirectory?.replace(/^\.\/|\/$/g, '')
  const isLacking = explanation?.diagnosis.decisive.some((line) => line.includes(`/${published}": not found`))
  if (!explanation || published === undefined || !isLacking) return explanation
  const cause = `The build leaves no directory ${published}, which \`build.publish\` names`
  const usual =
    'Set `build.publish` in ink.yml to the directory that the build leaves; it is relative to the service’s root.'
  return { ...explanation, diagnosis: { ...explanation.diagnosis, cause, hint: advice ?? usual } }
}

/**
 * The health check for a new version. One that nobody described is tolerant, so that an API without a page at `/` is live;
 * but where the version before answered as it should, a refusal now is a fault, and no matter of taste.
 */
export async function healthAfter(existing: Service | undefined, health: HealthCheck, run: Run): Promise<HealthCheck> {
  if (health.kind !== 'http' || !health.tolerant || existing?.url === undefined) return health
  const tolerated = await isMerelyTolerated({ ...run, url: existing.url, check: health, commit: undefined })
  return tolerated ? health : { ...health, tolerant: false }
}

function folderOf({ build }: DeployPlan): string {
  return build.rootDirectory ?? '.'
}

async function treeOf({ plan, run: { signal }, source }: Begun, snapshot: Snapshot): Promise<FileTree> {
  return readTree(await source.files(snapshot, signal), folderOf(plan), (path) => source.read(snapshot, path, signal))
}

// No file that a person wrote for this is longer.
const mostBytes = 500_000

async function readTree(
  paths: ReadonlySet<string>,
  folder: string,
  read: (path: string) => Promise<Buffer | undefined>,
): Promise<FileTree> {
  const texts = new Map<string, string>()
  for (const path of decidingFiles(paths, folder)) {
    const content = await read(path)
    if (content) texts.set(path, content.subarray(0, mostBytes).toString('utf8'))
  }
  return { paths: [...paths], read: (path) => texts.get(path) }
}
