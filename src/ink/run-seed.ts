import { createClient, LibsqlError } from '@libsql/client/http'
import { DeployError, errorMessage } from '../core/errors.ts'
import { type DatabaseAccess, DatabaseUnreachable, type SeedDatabase } from './seed-database.ts'

// The whole file is one request, and carrying it out takes the database a while.
const usualRequestLimitMs = 60_000

/** See {@link SeedDatabase}; in a module of its own so that the client is loaded by those who need it. */
export const runSeed: SeedDatabase = async (access, sql, signal, requestLimitMs = usualRequestLimitMs) => {
  const refusals: number[] = []
  const client = connect(access, { signal, requestLimitMs, refused: (status) => refusals.push(status) })
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
    const status = refusals.at(-1)
    if (status !== undefined) throw accessRefused(status, error)
    const refused = error instanceof LibsqlError && /^SQL/.test(error.code) && !/BUSY|LOCKED/.test(error.code)
    if (refused) throw new DeployError(errorMessage(error), { cause: error })
    throw new DatabaseUnreachable(`the database does not answer: ${errorMessage(error)}`, { cause: error })
  } finally {
    client.close()
  }
}

interface Connection {
  readonly signal: AbortSignal
  readonly requestLimitMs: number
  /** Gets the status of an answer that another try would not change. */
  readonly refused: (status: number) => void
}

function connect(access: DatabaseAccess, { signal, requestLimitMs, refused }: Connection) {
  const fetchUntilCancelled = async (request: Request) => {
    const signals = [request.signal, signal, AbortSignal.timeout(requestLimitMs)]
    const response = await fetch(request, { signal: AbortSignal.any(signals) })
    // What is asked with GET is which version of the protocol there is, and the answer may be no.
    if (request.method === 'POST' && isFinal(response.status)) refused(response.status)
    return response
  }
  return createClient({ ...access, fetch: fetchUntilCancelled })
}

// A stream that has expired meanwhile is a 400, and a host may not know a database yet that was made a moment ago (404);
// the others ask for another try themselves.
const passing = [400, 404, 408, 425, 429]

function isFinal(status: number): boolean {
  return status >= 400 && status < 500 && !passing.includes(status)
}

const refusalHints: Readonly<Record<number, string>> = {
  401: 'It did not accept the token that ml.ink gave for it. Delete the database if it is empty; the next run makes it anew.',
  403: 'The token that ml.ink gave for it does not allow this. Delete the database if it is empty; the next run makes it anew.',
  413: 'The file is too large for one request. Seed less, or let the app fill its database when it starts.',
}

function accessRefused(status: number, cause: unknown): DeployError {
  const hint = refusalHints[status] ?? 'Nothing of the file was kept, and nothing was deployed.'
  return new DeployError(`the database refused the request (HTTP ${status}): ${errorMessage(cause)}`, { hint, cause })
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
