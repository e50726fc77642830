import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import connect from 'undici/lib/api/api-connect.js'
import Agent from 'undici/lib/dispatcher/agent.js'
import DispatcherOfAll from 'undici/lib/dispatcher/dispatcher.js'
import ProxyAgent from 'undici/lib/dispatcher/proxy-agent.js'
import { fetch } from 'undici/lib/web/fetch/index.js'

/** How a server is reached: by way of a proxy, or directly at an address that a lookup of its own allows. */
export type Route = { readonly proxy: string } | { readonly lookup: LookupFunction }

/**
 * `fetch` by a {@link Route}, which Node's own `fetch` cannot be given. A quarter of the bundle, so this file is imported
 * by whoever needs it when it is needed; of the package only those rooms are entered that do the work.
 */
export function fetchBy(route: Route, url: string | URL, init: RequestInit = {}): Promise<Response> {
  // The package’s types and Node’s describe the same objects.
  return fetch(url, { ...init, dispatcher: dispatcherOf(route) } as never) as unknown as Promise<Response>
}

const dispatchers = new WeakMap<Route, Dispatcher>()

/** Who asks by the same route shares its connections. */
function dispatcherOf(route: Route): Dispatcher {
  const known = dispatchers.get(route)
  if (known) return known
  // The front door does this when it is entered; without it no tunnel can be asked for.
  Object.assign(DispatcherOfAll.prototype, { connect })
  const opened = 'proxy' in route ? new ProxyAgent(route.proxy) : new Agent({ connect: { lookup: route.lookup } })
  dispatchers.set(route, opened)
  return opened
}
