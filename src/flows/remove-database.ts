import type { Database, TemplateInstance } from '../ink/resources.ts'
import type { Place } from '../plan/plan.ts'
import { protectedRemote } from '../source/source.ts'
import { branchesOf } from './branches.ts'
import type { Removable } from './removal.ts'
import type { Run } from './run.ts'
import { addressesOf, removeTemplateDatabase, removeVolumes, volumesOf } from './template-databases.ts'

/**
 * A database carries no marks, so it is removed only when it is certain that it was the preview's own: the service was
 * using it, or this repository asks for databases and the name is that of a preview of ours.
 */
export async function removeDatabase(run: Run, place: Place, preview: Removable): Promise<boolean> {
  const { platform, signal } = run
  const { databaseName, service } = preview
  const asked = run.settings.database !== undefined
  const values = Object.values(service?.env ?? {})
  if (!asked && service && !values.some((value) => value.includes('://'))) return false
  const isOwn = (addresses: readonly (string | undefined)[]) =>
    asked || addresses.some((address) => address !== undefined && values.includes(address))
  const [database, instance] = await Promise.all([
    platform.offers('deleteDatabase') ? platform.database(databaseName, signal) : undefined,
    platform.templateInstance(databaseName, signal),
  ])
  if (!asked && !service) return removeRemains(run, place, preview, database ?? instance)
  const resource = database && isOwn([database.url]) && (await platform.deleteDatabase(databaseName, signal))
  const ofTemplate = (instance ? isOwn(addressesOf(instance)) : asked) && platform.offers('listTemplateInstances')
  const template = ofTemplate && (await removeTemplateDatabase(run, databaseName, instance))
  return Boolean(resource || template)
}

/**
 * What an earlier try has left behind of a preview whose service it removed. Only the preview's branch still tells that
 * it was ours: enough for volumes that nothing uses, not for a database that may be in use.
 */
async function removeRemains(
  run: Run,
  place: Place,
  preview: Removable,
  database: Database | TemplateInstance | undefined,
): Promise<boolean> {
  const { databaseName } = preview
  const volumes = database ? [] : await volumesOf(run.platform, databaseName, run.signal)
  if (!database && volumes.length === 0) return false
  if (!(await hasBranch(run, place, preview))) return false
  if (database)
    throw new Error(
      'its service is gone already, so nothing tells any more whether it was the preview’s own; delete it at ml.ink, or run this again with the `database` input',
    )
  return (await removeVolumes(run, databaseName)) > 0
}

async function hasBranch(run: Run, place: Place, { pullRequest }: Removable): Promise<boolean> {
  const access = await run.platform.gitAccess(place.repositoryName, false, run.signal)
  if (!access) return false
  await using source = run.openSource(place)
  const present = await source.branches(protectedRemote(access.remote, run.mask), run.signal)
  return branchesOf(`pr-${pullRequest}`, present.keys()).length > 0
}
