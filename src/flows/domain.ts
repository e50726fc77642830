import { errorMessage } from '../errors.ts'
import type { DomainView } from '../report/model.ts'
import type { Run } from './run.ts'

/**
 * Attaches the custom domain to a service that is live, unless it has it already. The deployment stands either way, so
 * what goes wrong here is a warning.
 */
export async function attachDomain(run: Run, serviceName: string, domain: string): Promise<void> {
  try {
    const service = await run.platform.service(serviceName, {}, run.signal)
    const attached = service?.customDomain?.domain === domain ? service.customDomain : undefined
    const view: DomainView = attached
      ? { name: domain, status: attached.status, error: attached.error }
      : { name: domain, status: (await run.platform.addDomain(serviceName, domain, run.signal)).status ?? 'pending' }
    run.log.info(`Domain ${domain}: ${view.status}${view.error ? ` (${view.error})` : ''}`)
    run.reporter.update({ domain: view })
  } catch (error) {
    run.signal.throwIfAborted()
    run.reporter.update({ domain: { name: domain, status: 'not attached', error: errorMessage(error) } })
    run.log.warning(
      `The domain ${domain} could not be attached: ${errorMessage(error)}. ${await zonesHint(run, domain)}`,
    )
  }
}

async function zonesHint(run: Run, domain: string): Promise<string> {
  try {
    const zones = (await run.platform.zones(run.signal)).map(({ zone }) => zone)
    const under = zones.find((zone) => domain === zone || domain.endsWith(`.${zone}`))
    if (under) return `It lies under the delegated zone ${under}; check that zone’s state at ml.ink.`
    return zones.length === 0
      ? 'No zone is delegated to ml.ink yet; delegate one at ml.ink (DNS) first.'
      : `It lies under none of the zones delegated to ml.ink (${zones.join(', ')}).`
  } catch {
    return 'The zones delegated to ml.ink could not be read either.' // the warning that this belongs to is given all the same
  }
}
