import { DeployError } from '../core/errors.ts'
import type { Platform } from '../ink/platform.ts'
import type { Database } from '../ink/results.ts'
import type { DatabaseAccess } from '../ink/seed-database.ts'
import type { DatabasePlan } from '../plan/plan.ts'
import type { Run } from './run.ts'
import { findTemplateDatabase, makeTemplateDatabase } from './template-databases.ts'

/** A service's own database, with what the service needs to reach it. */
export interface ServiceDatabase {
  name: string
  /** Where SQL can be run in it; undefined for those that speak another protocol than ours. */
  access: DatabaseAccess | undefined
  variables: Readonly<Record<string, string>>
}

/**
 * Finds a service's database; undefined when it has to be made yet. Its credentials are masked the moment they are known.
 * @throws DeployError when this server offers no such database, or reveals no credentials
 */
export async function findDatabase(
  run: Run,
  wanted: DatabasePlan,
  signal: AbortSignal,
): Promise<ServiceDatabase | undefined> {
  insistOnOffer(run.platform, wanted)
  if (wanted.type !== 'sqlite') return findTemplateDatabase(run, wanted, signal)
  const found = await run.platform.database(wanted.name, signal)
  return found && serviceDatabase(wanted, found, run.mask)
}

/**
 * Makes a service's database. This is done once the branch is pushed and not before: a run that is killed in between
 * must leave something by which the sweep finds what it left.
 * @throws DeployError when no credentials are revealed
 */
export async function makeDatabase(run: Run, wanted: DatabasePlan): Promise<ServiceDatabase> {
  if (wanted.type !== 'sqlite') return makeTemplateDatabase(run, wanted)
  try {
    const database = await run.platform.createDatabase(wanted.name, wanted.type, run.signal)
    return serviceDatabase(wanted, database, run.mask)
  } catch (error) {
    // A parallel run of ours may have made it, or the answer was lost; whatever the reason, it is there or it is not.
    run.signal.throwIfAborted()
    const found = await findDatabase(run, wanted, run.signal)
    if (!found) throw error
    return found
  }
}

function insistOnOffer({ offers }: Pick<Platform, 'offers'>, { type }: DatabasePlan): void {
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
