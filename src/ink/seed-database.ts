import { DeployError } from '../core/errors.ts'

/** Where a database is reached. */
export interface DatabaseAccess {
  readonly url: string
  readonly authToken: string
}

/**
 * Runs SQL in a database that has nothing in it yet; one that has something in it is left as it is.
 *
 * All of it happens in one transaction, the question whether the database is empty included. So it is done as a whole or
 * not at all, whatever gets lost on the way, and of two runs that try it at the same time one does it.
 *
 * @param requestLimitMs how long one request may take, its whole answer included; milliseconds
 * @throws DatabaseUnreachable, or DeployError with the database's own words when a statement or the access is refused
 */
export type SeedDatabase = (
  access: DatabaseAccess,
  sql: string,
  signal: AbortSignal,
  requestLimitMs?: number,
) => Promise<'seeded' | 'not-empty'>

/** The server could not be asked, or gave no answer: another try may do. A statement or a token that it refuses is no such thing. */
export class DatabaseUnreachable extends DeployError {
  override readonly name = 'DatabaseUnreachable'
}

/** {@link SeedDatabase} with a client that is loaded now and not at the start: few runs need it. */
export const seedDatabase: SeedDatabase = async (...args) => {
  // “eager”: evaluated now, but in the bundle’s one file, which its licences and its checks speak of.
  const { runSeed } = await import(/* webpackMode: "eager" */ './run-seed.ts')
  return runSeed(...args)
}
