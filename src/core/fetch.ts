import { Agent } from 'undici'
import { AddressRefused, type AddressRules, allowedLookup, assertPublicAddress } from './addresses.ts'
import type { Fetch } from './http.ts'
import { fetchThrough, proxiedFetch, readProxies } from './proxy.ts'

/**
 * {@link proxiedFetch} for addresses that the server at `endpoint` has told: they have to be https and on the public
 * internet, by their name and again at the connection. A server on this machine or in this network, which its user has
 * configured, may name addresses where it is itself.
 */
export function fetchNamedBy(endpoint: string, environment: Parameters<typeof proxiedFetch>[0]): Fetch {
  const { hostname } = new URL(endpoint)
  if (LOOPBACK.test(hostname)) return proxiedFetch(environment)
  const proxyFor = readProxies(environment)
  let rules: Promise<AddressRules> | undefined
  let guarded: Agent | undefined
  return async (url, init) => {
    const target = new URL(url)
    rules ??= rulesOf(endpoint)
    await assertPublicAddress(target.href, await rules)
    guarded ??= new Agent({ connect: { lookup: allowedLookup(await rules) } })
    return fetchThrough(proxyFor(target) ?? guarded, url, init)
  }
}

async function rulesOf(endpoint: string): Promise<AddressRules> {
  const inside = await assertPublicAddress(endpoint).then(
    () => false,
    (error: unknown) => error instanceof AddressRefused,
  )
  return { configured: [endpoint], privateNetworks: inside }
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/
