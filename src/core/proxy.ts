import { isIP } from 'node:net'
import type { Dispatcher } from 'undici'
// Not from the package’s front door, which brings mocks, sockets and caches into every bundle.
import api from 'undici/lib/api/index.js'
import DispatcherOfAll from 'undici/lib/dispatcher/dispatcher.js'
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js'
import { fetch as dispatchedFetch } from 'undici/lib/web/fetch/index.js'
import { DeployError } from './errors.ts'
import type { Fetch } from './http.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * `fetch` that goes through the proxies which `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name, in either
 * case, as git does. Node's own `fetch` knows nothing of them.
 * @throws DeployError naming the variable whose value is no address of a proxy
 */
export function proxiedFetch(environment: Environment): Fetch {
  const proxyFor = readProxies(environment)
  return (url, init) => {
    const proxy = proxyFor(new URL(url))
    return proxy === undefined ? globalThis.fetch(url, init) : fetchThrough(proxy, url, init)
  }
}

/** `fetch` by way of a proxy or an agent of its own. */
export function fetchThrough(
  dispatcher: Dispatcher,
  url: string | URL,
  init: RequestInit | undefined,
): Promise<Response> {
  // The package’s types and Node’s describe the same objects.
  return dispatchedFetch(url, { ...init, dispatcher } as never) as unknown as Promise<Response>
}

/** The proxy for an address, if there is to be one. */
export function readProxies(environment: Environment): (target: URL) => ProxyAgent | undefined {
  const read = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined
  const agentFor = (name: string): ProxyAgent | undefined => {
    // The front door does this when it is entered; without it no tunnel can be asked for.
    Object.assign(DispatcherOfAll.prototype, api)
    const known = [name, 'ALL_PROXY'].find((one) => read(one) !== undefined)
    return known === undefined ? undefined : new ProxyAgent(usableProxy(known, read(known) ?? ''))
  }
  const agents: Readonly<Record<string, ProxyAgent | undefined>> = {
    'https:': agentFor('HTTPS_PROXY'),
    'http:': agentFor('HTTP_PROXY'),
  }
  const exceptions = (read('NO_PROXY') ?? '').split(/[\s,]+/).filter(Boolean)
  return (target) => (exceptions.some((one) => covers(one, target)) ? undefined : agents[target.protocol])
}

/** `*`, an IP address, or a host with all below it (`corp.example`, `.corp.example`, `*.corp.example`), each with or without a port. */
function covers(exception: string, { hostname, port, protocol }: URL): boolean {
  if (exception === '*') return true
  const [, name = '', only] = /^(?:\*?\.)?(.*?)(?::(\d+))?$/.exec(exception.toLowerCase()) ?? []
  if (only !== undefined && only !== (port || (protocol === 'http:' ? '80' : '443'))) return false
  return hostname === name || (isIP(hostname) === 0 && hostname.endsWith(`.${name}`))
}

function usableProxy(name: string, value: string): string {
  const { protocol = undefined } = URL.canParse(value) ? new URL(value) : {}
  if (protocol === 'http:' || protocol === 'https:') return value
  throw new DeployError(`The environment variable ${name} names no proxy that can be used`, {
    hint: 'It has to be an address such as http://proxy.example:3128; other kinds of proxy are not supported.',
  })
}
