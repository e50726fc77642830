import { settleEach } from '../core/parallel.ts'
import { type FormerRepository, formerRepositoryOf, underFormerNames } from '../plan/former-names.ts'
import type { Plan } from '../plan/plan.ts'
import { isMadeBy, openRepository } from './repository.ts'
import type { Run } from './run.ts'

type PlacedPlan = Extract<Plan, { readonly place: unknown }>

/**
 * After a repository was renamed or transferred its services still have their old names, and the plan has new ones: then
 * the plan is changed, so that nothing is made twice and nothing is left behind. Costs one call where nothing changed.
 */
export async function keepFormerNames<P extends PlacedPlan>(plan: P, run: Run): Promise<P> {
  const { place } = plan
  if (place.repository.id === undefined || !run.platform.offers('listServices')) return plan
  const name = 'serviceName' in plan ? plan.serviceName : place.baseName
  const former = await findFormer(plan, run, [...new Set([name, place.baseName])])
  if (!former) return plan
  const kept = underFormerNames(plan, former)
  run.log.notice(
    `${place.repository.fullName} was called ${former.owner}/${former.name} when its services were made. They are ours by GitHub’s number for the repository (${place.repository.id}), and keep their names: ${kept.place.baseName}, from the repository ${kept.place.repositoryName}.`,
  )
  if ('serviceName' in kept) {
    run.output('service', kept.serviceName)
    run.reporter.update({ service: kept.serviceName })
  }
  return kept
}

/** A service under one of the present names settles it; else those that the platform lists are asked for their marks. */
async function findFormer(
  { place }: PlacedPlan,
  run: Run,
  present: readonly string[],
): Promise<FormerRepository | undefined> {
  const { platform, signal } = run
  const { fullName } = place.repository
  for (const name of present) {
    const service = await platform.service(name, { env: true }, signal)
    if (service) return isMadeBy(service, place) ? formerRepositoryOf(service.env ?? {}, fullName) : undefined
  }
  const repository = await openRepository(run, place)
  const listed = (await platform.services(signal)).filter(
    ({ repo }) => repository === undefined || repo === undefined || repo === repository.slug,
  )
  const read = await settleEach(listed, ({ name }) => platform.service(name, { env: true }, signal))
  signal.throwIfAborted()
  for (const answer of read) {
    const service = answer.status === 'fulfilled' ? answer.value : undefined
    const former = service && isMadeBy(service, place) ? formerRepositoryOf(service.env ?? {}, fullName) : undefined
    if (former) return former
  }
  return undefined
}
