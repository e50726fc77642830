import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Account } from '../accounts.ts'
import type { Journal } from '../journal.ts'
import { type Return, readAuthorizationRequest } from './authorization-request.ts'
import type { Clients } from './clients.ts'
import { consentPage, refusalPage } from './consent-page.ts'
import { answerHtml, readForm, redirectTo } from './exchange.ts'
import type { Grants } from './grants.ts'
import { readParameters } from './parameters.ts'
import { OAuthRefusal } from './refusal.ts'

export interface AuthorizationEndpointDependencies {
  readonly clients: Clients
  readonly grants: Grants
  readonly journal: Journal
  /** Whoever sits at the browser is signed in with this account. */
  readonly visitor: () => Account
  readonly origin: () => string
  readonly resource: () => string
}

/** Puts requests to the person at the browser, and brings the client their answer. */
export function createAuthorizationEndpoint(dependencies: AuthorizationEndpointDependencies) {
  const { clients, grants, journal, visitor, origin, resource } = dependencies

  function giveBack(response: ServerResponse, { redirectUri, state }: Return, answer: Record<string, string>): void {
    const target = new URL(redirectUri)
    const fields = { ...answer, ...(state === undefined ? {} : { state }), iss: origin() }
    for (const [name, value] of Object.entries(fields)) target.searchParams.append(name, value)
    journal.add({ kind: 'http', name: 'oauth answer', ok: !('error' in answer), detail: answer.error ?? 'code' })
    redirectTo(response, target.href)
  }

  return {
    ask(request: IncomingMessage, response: ServerResponse): void {
      const read = readAuthorizationRequest(new URL(request.url ?? '/', origin()).searchParams, clients, resource())
      if ('request' in read) {
        const page = consentPage(read.request, grants.ask(read.request), visitor().username)
        answerHtml(response, 200, page, new URL(read.request.redirectUri).origin)
      } else if (read.told === undefined) {
        answerHtml(response, 400, refusalPage(read.refusal))
      } else {
        giveBack(response, read.told, { error: read.refusal.code, error_description: read.refusal.message })
      }
    },
    async decide(request: IncomingMessage, response: ServerResponse): Promise<void> {
      const form = readParameters(await readForm(request))
      const asked = grants.answered(form.required('ticket'))
      if (asked === undefined) {
        const refusal = new OAuthRefusal('invalid_request', 'this question has been answered, or was left too long')
        answerHtml(response, 400, refusalPage(refusal))
      } else if (form.optional('decision') === 'allow') {
        giveBack(response, asked, { code: grants.allow(asked, visitor()) })
      } else {
        giveBack(response, asked, { error: 'access_denied', error_description: 'the request was denied' })
      }
    },
  }
}
