import type { AccountLimits } from '../ink/account.ts'
import type { Platform } from '../ink/platform.ts'
import type { Place } from '../plan/plan.ts'
import type { AccountView } from '../report/model.ts'

/**
 * Whose key it is, and how full the account. It is told beside the result, so what cannot be read is left out, and
 * nothing fails for it.
 */
export async function lookAtAccount(platform: Platform, place: Place, signal: AbortSignal): Promise<AccountView> {
  const [account, services, limits] = await Promise.allSettled([
    platform.account(signal),
    platform.offers('listServices') ? platform.services(signal) : undefined,
    platform.limits(signal),
  ])
  const most = told(limits)
  return {
    name: told(account)?.name,
    project: place.project,
    workspace: place.workspace,
    servicesInUse: told(services)?.length,
    mostServices: most?.maxServices,
    limits: limitsInWords(most),
  }
}

function told<T>(result: PromiseSettledResult<T>): T | undefined {
  return result.status === 'fulfilled' ? result.value : undefined
}

/** What the plan of an account allows, but for the number of its services. */
export function limitsInWords(limits: AccountLimits | undefined): string[] {
  if (!limits) return []
  const { tier, maxMemoryMi, maxVcpus } = limits
  return [
    ...(tier === undefined ? [] : [`plan ${tier}`]),
    ...(maxMemoryMi === undefined ? [] : [`at most ${maxMemoryMi} MiB of memory`]),
    ...(maxVcpus === undefined ? [] : [`at most ${maxVcpus} vCPUs`]),
  ]
}
