import { createClient, LibsqlError } from '@libsql/client/http'
import { DeployError, errorMessage } from '../errors.ts'
import { type DatabaseAccess, DatabaseUnreachable, type SeedDatabase } from './seed-database.ts'

/** See {@link SeedDatabase}; in a module of its own so that the client is loaded by those who need it. */
export const runSeed: SeedDatabase = async (access, sql, signal) => {
  const client = connect(access, signal)
  try {
    const transaction = await client.transaction('write')
    try {
      const { rows } = await transaction.execute(countOfThings)
      if (Number(rows[0]?.things) > 0) return 'not-empty'
      await transaction.executeMultiple(withoutFrame(sql))
      await transaction.commit()
      return 'seeded'
    } finally {
      transaction.close() // rolls back what was not committed
    }
  } catch (error) {
    signal.throwIfAborted()
    const refused = error instanceof LibsqlError && /^SQL/.test(error.code) && !/BUSY|LOCKED/.test(error.code)
    if (refused) throw new DeployError(errorMessage(error), { cause: error })
    throw new DatabaseUnreachable(`the database does not answer: ${errorMessage(error)}`, { cause: error })
  } finally {
    client.close()
  }
}

function connect(access: DatabaseAccess, signal: AbortSignal) {
  const fetchUntilCancelled = (request: Request) =>
    fetch(request, { signal: AbortSignal.any([request.signal, signal]) })
  return createClient({ ...access, fetch: fetchUntilCancelled })
}

// Tables of the engine's own begin with these; they are there from the start.
const countOfThings = `select count(*) as things from sqlite_master
  where name not like 'sqlite\\_%' escape '\\' and name not like 'libsql\\_%' escape '\\'
    and name not like '\\_litestream\\_%' escape '\\'`

/** Takes off the transaction that `sqlite3 .dump` writes around everything: there is one already. */
function withoutFrame(sql: string): string {
  const framed =
    /^(\s*(?:PRAGMA\s+foreign_keys\s*=\s*OFF\s*;\s*)?)BEGIN(?:\s+TRANSACTION)?\s*;([\s\S]*)\bCOMMIT\s*;\s*$/i
  return framed.exec(sql)?.slice(1).join('') ?? sql
}
