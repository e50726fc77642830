import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { credentialsOf } from '../access.ts'
import type { JournalEntry } from '../api.ts'
import type { Repository } from '../repository.ts'
import type { World } from '../state/state.ts'

/** GraphQL, which stands beside REST: of all its fields only who is asking, which REST does not tell an app's token. */
export async function answerGraphql(
  world: World<Repository>,
  journal: JournalEntry[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const token = world.tokens.get(credentialsOf(request.headers.authorization) ?? '')
  const asked = /^\s*\{\s*"query"\s*:\s*"query \{ viewer \{ login \} \}"\s*\}\s*$/.test(await text(request))
  const [status, body] =
    token === undefined
      ? [401, { message: 'This endpoint requires you to be authenticated.' }]
      : asked
        ? [200, { data: { viewer: { login: token.actor.login } } }]
        : [200, { data: null, errors: [{ message: 'this stand-in knows no such query' }] }]
  journal.push({ method: 'POST', path: '/graphql', status, operation: 'graphql', actor: token?.actor.login })
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body))
}
