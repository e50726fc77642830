import { DeployError } from '../errors.ts'
import type { Platform } from '../ink/platform.ts'
import type { Database } from '../ink/results.ts'

/** A service's own database, with what the service needs to reach it. */
export interface ServiceDatabase {
  name: string
  variables: Readonly<Record<string, string>>
  created: boolean
}

type DatabaseCalls = Pick<Platform, 'database' | 'createDatabase' | 'offers'>

/**
 * Finds a service's database, or makes it. Its credentials are masked the moment they are known.
 * @throws DeployError when this server offers no databases, or reveals no credentials
 */
export async function ensureDatabase(
  platform: DatabaseCalls,
  wanted: { name: string; type: string },
  mask: (secret: string) => void,
  signal: AbortSignal,
): Promise<ServiceDatabase> {
  if (!platform.offers('createDatabase')) {
    throw new DeployError('This ml.ink server offers no databases, and `database` asks for one', {
      hint: 'Remove the `database` input, and pass the address of another database with `env`.',
    })
  }
  const found = await platform.database(wanted.name, signal)
  const database = found ?? (await platform.createDatabase(wanted.name, wanted.type, signal))
  return { name: wanted.name, variables: credentials(database, mask), created: !found }
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
