import { TimeLimitError, withinTime } from '../core/clock.ts'
import { DeployError, errorMessage } from '../core/errors.ts'
import { safeMessage } from '../core/sanitize.ts'
import { type DatabaseAccess, DatabaseUnreachable } from '../ink/seed-database.ts'
import type { Snapshot, Source } from '../source/contract.ts'
import type { ServiceDatabase } from './databases.ts'
import type { DeployPlan, Prepared } from './prepare.ts'
import type { Run } from './run.ts'

/** An SQL file, read from what is deployed. */
export interface Seed {
  readonly path: string
  readonly sql: string
}

// A pipeline request holds it as a whole, on our side and on the database's.
const longestSeedBytes = 5_000_000
// A database that was made a moment ago may not be known to every name server yet.
const pausesMs = [1000, 2000, 4000, 8000, 15_000]

/**
 * Reads the file of `database-seed`. It is that of the deployed commit and not of the workspace, so that a fork's
 * preview is seeded by the fork's own file.
 * @throws DeployError when there is none, or it cannot be run
 */
export async function readSeed(
  { database }: DeployPlan,
  source: Source,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<Seed | undefined> {
  if (database?.seed === undefined) return undefined
  const path = database.seed
  const refused = (why: string) =>
    new DeployError(`database-seed: ${JSON.stringify(path)} ${why}`, {
      hint: 'Give the path of an SQL file in what is deployed: in the commit, or in `directory` where that is set.',
    })
  const content = await source.read(snapshot, path, signal)
  if (!content) throw refused('is no file of what is deployed')
  if (content.length > longestSeedBytes) throw refused(`has ${content.length} bytes; ${longestSeedBytes} are allowed`)
  const sql = content.toString('utf8')
  if (sql.trim() === '') throw refused('is empty')
  if (sql.includes('\0') || sql.includes('\ufffd')) throw refused('is no text in UTF-8')
  return { path, sql }
}

/**
 * Runs the seed in a database that no service has been given yet. Whatever was lost earlier, a creation without its seed
 * or a seed without the service, it comes out right: the seed runs as a whole or not at all, and in an empty database only.
 * @throws DeployError when it cannot be run within the time that the plan gives a deployment
 */
export async function sow(run: Run, plan: DeployPlan, { database, existing }: Prepared, seed: Seed): Promise<void> {
  const access = database?.access
  if (!database || !access || Object.values(existing?.env ?? {}).includes(access.url)) return
  try {
    await withinTime(run.clock, plan.timeoutMs, run.signal, (signal) =>
      sowPatiently({ ...run, signal }, { name: database.name, access }, seed),
    )
  } catch (error) {
    run.signal.throwIfAborted()
    throw failed(run, database, seed.path, error)
  }
}

async function sowPatiently(
  run: Run,
  { name, access }: { readonly name: string; readonly access: DatabaseAccess },
  { path, sql }: Seed,
): Promise<void> {
  for (const [attempt, pauseMs] of [...pausesMs, undefined].entries()) {
    try {
      const result = await run.seedDatabase(access, sql, run.signal)
      run.log.info(
        result === 'seeded'
          ? `Ran ${path} in the database ${name}`
          : `The database ${name} is not empty, so ${path} was not run in it`,
      )
      return
    } catch (error) {
      run.signal.throwIfAborted()
      if (!(error instanceof DatabaseUnreachable) || pauseMs === undefined) throw error
      run.log.info(`The database ${name} does not answer yet (try ${attempt + 1}); trying again`)
      await run.clock.sleep(pauseMs, run.signal)
    }
  }
}

function failed(run: Run, { name }: ServiceDatabase, path: string, error: unknown): DeployError {
  const message = `${path} could not be run in the database ${name}: ${safeMessage(run, error)}`
  const unanswered = error instanceof DatabaseUnreachable || error instanceof TimeLimitError
  const hint = unanswered ? 'Nothing was deployed. Run the job again once the database answers.' : hintOf(error)
  return new DeployError(message, { hint, cause: error })
}

function hintOf(error: unknown): string {
  if (error instanceof DeployError && error.hint) return error.hint
  return /within a transaction|no transaction is active/i.test(errorMessage(error))
    ? 'The file is run in one transaction; take BEGIN, COMMIT and ROLLBACK out of it, and delete the database if a part was kept.'
    : 'Nothing of it was kept, and nothing was deployed. Mend the file; it is run again next time.'
}
