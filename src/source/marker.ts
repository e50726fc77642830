import { join } from 'node:path'
import { runOnPlatform } from './branches.ts'
import { writeCommit } from './commit.ts'
import { classifyFailure, networkError } from './failure.ts'
import type { ObjectStore } from './object-store.ts'
import type { GitRemote } from './remote.ts'
import { type Patience, withRetries } from './retry.ts'

/**
 * Makes a branch that says something by its name alone. Its commit is empty and always the same, so that after the first
 * one nothing but the name travels. No service tracks such a branch, so the push starts nothing.
 */
export async function pushMarker(
  store: ObjectStore,
  remote: GitRemote,
  branch: string,
  patience: Patience,
  signal: AbortSignal,
): Promise<void> {
  // Of an index that is not there git makes the empty tree.
  const variables = { GIT_INDEX_FILE: join(store.directory, 'no-index') }
  const tree = await store.line(['write-tree'], { variables, signal })
  const who = 'Ink Deploy <ink-deploy@users.noreply.github.com> 0 +0000'
  const content = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nA branch whose name is what it says\n`
  const sha = await writeCommit(store, Buffer.from(content), signal)
  const what = `The push of ${branch}`
  const args = ['push', '--porcelain', '--no-verify', remote.url, `${sha}:refs/heads/${branch}`]
  const output = await withRetries({ what, remote, signal }, patience, () =>
    runOnPlatform(store, remote, args, { signal }),
  )
  if (output.exitCode !== 0) throw networkError(what, classifyFailure(output), remote)
}
