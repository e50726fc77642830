import type { PushRequest, PushResult } from '../../src/source/push.ts'
import type { Snapshot, SnapshotRequest } from '../../src/source/snapshot.ts'
import type { Source } from '../../src/source/source.ts'
import type { Stage } from './deployment.ts'
import { git } from './scratch.ts'

export interface Deployed {
  readonly snapshot: Snapshot
  readonly result: PushResult
  readonly branch: string
}

/** Snapshot and push, as the flows do it. */
export async function deploy(
  stage: Stage,
  source: Source,
  sha: string,
  overrides: Partial<SnapshotRequest & Pick<PushRequest, 'bases'>> & {
    readonly target?: string
  } = {},
): Promise<Deployed> {
  const { target = 'production/acme-web', bases, ...request } = overrides
  const snapshot = await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [sha], ...request }, stage.signal)
  const suffix = snapshot.suffix === undefined ? '' : `-${snapshot.suffix}`
  const branch = `ink/${target}/${snapshot.sourceSha}${suffix}`
  const result = await source.push({ snapshot, remote: stage.remote, branch, bases }, stage.signal)
  return { snapshot, result, branch }
}

/** `git ls-tree` of what was pushed: modes, names of contents, paths. */
export async function pushedTree(stage: Stage, branch: string): Promise<string[]> {
  return (await git(stage.platformRepository, 'ls-tree', '-r', branch)).split('\n')
}

/** Content of a pushed file. */
export async function pushedFile(stage: Stage, branch: string, path: string): Promise<string> {
  return await git(stage.platformRepository, 'show', `${branch}:${path}`)
}
