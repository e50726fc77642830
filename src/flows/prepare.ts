import { bothOf } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { ServiceSettings } from '../ink/catalogue.ts'
import type { Service } from '../ink/results.ts'
import { type DetectedBuild, decidingFiles, detectBuild, isBuildSaid, startAdvice } from '../plan/file/detect.ts'
import type { FileTree } from '../plan/file/detect-node.ts'
import type { PreviewPlan, ProductionPlan } from '../plan/plan.ts'
import { layVariables } from '../plan/variables.ts'
import type { PushResult } from '../source/push.ts'
import type { GitRemote } from '../source/remote.ts'
import type { Snapshot } from '../source/snapshot.ts'
import type { Source } from '../source/source.ts'
import { assertAffordable, assertDeployable } from './resources/account.ts'
import { type RemovalWatch, watchRemovals } from './resources/branches.ts'
import { findDatabase, type ServiceDatabase } from './resources/databases.ts'
import { assertOwned, openInkRepository } from './resources/repository.ts'
import type { Run, RunDeps } from './run.ts'

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

/** A deployment under way: what is known once its branch is pushed. */
export interface Work {
  readonly plan: DeployPlan
  readonly run: Run
  readonly source: Source
  readonly prepared: Prepared
  readonly branch: string
  readonly pushed: PushResult
}

/** Reads the platform and makes the snapshot, at the same time; makes the repository when it is missing. */
export async function prepare(plan: DeployPlan, run: Run, source: Source): Promise<Prepared> {
  const [platformSide, snapshot] = await bothOf(
    run.signal,
    (signal) => preparePlatform(plan, run, source, signal),
    (signal) => source.snapshot(snapshotRequest(plan), signal),
  )
  const detected = platformSide.existing ? undefined : await detectInSnapshot(plan, run, source, snapshot)
  return { ...platformSide, snapshot, detected }
}

/** The source snapshots are shared by what is asked of them, so nothing else of the plan may be in there. */
export function snapshotRequest({ wanted, ordinaryCheckouts, directory, exportIgnore, lfsPointers }: DeployPlan) {
  return { wanted, ordinaryCheckouts, directory, exportIgnore, lfsPointers }
}

async function preparePlatform(
  plan: DeployPlan,
  given: Run,
  source: Source,
  signal: AbortSignal,
): Promise<Omit<Prepared, 'snapshot' | 'detected'>> {
  const run = { ...given, signal }
  const { platform } = run
  const readService = (one: AbortSignal) => platform.service(plan.serviceName, { env: true, deployLogLines: 500 }, one)
  const [found, present] = await bothOf(signal, readService, (one) =>
    openInkRepository({ ...run, signal: one }, plan.place),
  )
  assertDeployable(platform, plan, found !== undefined)
  if (!found) await assertAffordable(plan, run)
  const repository = present ?? (await openInkRepository(run, plan.place, true))
  if (!repository) throw new DeployError(`ml.ink gave no access to the repository ${plan.place.repositoryName}`)
  const { remote, slug } = repository
  const made = repository.created ? ' (made just now)' : ''
  const state = found ? `is ${found.status}` : 'does not exist yet'
  run.log.info(`Repository ${slug}${made}, service ${plan.serviceName} ${state}`)
  if (found) assertOwned(found, plan, slug)
  const readRest = async (existing: Service | undefined) => {
    const [remoteBranches, database] = await bothOf(
      signal,
      async (one) => (repository.created ? new Map<string, string>() : source.branches(remote, one)),
      async (one) => (plan.database ? findDatabase(run, plan.database, one) : undefined),
    )
    return { existing, remote, repositorySlug: slug, remoteBranches, database, removals }
  }
  const removals = plan.kind === 'preview' ? watchRemovals(run, remote, plan.serviceName) : undefined
  const rest = await readRest(found)
  if (!removals?.isUnderWay(rest.remoteBranches.keys())) return rest

  run.log.info(`An earlier removal of ${plan.serviceName} is under way; waiting until it is over`)
  await removals.wait(source, async () => (await platform.service(plan.serviceName, {}, signal)) !== undefined)
  const existing = await readService(signal)
  if (existing) assertOwned(existing, plan, slug)
  return readRest(existing)
}

