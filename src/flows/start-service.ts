import { DeployError } from '../errors.ts'
import { ToolError } from '../ink/errors.ts'
import { isNameTaken, type Platform, type ServiceSettings } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { Clock } from '../watch/clock.ts'
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
  info: (text: string) => void
}

const nameTakenPauseMs = 1000
const longestHesitationMs = 4000
const longestDeletionMs = 180_000
// While a deletion is under way the service is still found; a name that is refused and belongs to no service of ours for
// longer than this is a stranger's.
const strangerAfterMs = 15_000

/**
 * Returns what starts the deployment: an update when the service exists, otherwise its creation. Each call starts
 * exactly one deployment and may be repeated.
 *
 * Two things can come between: a parallel run of ours creates the service first (then it is updated), and a deletion is
 * still under way, during which the service is found but its name refused (then it is waited for).
 */
export function serviceStarter(request: StartRequest): (signal: AbortSignal) => Promise<void> {
  let known = request.existing
  let calls = 0
  return async (signal) => {
    calls += 1
    if (calls > 1 && (await startedByAnotherRun(request, signal))) return
    const patience = { since: request.clock.now(), unseenSince: undefined as number | undefined }
    for (;;) {
      try {
        const accepted = await (known ? update(request, known, signal) : create(request, signal))
        request.accepted(accepted.serviceId ?? known?.id)
        known ??= await request.platform.service(request.serviceName, { env: true }, signal)
        return
      } catch (error) {
        if (known && isGone(error)) {
          known = undefined
          continue
        }
        if (known || !isNameTaken(error)) throw error
        known = await holderOfTheName(request, error, patience, signal)
      }
    }
  }
}

/**
 * Two runs that deploy the same commit cancel each other's deployment, and when both start again at the same moment they
 * do so for ever. So whoever starts again waits for a random while and then joins a deployment of the very same branch.
 */
async function startedByAnotherRun(request: StartRequest, signal: AbortSignal): Promise<boolean> {
  await request.clock.sleep(request.random() * longestHesitationMs, signal)
  const now = await request.platform.service(request.serviceName, {}, signal)
  const phase = now?.branch === request.branch ? meaningOf(now.status)?.phase : undefined
  return now?.status !== 'pending' && (phase === 'queued' || phase === 'building' || phase === 'rolling-out')
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
  const now = request.clock.now()
  patience.unseenSince = holder ? undefined : (patience.unseenSince ?? now)
  const stranger = patience.unseenSince !== undefined && now - patience.unseenSince > strangerAfterMs
  if (stranger || now - patience.since > longestDeletionMs) throw nameIsTaken(request.serviceName, refusal, stranger)
  request.info(`The name ${request.serviceName} is still taken, probably by a deletion under way; waiting for it`)
  await request.clock.sleep(nameTakenPauseMs, signal)
  return undefined
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
