import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clients } from './clients.ts'
import { answerJson, readForm } from './exchange.ts'
import type { Grants } from './grants.ts'
import { readParameters } from './parameters.ts'
import { OAuthRefusal } from './refusal.ts'

/** Makes keys of codes. The key is the access token: it does not expire, and there is nothing to refresh. */
export function createTokenEndpoint({ clients, grants }: { readonly clients: Clients; readonly grants: Grants }) {
  return async function exchange(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = readParameters(await readForm(request))
    if (request.headers.authorization !== undefined) {
      throw new OAuthRefusal('invalid_client', 'clients here have no secret and send no authorization')
    }
    const grantType = form.required('grant_type')
    const client = clients.find(form.required('client_id'))
    if (client === undefined) throw new OAuthRefusal('invalid_client', 'client_id is not known')
    if (grantType !== 'authorization_code') {
      throw new OAuthRefusal('unsupported_grant_type', 'grant_type must be authorization_code')
    }
    const key = grants.redeem({
      code: form.required('code'),
      clientId: client.id,
      redirectUri: form.required('redirect_uri'),
      verifier: form.required('code_verifier'),
      resources: form.all('resource'),
    })
    answerJson(response, 200, { access_token: key, token_type: 'Bearer' })
  }
}
