import { type ObjectStore, quotePath } from './object-store.ts'

/**
 * Stores files as they lie on disk: no line endings converted, no filters run.
 *
 * @param paths absolute paths, as bytes
 * @returns the names of the contents, in the same order
 */
export async function storeFiles(
  store: ObjectStore,
  paths: readonly Buffer[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (paths.length === 0) return []
  const input = paths.map((path) => `${quotePath(path)}\n`).join('')
  const answer = await store.run(['hash-object', '-w', '--no-filters', '--stdin-paths'], { input, signal })
  return answer.toString('latin1').trim().split('\n')
}
