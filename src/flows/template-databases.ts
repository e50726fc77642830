import { DeployError } from '../core/errors.ts'
import type { Platform } from '../ink/platform.ts'
import type { TemplateInstance } from '../ink/results.ts'
import type { DatabasePlan } from '../plan/plan.ts'
import { meaningOf } from '../watch/status.ts'
import type { ServiceDatabase } from './databases.ts'
import type { Run } from './run.ts'
import { waitUntilGone } from './waiting.ts'

const startTimeoutMs = 300_000
const deletionTimeoutMs = 180_000
const pauseMs = 2000

/**
 * A database of a template that runs already; undefined when it has to be made, or waited for.
 * @throws DeployError when it has no such output as is wanted
 */
export async function findTemplateDatabase(
  run: Run,
  wanted: DatabasePlan,
  signal: AbortSignal,
): Promise<ServiceDatabase | undefined> {
  const instance = await run.platform.templateInstance(wanted.name, signal)
  return instance && isRunning(instance) ? serviceDatabase(run, wanted, instance) : undefined
}

/**
 * Makes a database of a template and waits until it runs and says how to reach it: the service would not start without.
 * @throws DeployError when it does not come up, or has no such output as is wanted
 */
export async function makeTemplateDatabase(run: Run, wanted: DatabasePlan): Promise<ServiceDatabase> {
  const { platform, clock, signal } = run
  const find = () => platform.templateInstance(wanted.name, signal)
  if (!(await find())) {
    try {
      await platform.deployTemplate(wanted.type, wanted.name, signal)
    } catch (error) {
      // A parallel run of ours may have made it, or the answer was lost; whatever the reason, it is there or it is not.
      signal.throwIfAborted()
      if (!(await find())) throw error
    }
  }
  const deadlineAt = clock.now() + startTimeoutMs
  for (;;) {
    const instance = await find()
    const isLate = clock.now() >= deadlineAt
    const database = instance && isRunning(instance) ? serviceDatabase(run, wanted, instance, isLate) : undefined
    if (database) return database
    const status = instance?.status ?? 'gone'
    if (meaningOf(status)?.phase === 'ended' || isLate) {
      throw new DeployError(`The database ${wanted.name} (${wanted.type}) did not start on ml.ink; it is ${status}`, {
        hint: `Look at the service ${wanted.name} at ml.ink, delete it if it is of no use, then run the job again.`,
      })
    }
    await clock.sleep(pauseMs, signal)
  }
}

/**
 * Removes a template's database: its services, then the volumes, which outlive them. What an earlier try has removed is
 * not missed.
 */
export async function removeTemplateDatabase(
  run: Run,
  name: string,
  instance: TemplateInstance | undefined,
): Promise<boolean> {
  const { platform, clock, signal } = run
  for (const service of instance?.services ?? []) {
    await platform.deleteService(service.name, signal)
    const deadlineAt = clock.now() + deletionTimeoutMs
    if (!(await waitUntilGone(platform, service, { clock, deadlineAt, signal })))
      throw new Error(`ml.ink accepted the deletion of ${service.name}, and still shows it after 3 minutes`)
  }
  const volumes = await removeVolumes(run, name)
  return instance !== undefined || volumes > 0
}

/** Removes the volumes of a template's database, whose services are gone, and returns how many there were. */
export async function removeVolumes({ platform, signal }: Run, name: string): Promise<number> {
  const volumes = await volumesOf(platform, name, signal)
  for (const volume of volumes) await platform.deleteVolume(volume, signal)
  return volumes.length
}

/** Names of the volumes of a template's database. */
export async function volumesOf(platform: Platform, name: string, signal: AbortSignal): Promise<readonly string[]> {
  const all = await platform.volumes(signal)
  return all.map((volume) => volume.name).filter((volume) => volume === name || volume.startsWith(`${name}-`))
}

/** The addresses that an instance goes by, each of which a service may have been given. */
export function addressesOf({ outputs }: TemplateInstance): string[] {
  return outputs.map(({ value }) => value).filter((value) => value.includes('://'))
}

function isRunning({ status }: TemplateInstance): boolean {
  return meaningOf(status ?? '')?.phase === 'live'
}

// The first of these that a template has is its `url`.
const urlKeys = ['connection_string', 'database_url', 'connection_url', 'url', 'uri']

/**
 * The database, with the outputs that are wanted of it; undefined while one of them may still come. An output that is
 * empty is none: the service would start with it, and fail for a reason that is hard to see.
 */
function serviceDatabase(
  run: Run,
  { name, env }: DatabasePlan,
  { outputs }: TemplateInstance,
  isLate = false,
): ServiceDatabase | undefined {
  maskOutputs(run, outputs)
  const filled = outputs.filter(({ value }) => value !== '')
  const known = new Map(filled.map(({ key, value }) => [key.toLowerCase(), value]))
  const url = urlKeys.map((key) => known.get(key)).find((value) => value)
  if (url !== undefined) known.set('url', url)
  const variables = [...env].map(([variable, output]) => ({ variable, output, value: known.get(output.toLowerCase()) }))
  const missing = variables.find(({ value }) => value === undefined)
  if (!missing) {
    return {
      name,
      access: undefined,
      variables: Object.fromEntries(variables.map(({ variable, value = '' }) => [variable, value])),
    }
  }
  const mayCome = filled.length === 0 || filled.length < outputs.length
  if (mayCome && !isLate) return undefined
  throw new DeployError(
    `The database ${name} has no output “${missing.output}”, which database-env wants as ${missing.variable}`,
    { hint: `It has ${[...known.keys()].join(', ') || 'none'}.` },
  )
}

function maskOutputs(run: Run, outputs: TemplateInstance['outputs']): void {
  for (const { key, value, sensitive } of outputs) {
    if (value === '') continue
    if (sensitive) run.mask(value)
    else run.maskVariables({ [key]: value })
  }
}
