import { DeployError } from '../core/errors.ts'
import type { Service } from '../ink/results.ts'
import { type Allowance, mayChange, mayDelete, ownershipOf } from '../plan/guards.ts'
import type { Place } from '../plan/plan.ts'

/**
 * Makes sure that a service may be changed.
 * @param slug `owner/slug` of our repository on the platform
 * @throws DeployError when it is not ours and `adopt` is not set
 */
export function claimService(service: Service, plan: { place: Place; adopt: boolean }, slug: string): void {
  insist(
    mayChange(existing(service, slug), plan.place.repository.fullName, plan.adopt),
    'Stopped before changing anything',
  )
}

/**
 * Makes sure that a service may be deleted: every mark has to say that it is this pull request's preview.
 * @param slug undefined when our repository does not exist on the platform, so that nothing can be built from it
 * @throws DeployError when it is not
 */
export function claimPreview(
  service: Service,
  request: { place: Place; pullRequest: number },
  slug: string | undefined,
): void {
  insist(mayDelete(existing(service, slug), request.place.repository.fullName, request.pullRequest), 'Not removed')
}

/** Whether a service carries our marks and is built from our repository. */
export function isOurs(service: Service, place: Place, slug: string): boolean {
  return ownershipOf(service.env ?? {}, place.repository.fullName) === 'ours' && fromOurRepository(service, slug)
}

function existing(service: Service, slug: string | undefined) {
  return {
    name: service.name,
    env: service.env ?? {},
    fromOurRepository: slug !== undefined && fromOurRepository(service, slug),
  }
}

// Some servers do not report the repository; then the marks alone decide.
function fromOurRepository({ repo }: Service, slug: string): boolean {
  return repo === undefined || repo === slug
}

function insist(allowance: Allowance, what: string): void {
  if (!allowance.allowed) throw new DeployError(`${what}: ${allowance.reason}`, { hint: allowance.hint })
}
