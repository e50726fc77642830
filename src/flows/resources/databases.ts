import { retry, TimeLimitError, withinTime } from '../../core/async.ts'
import { DeployError, errorMessage } from '../../core/errors.ts'
import { safeMessage } from '../../core/sanitize.ts'
import type { Platform } from '../../ink/platform.ts'
import type { Database, Service, TemplateInstance } from '../../ink/results.ts'
import { type DatabaseAccess, DatabaseUnreachable } from '../../ink/seed-database.ts'
import type { DatabasePlan } from '../../plan/plan.ts'
import type { Snapshot } from '../../source/snapshot.ts'
import type { Source } from '../../source/source.ts'
import { isLive, meaningOf } from '../../watch/readings.ts'
import type { Run } from '../run.ts'

/** A service's own database, with what the service needs to reach it. */
export interface ServiceDatabase {
  name: string
  /** Where SQL can be run in it; undefined for those that speak another protocol than ours. */
  access: DatabaseAccess | undefined
  variables: Readonly<Record<string, string>>
}

type DatabaseFinder = Pick<Run, 'platform' | 'mask' | 'maskVariables' | 'signal'>

/**
 * Finds a service's database; undefined when it has to be made, or waited for. Its credentials are masked the moment they
 * are known.
 * @throws DeployError when this server offers no such database, reveals no credentials, or not the output that is wanted
 */
export async function findDatabase(
  run: DatabaseFinder,
  wanted: DatabasePlan,
  signal: AbortSignal,
): Promise<ServiceDatabase | undefined> {
  assertOffered(run.platform, wanted)
  if (wanted.type === 'sqlite') {
    const found = await run.platform.database(wanted.name, signal)
    return found && sqliteDatabase(wanted, found, run.mask)
  }
  const instance = await run.platform.templateInstance(wanted.name, signal)
  return instance && isLive(instance) ? databaseOfTemplate(run, wanted, instance) : undefined
}

/**
 * Makes a service's database. This is done once the branch is pushed and not before: a run that is killed in between
 * must leave something by which the sweep finds what it left.
 * @throws DeployError when no credentials are revealed
 */
export async function makeDatabase(run: Run, wanted: DatabasePlan): Promise<ServiceDatabase> {
  const { type, name } = wanted
  if (type !== 'sqlite') return makeTemplateDatabase(run, wanted)
  const make = async () => sqliteDatabase(wanted, await run.platform.createDatabase(name, type, run.signal), run.mask)
  return await madeOrFound(run, make, () => findDatabase(run, wanted, run.signal))
}

/** A parallel run of ours may have made it, or the answer was lost; whatever the reason, it is there or it is not. */
async function madeOrFound<T>({ signal }: Run, make: () => Promise<T>, find: () => Promise<T | undefined>): Promise<T> {
  try {
    return await make()
  } catch (error) {
    signal.throwIfAborted()
    const found = await find()
    if (!found) throw error
    return found
  }
}

function assertOffered({ offers }: Pick<Platform, 'offers'>, { type }: DatabasePlan): void {
  // Without reading it back, the next run could not hand the database over again.
  const resources = offers('createDatabase') && offers('getDatabase')
  const templates = offers('deployTemplate') && offers('listTemplateInstances') && offers('getTemplateInstance')
  if (type === 'sqlite' ? resources : templates) return
  const others = [...(resources ? ['sqlite'] : []), ...(templates ? ['postgres', 'mysql', 'redis', 'mongodb'] : [])]
  throw new DeployError(`This ml.ink server offers no ${type} databases, and \`database\` asks for one`, {
    hint:
      others.length > 0
        ? `It offers ${others.join(', ')}. Change the \`database\` input, or pass the address of another database with \`env\`.`
        : 'Remove the `database` input, and pass the address of another database with `env`.',
  })
}

function sqliteDatabase(
  { name, env }: DatabasePlan,
  { url, authToken }: Database,
  mask: (secret: string) => void,
): ServiceDatabase {
  if (authToken) mask(authToken)
  if (!url || !authToken)
    throw new DeployError(`ml.ink did not say how to reach the database ${name}`, {
      hint: 'Its creation may have failed half-way. Delete it at ml.ink, then run the job again.',
    })
  const outputs: Readonly<Record<string, string>> = { url, token: authToken }
  const variables = Object.fromEntries([...env].map(([variable, output]) => [variable, outputs[output] ?? '']))
  return { name, access: { url, authToken }, variables }
}

const startTimeoutMs = 300_000
const startPauseMs = 2000

/**
 * Makes a database of a template and waits until it runs and says how to reach it: the service would not start without.
 * @throws DeployError when it does not come up, or has no such output as is wanted
 */
async function makeTemplateDatabase(run: Run, wanted: DatabasePlan): Promise<ServiceDatabase> {
  const { platform, clock, signal } = run
  const find = () => platform.templateInstance(wanted.name, signal)
  if (!(await find()))
    await madeOrFound<unknown>(run, () => platform.deployTemplate(wanted.type, wanted.name, signal), find)
  const deadlineAt = Math.min(clock.now() + startTimeoutMs, run.deadlineAt)
  for (;;) {
    const instance = await find()
    const isLate = clock.now() >= deadlineAt
    const database = instance && isLive(instance) ? databaseOfTemplate(run, wanted, instance, isLate) : undefined
    if (database) return database
    const status = instance?.status ?? 'gone'
    if (meaningOf(status)?.phase === 'ended' || isLate) {
      throw new DeployError(`The database ${wanted.name} (${wanted.type}) did not start on ml.ink; it is ${status}`, {
        hint: `Look at the service ${wanted.name} at ml.ink, delete it if it is of no use, then run the job again.`,
      })
    }
    await clock.sleep(startPauseMs, signal)
  }
}

