import { signalWithin } from '../core/async.ts'
import { DeployError, errorMessage } from '../core/errors.ts'
import { type Fetch, limitAnswers } from '../core/http.ts'

/** Where a database is reached. */
export interface DatabaseAccess {
  readonly url: string
  readonly authToken: string
}

/** What {@link createSeeder} makes. */
export type SeedDatabase = ReturnType<typeof createSeeder>

/** The server could not be asked, or gave no answer: another try may do. A statement or a token that it refuses is not such a case. */
export class DatabaseUnreachable extends DeployError {
  override readonly name = 'DatabaseUnreachable'
}

// The whole file is one request, and carrying it out takes the database a while.
const usualRequestLimitMs = 60_000

/**
 * Runs SQL in a database that has nothing in it yet; one that has something in it is left as it is.
 *
 * All of it happens in one transaction, the question whether the database is empty included. So it is done as a whole or
 * not at all, whatever gets lost on the way, and of two runs that try it at the same time one does it.
 * @param requestLimitMs how long one request may take, its whole answer included; milliseconds
 * @throws DatabaseUnreachable, or DeployError with the database's own words when a statement or the access is refused
 */
export function createSeeder(transport: Fetch) {
  const fetch = limitAnswers(transport)
  return async (access: DatabaseAccess, sql: string, signal: AbortSignal, requestLimitMs = usualRequestLimitMs) => {
    // Few runs need the client.
    const { createClient, LibsqlError } = await import('@libsql/client/http')
    const refusals: number[] = []
    const asking = untilCancelled(fetch, requestLimitMs, signal, (status) => refusals.push(status))
    const client = createClient({ ...access, fetch: asking })
    try {
      const transaction = await client.transaction('write')
      try {
        const { rows } = await transaction.execute(countOfObjects)
        if (Number(rows[0]?.objects) > 0) return 'not-empty' as const
        await transaction.executeMultiple(withoutFrame(sql))
        await transaction.commit()
        return 'seeded' as const
      } finally {
        // Closing alone is not waited for, and until the server has heard of it nobody else may write.
        if (!transaction.closed) await transaction.rollback().catch(() => undefined)
        transaction.close()
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
}

/** @param refused gets the status of an answer that another try would not change */
function untilCancelled(fetch: Fetch, limitMs: number, signal: AbortSignal, refused: (status: number) => void) {
  return async ({ url, method, headers, body: stream, signal: own }: Request) => {
    const inTime = signalWithin(limitMs, own, signal)
    const body = stream === null ? {} : { body: await new Response(stream).text() }
    const response = await fetch(url, { method, headers, signal: inTime, ...body })
    // What is asked with GET is which version of the protocol there is, and the answer may be no.
    const { status } = response
    if (method === 'POST' && status >= 400 && status < 500 && !passing.includes(status)) refused(status)
    return response
  }
}

// A stream that has expired meanwhile is a 400, and a host may not know a database yet that was made a moment ago (404);
// the others ask for another try themselves.
const passing = [400, 404, 408, 425, 429]

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
const countOfObjects = `select count(*) as objects from sqlite_master
  where name not like 'sqlite\\_%' escape '\\' and name not like 'libsql\\_%' escape '\\'
    and name not like '\\_litestream\\_%' escape '\\'`

/** Takes off the transaction that `sqlite3 .dump` writes around everything: there is one already. */
function withoutFrame(sql: string): string {
  const framed =
    /^(\s*(?:PRAGMA\s+foreign_keys\s*=\s*OFF\s*;\s*)?)BEGIN(?:\s+TRANSACTION)?\s*;([\s\S]*)\bCOMMIT\s*;\s*$/i
  return framed.exec(sql)?.slice(1).join('') ?? sql
}
