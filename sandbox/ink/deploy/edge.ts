import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Listener, listen } from '../listener.ts'
import type { Service } from '../services.ts'
import type { Container } from './container.ts'

/** What the edge knows of one service: the container that answers, and since when it may. */
interface Route {
  container: Container
  readonly liveAtMs: number
}

/**
 * The public side of the services: one listener per host label, since a label is one name for all accounts.
 * A label's listener stays for as long as the platform runs, so that a URL never becomes somebody else's.
 */
export interface Edge {
  /** The address of a service; its listener is opened when needed. */
  urlOf(service: Service): Promise<string>
  /** Sends a service's requests to a container. The first time it answers 404 for the edge delay. */
  route(service: Service, container: Container): void
  /** Stops answering for a service. */
  unroute(service: Service): void
  close(): Promise<void>
}

interface Host {
  readonly listener: Listener
  /** In order of arrival: when several services claim one label, the first one answers for all of them. */
  readonly routes: Map<Service, Route>
}

/**
 * @param edgeDelayMs - how long the edge lags behind a first activation
 * @param nowMs - the clock
 */
export function createEdge(edgeDelayMs: number, nowMs: () => number, log: (line: string) => void): Edge {
  const hosts = new Map<string, Promise<Host>>()
  const opened = new Map<string, Host>()

  function hostOf(label: string): Promise<Host> {
    const existing = hosts.get(label)
    if (existing !== undefined) return existing
    const routes = new Map<Service, Route>()
    const opening = listen((request, response) => answer(routes, request, response), 0, log).then((listener) => {
      const host = { listener, routes }
      opened.set(label, host)
      return host
    })
    hosts.set(label, opening)
    return opening
  }

  function answer(routes: Map<Service, Route>, request: IncomingMessage, response: ServerResponse): void {
    const first = routes.values().next().value
    if (first === undefined || nowMs() < first.liveAtMs) {
      request.resume()
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n')
      return
    }
    first.container.handle(request, response)
  }

  return {
    async urlOf(service) {
      return (await hostOf(service.label)).listener.origin
    },
    route(service, container) {
      const host = opened.get(service.label)
      if (host === undefined) throw new Error(`The host of ${service.name} has not been opened.`)
      const known = host.routes.get(service)
      if (known === undefined) host.routes.set(service, { container, liveAtMs: nowMs() + edgeDelayMs })
      else known.container = container
    },
    unroute(service) {
      opened.get(service.label)?.routes.delete(service)
    },
    async close() {
      await Promise.all([...hosts.values()].map(async (host) => (await host).listener.close()))
    },
  }
}
