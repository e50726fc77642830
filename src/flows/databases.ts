import { DeployError } from '../errors.ts'
import type { Platform } from '../ink/platform.ts'
import type { Database } from '../ink/results.ts'
import type { DatabaseAccess } from '../ink/seed-database.ts'
import type { DatabasePlan } from '../plan/plan.ts'

/** A service's own database, with what the service needs to reach it. */
export interface ServiceDatabase {
  name: string
  access: DatabaseAccess
  variables: Readonly<Record<string, string>>
}

type DatabaseCalls = Pick<Platform, 'database' | 'createDatabase' | 'offers'>

/**
 * Finds a service's database; undefined when it has to be made yet. Its credentials are masked the moment they are known.
 * @throws DeployError when this server offers no databases, or reveals no credentials
 */
export async function findDatabase(
  platform: DatabaseCalls,
  wanted: DatabasePlan,
  mask: (secret: string) => void,
  signal: AbortSignal,
): Promise<ServiceDatabase | undefined> {
  if (!platform.offers('createDatabase')) {
    throw new DeployError('This ml.ink server offers no databases, and `database` asks for one', {
      hint: 'Remove the `database` input, and pass the address of another database with `env`.',
    })
  }
  const found = await platform.database(wanted.name, signal)
  return found && serviceDatabase(wanted, found, mask)
}

/**
 * Makes a service's database. This is done once the branch is pushed and not before: a run that is killed in between
 * must leave something by which the sweep finds what it left.
 * @throws DeployError when no credentials are revealed
 */
export async function makeDatabase(
  platform: DatabaseCalls,
  wanted: DatabasePlan,
  mask: (secret: string) => void,
  signal: AbortSignal,
): Promise<ServiceDatabase> {
  try {
    const database = await platform.createDatabase(wanted.name, wanted.type, signal)
    return serviceDatabase(wanted, database, mask)
  } catch (error) {
    // A parallel run of ours may have made it, or the answer was lost; whatever the reason, it is there or it is not.
    signal.throwIfAborted()
    const found = await findDatabase(platform, wanted, mask, signal)
    if (!found) throw error
    return found
  }
}

function serviceDatabase(
  { name, env }: DatabasePlan,
  { url, authToken }: Database,
  mask: (secret: string) => void,
): ServiceDatabase {
  if (authToken) mask(authToken)
  if (!url || !authToken) {
    throw new DeployError(`ml.ink did not say how to reach the database ${name}`, {
      hint: 'Its creation may have failed half-way. Delete it at ml.ink, then run the job again.',
    })
  }
  const outputs: Readonly<Record<string, string>> = { url, token: authToken }
  const variables = Object.fromEntries([...env].map(([variable, output]) => [variable, outputs[output] ?? '']))
  return { name, access: { url, authToken }, variables }
}