/** Sends the snapshot of a deployment to its branch: only the difference to what the platform probably has. */
export function pushSnapshot(
  { plan, run, source, prepared, branch }: Omit<Work, 'pushed'>,
  remoteBranches: ReadonlyMap<string, string>,
): Promise<PushResult> {
  const { snapshot, remote } = prepared
  const { bases } = plan
  return source.push({ snapshot, remote, branch, bases, remoteBranches }, run.signal)
}

/**
 * The settings to send with the create or update call. An update replaces **all** variables of a service, so with
 * `merge` those which are there are read back and sent along (ink-platform: `env_vars` replaces all).
 */
export function desiredSettings(
  work: {
    readonly plan: DeployPlan
    readonly run: { readonly platform: Pick<Run['platform'], 'canExpire'> }
    readonly prepared: Pick<Prepared, 'database' | 'detected'>
  },
  existing: Service | undefined,
): ServiceSettings {
  const { plan, run, prepared } = work
  const { build } = plan
  // Sizes that are the monitor's to change, once the service is there.
  const scaled = existing && plan.kind === 'production' ? plan.autoscale : undefined
  // A whole directory of built files was shipped, so nothing is to be built.
  const defaultPack = plan.directory !== undefined && !existing ? 'static' : undefined
  return {
    ...build,
    buildPack: build.buildPack ?? defaultPack,
    memory: scaled?.memoryMi ? undefined : build.memory,
    vcpus: scaled?.vcpus ? undefined : build.vcpus,
    region: existing ? undefined : build.region,
    // The credentials of its own database are laid over everything else.
    env: { ...layVariables(existing?.env, plan.variables, plan.envStrategy), ...prepared.database?.variables },
    destroyTimeoutSeconds: expirySeconds(plan, run),
    // A service that is there keeps what it has, as it may well run with that.
    ...(existing ? {} : prepared.detected?.settings),
  }
}

// The platform counts at most a day (destroy_timeout_seconds, G2); longer lives end with the sweep.
export function expirySeconds(
  plan: DeployPlan,
  { platform }: { readonly platform: Pick<Run['platform'], 'canExpire'> },
): number | undefined {
  if (plan.kind !== 'preview' || plan.previewTtlMs === undefined || !platform.canExpire) return undefined
  const seconds = Math.round(plan.previewTtlMs / 1000)
  return seconds <= 86_400 ? seconds : undefined
}

/** Looks at what is about to be pushed for a service that does not exist yet, and tells what is set because of it. */
export async function detectInSnapshot(
  plan: DeployPlan,
  run: Run,
  source: Source,
  snapshot: Snapshot,
): Promise<DetectedBuild | undefined> {
  if (isBuildSaid(plan)) return undefined
  const detected = detectBuild(await treeOf(plan, run, source, snapshot), folderOf(plan))
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

/** How to have that started which was deployed; undefined where it is said. */
export async function adviceOnStart(
  plan: DeployPlan,
  run: Run,
  source: Source,
  snapshot: Snapshot,
): Promise<string | undefined> {
  const { buildPack = 'railpack', startCommand, publishDirectory } = plan.build
  if (buildPack !== 'railpack' || (startCommand ?? publishDirectory ?? plan.directory) !== undefined) return undefined
  return startAdvice(await treeOf(plan, run, source, snapshot), folderOf(plan))
}

/** What to say where the build has not left the directory that is to be served; undefined where that is not the failure. */
export async function adviceOnPublish(
  plan: DeployPlan,
  run: Run,
  source: Source,
  snapshot: Snapshot,
  decisive: readonly string[],
): Promise<{ readonly cause: string; readonly hint: string } | undefined> {
  const publish = plan.build.publishDirectory?.replace(/^\.\/|\/$/g, '')
  if (publish === undefined || !decisive.some((line) => line.includes(`/${publish}": not found`))) return undefined
  const usual = startAdvice(await treeOf(plan, run, source, snapshot), folderOf(plan))
  return {
    cause: `The build leaves no directory ${publish}, which \`build.publish\` names`,
    hint:
      usual ??
      'Set `build.publish` in ink.yml to the directory that the build leaves; it is relative to the service’s root.',
  }
}

function folderOf({ build }: DeployPlan): string {
  return build.rootDirectory ?? '.'
}

async function treeOf(plan: DeployPlan, { signal }: Run, source: Source, snapshot: Snapshot): Promise<FileTree> {
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
