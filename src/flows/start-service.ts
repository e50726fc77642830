import type { Clock } from '../core/clock.ts'
import { DeployError } from '../core/errors.ts'
import { ToolError } from '../ink/errors.ts'
import { isNameTaken, type Platform, type ServiceSettings } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import { meaningOf } from '../watch/status.ts'

/** What one start of a deployment needs. */
export interface StartRequest {
  platform: Pick<Platform, 'service' | 'createService' | 'updateService'>
  clock: Clock
  /** Yields [0, 1). */
  random: () => number
  serviceName: string
  /** `owner/slug` on the platform's git hosting. */
  repositorySlug: string
  /** Name under which the platform finds the repository when a service is created. */
  repositoryName: string
  branch: string
  /** The service as it was read at the beginning. */
  existing: Service | undefined
  /** Settings for the service as it stands; asked anew because it may have vanished or appeared meanwhile. */
  settings: (existing: Service | undefined) => ServiceSettings
  /** Refuses a service that is not ours to change. @throws DeployError */
  claim: (service: Service) => void
  /** Gets the service's id as soon as it is known. */
  accepted: (serviceId: string | undefined) => void
  /** Asked when the service is gone that was to be updated: somebody may have wanted that. */
  mayCreateAnew: () => Promise<boolean>
  info: (text: string) => void
}

const nameTakenPauseMs = 1000
const longestHesitationMs = 4000
const longestDeletionMs = 180_000
// While a deletion is under way the service is still found; a name that is refused and belongs to no service of ours for
// longer than this is a stranger's.
const strangerAfterMs = 15_000

/** Starts the deployment of a request, as often as it is asked to. */
export interface ServiceStarter {
  readonly start: (signal: AbortSignal) => Promise<void>
  /** Whether the last start asked for the service's creation and for nothing else. */
  readonly created: () => boolean
}

/**
 * Returns what starts the deployment: an update when the service exists, otherwise its creation. Each call starts
 * exactly one deployment and may be repeated.
 *
 * Two things can come between: a parallel run of ours creates the service first (then it is updated), and a deletion is
 * still under way, during which the service is found but its name refused (then it is waited for).
 */
export function serviceStarter(request: StartRequest): ServiceStarter {
  let known = request.existing
  let starts = 0
  let acknowledged = false
  let created = false
  const start = async (signal: AbortSignal): Promise<void> => {
    starts += 1
    if (starts > 1) {
      // Two runs that deploy the same commit cancel each other's deployment, and when both start again at the same moment
      // they do so for ever. So whoever starts again waits for a random while and then joins a deployment of the very same
      // branch. After a start that was not acknowledged it could be somebody else's, with the branch already set to ours.
      if (acknowledged) await request.clock.sleep(request.random() * longestHesitationMs, signal)
      const now = await request.platform.service(request.serviceName, { env: true }, signal)
      if (isTakenOver(now, request, acknowledged) || (acknowledged && isDeploying(now, request.branch))) return
      known ??= now
      acknowledged = false
    }
    const patience = { since: request.clock.now(), unseenSince: undefined as number | undefined }
    let vanished = false
    for (;;) {
      try {
        created = known === undefined
        const accepted = await (known ? update(request, known, signal) : create(request, signal))
        request.accepted(accepted.serviceId ?? known?.id)
        acknowledged = true
        return
      } catch (error) {
        if (known && isGone(error) && (await request.mayCreateAnew())) {
          known = undefined
          vanished = true
          continue
        }
        if (known || !isNameTaken(error)) throw error
        known = await holderOfTheName(request, error, patience, signal)
        // Found, refused as gone, and its name taken: that is a deletion under way, too.
        if (known && vanished) await waitForTheName(request, error, patience, signal)
      }
    }
  }
  return { start, created: () => created }
}

/**
 * Whether somebody who came after our first start has switched the service to another branch: that one stays. What the
 * service had before is no such branch as long as it is not known that ours was ever set.
 */
function isTakenOver(
  now: Service | undefined,
  { branch, existing }: Pick<StartRequest, 'branch' | 'existing'>,
  acknowledged: boolean,
): boolean {
  if (now?.branch === undefined || now.branch === branch) return false
  return acknowledged || now.branch !== existing?.branch
}

function isDeploying(service: Service | undefined, branch: string): boolean {
  const phase = service?.branch === branch ? meaningOf(service.status)?.phase : undefined
  return service?.status !== 'pending' && (phase === 'queued' || phase === 'building' || phase === 'rolling-out')
}

function create({ platform, serviceName, repositoryName, branch, settings }: StartRequest, signal: AbortSignal) {
  return platform.createService(serviceName, repositoryName, branch, settings(undefined), signal)
}

function update(
  { platform, serviceName, repositorySlug, repositoryName, branch, settings }: StartRequest,
  known: Service,
  signal: AbortSignal,
) {
  const moved = known.repo !== undefined && known.repo !== repositorySlug ? { repo: repositoryName } : {}
  return platform.updateService(serviceName, { ...settings(known), ...moved, branch }, signal)
}

async function holderOfTheName(
  request: StartRequest,
  refusal: unknown,
  patience: { readonly since: number; unseenSince: number | undefined },
  signal: AbortSignal,
): Promise<Service | undefined> {
  const holder = await request.platform.service(request.serviceName, { env: true }, signal)
  if (holder) request.claim(holder)
  if (holder && !/remov|delet/i.test(holder.status)) return holder
  patience.unseenSince = holder ? undefined : (patience.unseenSince ?? request.clock.now())
  await waitForTheName(request, refusal, patience, signal)
  return undefined
}

async function waitForTheName(
  request: StartRequest,
  refusal: unknown,
  patience: { readonly since: number; readonly unseenSince: number | undefined },
  signal: AbortSignal,
): Promise<void> {
  const now = request.clock.now()
  const stranger = patience.unseenSince !== undefined && now - patience.unseenSince > strangerAfterMs
  if (stranger || now - patience.since > longestDeletionMs) throw nameIsTaken(request.serviceName, refusal, stranger)
  request.info(`The name ${request.serviceName} is still taken, probably by a deletion under way; waiting for it`)
  await request.clock.sleep(nameTakenPauseMs, signal)
}

function nameIsTaken(name: string, cause: unknown, stranger: boolean): DeployError {
  if (!stranger)
    return new DeployError(`The service “${name}” is being deleted on ml.ink, and still was after 3 minutes`, {
      cause,
      hint: 'Run the job again once it is gone.',
    })
  return new DeployError(`The service name “${name}” is taken on ml.ink, and not by a service of this account`, {
    cause,
    hint: 'Names are shared by all users of ml.ink. Choose another one with the `service` input.',
  })
}

function isGone(error: unknown): boolean {
  return error instanceof ToolError && error.reason === 'service-not-found'
}