// The first of these that a template has is its `url`.
const urlKeys = ['connection_string', 'database_url', 'connection_url', 'url', 'uri']

/**
 * The database, with the outputs that are wanted of it; undefined while one of them may still come. An output that is
 * empty is none: the service would start with it, and fail for a reason that is hard to see.
 */
function databaseOfTemplate(
  run: DatabaseFinder,
  { name, env }: DatabasePlan,
  { outputs }: TemplateInstance,
  isLate = false,
): ServiceDatabase | undefined {
  const filled = outputs.filter(({ value }) => value !== '')
  for (const { key, value, sensitive } of filled)
    if (sensitive) run.mask(value)
    else run.maskVariables({ [key]: value })
  const known = new Map(filled.map(({ key, value }) => [key.toLowerCase(), value]))
  const url = urlKeys.map((key) => known.get(key)).find((value) => value)
  if (url !== undefined) known.set('url', url)
  const variables: Record<string, string> = {}
  for (const [variable, output] of env) {
    const value = known.get(output.toLowerCase())
    const mayCome = filled.length === 0 || filled.length < outputs.length
    if (value === undefined && mayCome && !isLate) return undefined
    if (value === undefined)
      throw new DeployError(`The database ${name} has no output “${output}”, which database.env wants as ${variable}`, {
        hint: `It has ${[...known.keys()].join(', ') || 'none'}.`,
      })
    variables[variable] = value
  }
  return { name, access: undefined, variables }
}

export interface Seed {
  readonly path: string
  readonly sql: string
}

// A pipeline request holds it as a whole, on our side and on the database's.
const longestSeedBytes = 5_000_000
// Which takes about half a minute.
const mostTries = 7

/**
 * Reads the file of `database.seed`. It is that of the deployed commit and not of the workspace, so that a fork's
 * preview is seeded by the fork's own file.
 * @throws DeployError when there is none, or it cannot be run
 */
export async function readSeed(
  { database }: { readonly database: DatabasePlan | undefined },
  source: Source,
  snapshot: Snapshot,
  signal: AbortSignal,
): Promise<Seed | undefined> {
  if (database?.seed === undefined) return undefined
  const path = database.seed
  const refused = (why: string) =>
    new DeployError(`database.seed: ${JSON.stringify(path)} ${why}`, {
      hint: 'Give the path of an SQL file in what is deployed: in the commit, or in `directory` where that is set.',
    })
  const content = await source.read(snapshot, path, signal)
  if (!content) throw refused('is not a file of what is deployed')
  if (content.length > longestSeedBytes) throw refused(`has ${content.length} bytes; ${longestSeedBytes} are allowed`)
  const sql = content.toString('utf8')
  if (sql.trim() === '') throw refused('is empty')
  if (sql.includes('\0') || sql.includes('\ufffd')) throw refused('is not text in UTF-8')
  return { path, sql }
}

/**
 * Runs the seed in a database that no service has been given yet. Whatever was lost earlier, a creation without its seed
 * or a seed without the service, it comes out right: the seed runs as a whole or not at all, and in an empty database only.
 * @throws DeployError when it cannot be run within the time that the plan gives a deployment
 */
export async function runSeed(
  { clock, log, random, seedDatabase, secrets, settings, signal }: Run,
  { database, existing }: { readonly database: ServiceDatabase | undefined; readonly existing: Service | undefined },
  { path, sql }: Seed,
): Promise<void> {
  const access = database?.access
  if (!database || !access || Object.values(existing?.env ?? {}).includes(access.url)) return
  const isUnreachable = (error: unknown) => error instanceof DatabaseUnreachable
  // One that was made a moment ago may not be known to every name server yet.
  const again = (error: unknown, attempt: number) => isUnreachable(error) && attempt < mostTries
  const onRetry = () => log.info(`The database ${database.name} does not answer yet; trying again`)
  try {
    const result = await withinTime(clock, settings.timeoutMs, signal, (within) => {
      const policy = { deadlineAt: Number.POSITIVE_INFINITY, signal: within, again, onRetry, clock, random }
      return retry(() => seedDatabase(access, sql, within), policy)
    })
    const notEmpty = `The database ${database.name} is not empty, so ${path} was not run in it`
    log.info(result === 'seeded' ? `Ran ${path} in the database ${database.name}` : notEmpty)
  } catch (error) {
    signal.throwIfAborted()
    const isLate = isUnreachable(error) || error instanceof TimeLimitError
    const hint = isLate ? 'Nothing was deployed. Run the job again once the database answers.' : hintOnSeed(error)
    const message = `${path} could not be run in the database ${database.name}: ${safeMessage({ secrets }, error)}`
    throw new DeployError(message, { hint, cause: error })
  }
}

function hintOnSeed(error: unknown): string {
  if (error instanceof DeployError && error.hint) return error.hint
  return /within a transaction|no transaction is active/i.test(errorMessage(error))
    ? 'The file is run in one transaction; take BEGIN, COMMIT and ROLLBACK out of it, and delete the database if a part was kept.'
    : 'Nothing of it was kept, and nothing was deployed. Fix the file; it is run again next time.'
}
