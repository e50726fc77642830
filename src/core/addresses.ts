import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { lookup as resolveName } from 'node:dns/promises'
import { BlockList, isIP, type LookupFunction } from 'node:net'
import type { Route } from './dispatch.ts'
import { DeployError } from './errors.ts'
import { type Fetch, fetchThrough, isLoopback, proxiedFetch, readProxies } from './http.ts'
import { sanitizePhrase } from './sanitize.ts'

/** Which addresses may be asked when it was not the user who named them. */
export interface AddressRules {
  /** Addresses that the user configured: the same scheme, host and port may be asked wherever it lies, over http as well. */
  readonly configured?: readonly string[]
  /** Whether private networks are fine too, as the one who names the address is a server of the user's own. */
  readonly privateNetworks?: boolean
  /** The proxy for an address. Where there is one, the connection is its own, and the check of the name has to do. */
  readonly proxyFor?: ((target: URL) => Route | undefined) | undefined
}

/** An address that is not asked. The message says which one and why. */
export class AddressRefused extends DeployError {
  override readonly name = 'AddressRefused'

  constructor(address: string, why: string) {
    super(`${sanitizePhrase(address)} is not asked: ${why}`, {
      hint: 'Somebody else named this address, so it has to be https and on the public internet.',
    })
  }
}

// IANA, IPv4 and IPv6 Special-Purpose Address Registries; metadata services live in link-local and unique local ones.
const privateRanges = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16']
const reservedRanges = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
]
// What the clouds answer on beside link-local addresses: Alibaba's and Oracle's are in ranges that others use privately.
const metadataAddresses = ['100.100.100.200', '192.0.0.192', 'fd00:ec2::254', 'fd20:ce::254']

const privateNetworks = listOf(privateRanges, ['fc00::/7'])
const reserved = listOf(reservedRanges, ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'])
const metadata = new BlockList()
for (const address of metadataAddresses) metadata.addAddress(address, familyOf(address))
const globalUnicast = listOf([], ['2000::/3', '64:ff9b::/96', '::ffff:0:0/96'])

function listOf(ipv4: readonly string[], ipv6: readonly string[]): BlockList {
  const list = new BlockList()
  const add = (range: string, before = '', more = 0) => {
    const [network = '', bits] = range.split('/')
    list.addSubnet(before + network, Number(bits) + more, familyOf(before + network))
  }
  for (const range of ipv4) {
    add(range)
    // RFC 6052: an IPv6 network reaches IPv4 through these.
    add(range, '64:ff9b::', 96)
  }
  for (const range of ipv6) add(range)
  return list
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return address.includes(':') ? 'ipv6' : 'ipv4'
}

/** Whether an IP address may be connected to: any on the public internet, and on private networks where these are fine. */
export function isAllowedIp(address: string, rules: AddressRules = {}): boolean {
  // A zone (fe80::1%eth0) says that it is link-local.
  if (isIP(address) === 0 || address.includes('%')) return false
  const family = familyOf(address)
  if (metadata.check(address, family) || reserved.check(address, family)) return false
  if (privateNetworks.check(address, family)) return rules.privateNetworks === true
  return family === 'ipv4' || globalUnicast.check(address, family)
}

/**
 * Makes sure that an address which a stranger named may be asked: https, no credentials, and no host that is on this
 * machine, in its network or a metadata service, neither by its own name nor after resolution. Between this and the
 * connection a name can change its mind: connect through {@link allowedLookup}, or to the answer.
 *
 * @returns the parsed address, and the IP addresses that it stands for: empty for one that the user configured, and for
 *   a name that cannot be resolved here (a proxy may know it; a direct connection fails by itself)
 * @throws AddressRefused
 */
export async function assertPublicAddress(
  address: string,
  rules: AddressRules = {},
): Promise<{ readonly url: URL; readonly ips: readonly string[] }> {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined) throw new AddressRefused(address, 'it is not an address')
  if (isConfigured(url, rules)) return { url, ips: [] }
  const shown = `${url.protocol}//${url.host}`
  if (url.protocol !== 'https:') throw new AddressRefused(shown, 'it is not https')
  if (url.username !== '' || url.password !== '') throw new AddressRefused(shown, 'it carries credentials')
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const found = isIP(host) === 0 ? await resolveName(host, { all: true }).catch(() => []) : [{ address: host }]
  const ips = found.map(({ address: ip }) => ip)
  const inside = /(?:^|\.)(?:localhost|localdomain|internal)\.?$/.test(host) ? host : undefined
  const refused = inside ?? ips.find((ip) => !isAllowedIp(ip, rules))
  if (refused === undefined) return { url, ips }
  throw new AddressRefused(shown, `${refused} is not on the public internet`)
}

