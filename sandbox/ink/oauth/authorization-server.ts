import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Account, Accounts } from '../accounts.ts'
import type { Journal } from '../journal.ts'
import { createAuthorizationEndpoint } from './authorization-endpoint.ts'
import { createClients } from './clients.ts'
import { answerJson, readJson } from './exchange.ts'
import { createGrants } from './grants.ts'
import { resourceMetadata, serverMetadata } from './metadata.ts'
import { OAuthRefusal } from './refusal.ts'
import { createTokenEndpoint } from './token-endpoint.ts'

export interface AuthorizationServerDependencies {
  readonly accounts: Accounts
  readonly journal: Journal
  readonly nowMs: () => number
  /** Whoever sits at the browser is signed in with this account. */
  readonly visitor: () => Account
  /** The issuer, and where all of its endpoints are. */
  readonly origin: () => string
}

type Handle = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void

/**
 * The platform's authorization server: OAuth 2.1 for public clients, with discovery (RFC 8414, RFC 9728), dynamic
 * registration (RFC 7591), PKCE (RFC 7636), resource indicators (RFC 8707), loopback redirects (RFC 8252) and the
 * issuer in its answers (RFC 9207). The access token that it hands out is an API key of the account.
 *
 * @returns what answers a path, or undefined for a path that is not the server's
 */
export function createAuthorizationServer(
  dependencies: AuthorizationServerDependencies,
): (pathname: string) => Handle | undefined {
  const { accounts, journal, nowMs, origin, visitor } = dependencies
  const clients = createClients(nowMs)
  const grants = createGrants(accounts, nowMs)
  const resource = () => `${origin()}/mcp`
  const { ask, decide } = createAuthorizationEndpoint({ clients, grants, journal, visitor, origin, resource })

  const routes: Readonly<Record<string, Readonly<Record<string, Handle>>>> = {
    '/.well-known/oauth-protected-resource': {
      GET: (_request, response) => answerJson(response, 200, resourceMetadata(origin(), resource())),
    },
    '/.well-known/oauth-authorization-server': {
      GET: (_request, response) => answerJson(response, 200, serverMetadata(origin())),
    },
    '/oauth/register': {
      POST: async (request, response) => answerJson(response, 201, clients.register(await readJson(request))),
    },
    '/oauth/authorize': { GET: ask, POST: decide },
    '/oauth/token': { POST: createTokenEndpoint({ clients, grants }) },
  }
  return (pathname) => {
    const methods = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined
    return methods && ((request, response) => dispatch(methods, pathname, journal, request, response))
  }
}

async function dispatch(
  methods: Readonly<Record<string, Handle>>,
  pathname: string,
  journal: Journal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const name = `${request.method} ${pathname}`
  const handle = methods[request.method ?? '']
  if (handle === undefined) {
    request.resume()
    response.writeHead(405, { allow: Object.keys(methods).join(', ') }).end()
    journal.add({ kind: 'http', name, ok: false, detail: { status: 405 } })
    return
  }
  try {
    await handle(request, response)
    journal.add({ kind: 'http', name, ok: true })
  } catch (error) {
    if (!(error instanceof OAuthRefusal)) throw error
    request.resume()
    journal.add({ kind: 'http', name, ok: false, detail: { error: error.code, text: error.message } })
    answerJson(response, statusOf(error), { error: error.code, error_description: error.message })
  }
}

/** RFC 6749, 5.2. */
function statusOf({ code }: OAuthRefusal): number {
  return code === 'invalid_client' ? 401 : 400
}
