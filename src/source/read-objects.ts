import type { ObjectStore } from './object-store.ts'

const newline = 0x0a

/** Contents of objects, by name. Those that the store does not hold are left out. All of them are held in memory. */
export async function readObjects(
  store: ObjectStore,
  oids: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  if (oids.length === 0) return contents
  const answer = await store.run(['cat-file', '--batch', '--buffer'], { input: `${oids.join('\n')}\n`, signal })
  // <oid> SP <type> SP <size> LF <content> LF, or <oid> SP "missing" LF: git-cat-file(1), BATCH OUTPUT
  for (let position = 0; position < answer.length; ) {
    const lineEnd = answer.indexOf(newline, position)
    const [oid = '', , size] = answer.toString('latin1', position, lineEnd).split(' ')
    position = lineEnd + 1
    if (size === undefined) continue
    contents.set(oid, answer.subarray(position, position + Number(size)))
    position += Number(size) + 1
  }
  return contents
}