function isConfigured(url: URL, { configured = [] }: AddressRules): boolean {
  return configured.some((address) => URL.canParse(address) && new URL(address).origin === url.origin)
}

/** `dns.lookup` that answers no address which may not be connected to: for agents and sockets, at the very connection. */
export function allowedLookup(rules: AddressRules = {}): LookupFunction {
  return (hostname, options, callback) => {
    systemLookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      const refused = found?.find(({ address }) => !isAllowedIp(address, rules))
      const problem = refused && new AddressRefused(hostname, `${refused.address} is not on the public internet`)
      const [first] = found ?? []
      if (error !== null || problem !== undefined) callback(error ?? problem ?? null, '')
      else if (options.all === true) callback(null, found)
      else callback(null, first?.address ?? '', first?.family)
    })
  }
}

const mostRedirects = 5

/**
 * `fetch` for addresses that a stranger named: each is checked, those of redirects too, and again at the connection.
 * What a request carries stays with the server it was meant for: another one that it is redirected to gets none of its
 * headers.
 *
 * @throws AddressRefused; Error when the connection fails or redirects do not end
 */
export async function fetchAllowed(
  address: string,
  init: RequestInit | undefined,
  rules: AddressRules = {},
): Promise<Response> {
  let current = address
  let headers = init?.headers
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const { url } = await assertPublicAddress(current, rules)
    const request: RequestInit = { ...init, headers: headers ?? {}, redirect: 'manual' }
    const guarded = rules.privateNetworks ? privateRoute : publicRoute
    const route = rules.proxyFor?.(url) ?? (isConfigured(url, rules) ? undefined : guarded)
    const response = await fetchThrough(route, url, request)
    const location = response.headers.get('location')
    if (response.status < 300 || response.status > 399 || location === null) return response
    if (init?.redirect === 'manual') return response
    await response.body?.cancel()
    if (init?.redirect === 'error') throw new Error(`${url.origin} redirects, which is not wanted here`)
    if (!URL.canParse(location, url.href))
      throw new AddressRefused(url.origin, 'it redirects to something that is not an address')
    const next = new URL(location, url)
    if (next.origin !== url.origin) headers = undefined
    current = next.href
  }
  throw new Error(`${new URL(address).origin} redirects more than ${mostRedirects} times`)
}

const publicRoute: Route = { lookup: allowedLookup() }
const privateRoute: Route = { lookup: allowedLookup({ privateNetworks: true }) }

/** The body of an answer, whose sender is taken to send no more than so many bytes. @throws DeployError at the first one more */
export async function* bodyAtMost(response: Response, bytes: number): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const chunk of response.body ?? []) {
    seen += chunk.byteLength
    // Leaving the loop ends the connection.
    if (seen > bytes) throw new DeployError(`the server sent more than the ${bytes} bytes that it should`)
    yield chunk
  }
}

/**
 * {@link proxiedFetch} for addresses that the server at `endpoint` has told: they have to be https and on the public
 * internet, by their name and again at the connection. A server on this machine or in this network, which its user has
 * configured, may name addresses where it is itself.
 */
export function fetchNamedBy(endpoint: string, environment: Parameters<typeof proxiedFetch>[0]): Fetch {
  if (isLoopback(new URL(endpoint).hostname)) return proxiedFetch(environment)
  const proxyFor = readProxies(environment)
  let rules: Promise<AddressRules> | undefined
  return async (url, init) => {
    rules ??= assertPublicAddress(endpoint).then(
      () => ({ configured: [endpoint] }),
      (error: unknown) => ({ configured: [endpoint], privateNetworks: error instanceof AddressRefused }),
    )
    return fetchAllowed(new URL(url).href, init, { ...(await rules), proxyFor })
  }
}
