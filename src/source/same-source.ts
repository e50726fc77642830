import { commitName, readCommit, snapshotContent } from './commit.ts'
import type { PushRequest } from './contract.ts'
import { withSettings } from './git-environment.ts'
import type { MadeSnapshot } from './make-snapshot.ts'
import { runNetworkGit } from './network-git.ts'
import { credentialSettings } from './transport.ts'
import type { Workshop } from './workshop.ts'

/**
 * Whether a commit on the remote is the same snapshot, made under another ref: a release deploys the commit that the push to
 * its branch deployed before, and the ref is part of the message. Any ref of the origin may have been the one.
 */
export async function isSameSource(
  workshop: Workshop,
  made: MadeSnapshot,
  request: PushRequest,
  present: string,
  signal: AbortSignal,
): Promise<boolean> {
  const { snapshot, stores } = made
  const { sourceSha, tree } = snapshot
  const source = await readCommit(stores.own, sourceSha, signal)
  const isUnder = (sourceRef: string) =>
    commitName(snapshotContent(tree, source, { sourceSha, sourceRef, repository: workshop.repository })) === present
  const likely = [sourceSha, ...(request.baseRefs ?? []), 'refs/heads/main', 'refs/heads/master']
  return likely.some(isUnder) || (await originRefs(workshop, made, signal)).some(isUnder)
}

async function originRefs({ origin }: Workshop, { stores }: MadeSnapshot, signal: AbortSignal): Promise<string[]> {
  if (origin === undefined) return []
  const { directory: cwd, networkEnvironment } = stores.fetched
  const environment = withSettings(networkEnvironment, credentialSettings(origin))
  const output = await runNetworkGit(['ls-remote', '--quiet', '--refs', origin.url], { cwd, environment, signal })
  // Not to be had: then the conflict stands, and its error says what may be behind it.
  if (output.exitCode !== 0) return []
  return output.stdout.split('\n').flatMap((line) => line.split('\t').slice(1))
}
