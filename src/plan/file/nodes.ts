import { isAlias, isCollection, isScalar, type Pair, type Scalar } from 'yaml'

/** Where a node begins, in characters; 0 for what is none. */
export function offsetOf(node: unknown): number {
  if (isScalar(node) || isCollection(node) || isAlias(node)) return node.range?.[0] ?? 0
  return 0
}

/** The name of a pair; empty where its key is not a scalar. */
export function nameOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : ''
}

/** A scalar as it was written, for numbers: `1.0` is not `1`, and `007` no seven. */
export function textOf(node: Scalar): string {
  return typeof node.value === 'number' && node.source !== undefined ? node.source : String(node.value)
}
