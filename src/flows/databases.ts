import { DeployError } from '../errors.ts'
import type { Platform } from '../ink/platform.ts'
import type { Database } from '../ink/results.ts'

/** A service's own database, with what the service needs to reach it. */
export interface ServiceDatabase {
  name: string
  variables: Readonly<Record<string, string>>
}

type DatabaseCalls = Pick<Platform, 'database' | 'createDatabase' | 'offers'>

/**
 * Finds a service's database; undefined when it has to be made yet. Its credentials are masked the moment they are known.
 * @throws DeployError when this server offers no databases, or reveals no credentials
 */
export async function findDatabase(
  platform: DatabaseCalls,
  name: string,
  mask: (secret: string) => void,
  signal: AbortSignal,
): Promise<ServiceDatabase | undefined> {
  if (!platform.offers('createDatabase')) {
    throw new DeployError('This ml.ink server offers no databases, and `database` asks for one', {
      hint: 'Remove the `database` input, and pass the address of another database with `env`.',
    })
  }
  const found = await platform.database(name, signal)
  return found && { name, variables: credentials(found, mask) }
}

/**
 * Makes a service's database. This is done once the branch is pushed and not before: a run that is killed in between
 * must leave something by which the sweep finds what it left.
 * @throws DeployError when no credentials are revealed
 */
export async function makeDatabase(
  platform: DatabaseCalls,
  wanted: { name: string; type: string },
  mask: (secret: string) => void,
  signal: AbortSignal,
): Promise<ServiceDatabase> {
  try {
    const database = await platform.createDatabase(wanted.name, wanted.type, signal)
    return { name: wanted.name, variables: credentials(database, mask) }
  } catch (error) {
    // A parallel run of ours may have made it, or the answer was lost; whatever the reason, it is there or it is not.
    signal.throwIfAborted()
    const found = await findDatabase(platform, wanted.name, mask, signal)
    if (!found) throw error
    return found
  }
}

function credentials({ name, url, authToken }: Database, mask: (secret: string) => void): Record<string, string> {
  if (authToken) mask(authToken)
  if (!url || !authToken) {
    throw new DeployError(`ml.ink did not say how to reach the database ${name}`, {
      hint: 'Its creation may have failed half-way. Delete it at ml.ink, then run the job again.',
    })
  }
  return { DATABASE_URL: url, DATABASE_AUTH_TOKEN: authToken }
}
