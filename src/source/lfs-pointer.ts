/** What a Git LFS pointer file stands for. */
export interface LfsPointer {
  /** SHA-256 of the contents, hexadecimal. */
  readonly oid: string
  readonly size: number
}

/** A pointer is a text of less than this (git-lfs, docs/spec.md). */
export const pointerBelowBytes = 1024

/** Reads a pointer file; undefined when it is something else, or needs an extension's program to be read. */
export function parsePointer(content: Buffer): LfsPointer | undefined {
  if (content.length >= pointerBelowBytes) return undefined
  const text = content.toString('utf8')
  const match = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (\d+)\n$/.exec(text)
  const [, oid, size] = match ?? []
  return oid === undefined ? undefined : { oid, size: Number(size) }
}
