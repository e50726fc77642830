import { shortId } from '../identifiers.ts'
import { type ServedDatabase, serveDatabase } from './server.ts'

/** A database resource of an account. */
export interface DatabaseResource {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly size: string
  readonly region: string
  readonly createdAtMs: number
  readonly served: ServedDatabase
}

export interface Databases {
  create(input: { accountId: string; name: string; size: string; region: string }): Promise<DatabaseResource>
  /** An account's databases, newest first. */
  ofAccount(accountId: string): DatabaseResource[]
  all(): readonly DatabaseResource[]
  find(accountId: string, name: string): DatabaseResource | undefined
  remove(database: DatabaseResource): Promise<void>
  close(): Promise<void>
}

const DEFAULT_SIZE = 100 * 2 ** 20
const UNITS: Readonly<Record<string, number>> = { kb: 2 ** 10, mb: 2 ** 20, gb: 2 ** 30 }

/** Reads a size such as `100mb`; the platform takes anything else as well. */
function parseSize(size: string): number {
  const [, amount, unit] = /^(\d+)(kb|mb|gb)$/i.exec(size) ?? []
  const factor = UNITS[unit?.toLowerCase() ?? '']
  return amount === undefined || factor === undefined ? DEFAULT_SIZE : Number(amount) * factor
}

/**
 * @param folder - an existing folder for the files
 * @param nowMs - the clock
 */
export function createDatabases(folder: string, nowMs: () => number, log: (line: string) => void): Databases {
  let databases: DatabaseResource[] = []
  return {
    async create({ accountId, name, size, region }) {
      const id = shortId()
      const served = await serveDatabase(folder, id, parseSize(size), log)
      const database = { id, accountId, name, size, region, createdAtMs: nowMs(), served }
      databases.push(database)
      return database
    },
    ofAccount: (accountId) => databases.filter((database) => database.accountId === accountId).toReversed(),
    all: () => databases,
    find: (accountId, name) => databases.find((database) => database.accountId === accountId && database.name === name),
    async remove(database) {
      databases = databases.filter((candidate) => candidate !== database)
      await database.served.close()
    },
    async close() {
      await Promise.all(databases.map(({ served }) => served.close()))
    },
  }
}
