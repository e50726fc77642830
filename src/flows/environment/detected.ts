import {
  type DetectedBuild,
  decidingFiles,
  detectBuild,
  isBuildSaid,
  startAdvice,
} from '../../plan/file/detect-build.ts'
import type { FileTree } from '../../plan/file/file-tree.ts'
import type { PreviewPlan, ProductionPlan } from '../../plan/plan.ts'
import type { Snapshot } from '../../source/snapshot.ts'
import type { Source } from '../../source/source.ts'
import type { Run, RunDeps } from '../run.ts'

type Plan = PreviewPlan | ProductionPlan

/** Looks at what is about to be pushed for a service that does not exist yet, and tells what is set because of it. */
export async function detectInSnapshot(
  plan: Plan,
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
export async function detectInCheckout(plan: Plan, deps: RunDeps): Promise<DetectedBuild | undefined> {
  if (isBuildSaid(plan)) return undefined
  const ignoreWorkspace = plan.kind === 'preview' && plan.untrusted
  await using source = deps.openSource(plan.place, { ignoreWorkspace })
  const paths = await source.committedPaths(plan, deps.signal)
  const tree = await readTree(paths ?? new Set(), folderOf(plan), async (path) => {
    const { file, inCheckout } = await source.readCommitted(plan, path, deps.signal)
    return [file, inCheckout].find((one): one is Buffer => one instanceof Buffer)
  })
  return detectBuild(tree, folderOf(plan))
}

/** How to have that started which was deployed; undefined where it is said. */
export async function adviceOnStart(
  plan: Plan,
  run: Run,
  source: Source,
  snapshot: Snapshot,
): Promise<string | undefined> {
  const { buildPack = 'railpack', startCommand, publishDirectory } = plan.build
  if (buildPack !== 'railpack' || (startCommand ?? publishDirectory ?? plan.directory) !== undefined) return undefined
  return startAdvice(await treeOf(plan, run, source, snapshot), folderOf(plan))
}

function folderOf({ build }: Plan): string {
  return build.rootDirectory ?? '.'
}

async function treeOf(plan: Plan, { signal }: Run, source: Source, snapshot: Snapshot): Promise<FileTree> {
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
