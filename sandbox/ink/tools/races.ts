import type { PlatformCore } from '../platform-core.ts'

/**
 * Whether somebody else did the same between this call's look and its change, so that the database refuses the change. On the
 * platform this takes two calls at the same moment; here it is a fault, because moments cannot be aimed at.
 */
export function loses(core: PlatformCore, tool: string): boolean {
  return core.faults.strike('ink.race', (options) => options.tool === undefined || options.tool === tool) !== undefined
}

/** The database's own words, which the platform passes on. */
export function duplicateKey(constraint: string): string {
  return `ERROR: duplicate key value violates unique constraint "${constraint}" (SQLSTATE 23505)`
}
