import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError, acceptedPermissions } from './access.ts'
import type { Json } from './description.ts'
import type { Answer } from './rest/call.ts'

/** What a GITHUB_TOKEN may ask per hour. It is told, as GitHub tells it, but not enforced. */
const RATE_LIMIT = 1000

/** The JSON body of a request, or `undefined` when there is none. */
export async function readBody(request: IncomingMessage): Promise<Json | undefined> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const raw = Buffer.concat(chunks).toString('utf8')
  if (raw === '') return undefined
  try {
    return JSON.parse(raw) as Json
  } catch {
    throw new ApiError(400, 'Problems parsing JSON')
  }
}

/** Sends an answer with the headers that GitHub puts on every one. */
export function send(response: ServerResponse, answer: Answer, operation: string, used: number): void {
  const accepted = acceptedPermissions(operation)
  response.writeHead(answer.status, {
    ...(answer.body === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-request-id': `SAND:${used.toString(16).toUpperCase()}`,
    'x-ratelimit-limit': String(RATE_LIMIT),
    'x-ratelimit-remaining': String(Math.max(0, RATE_LIMIT - used)),
    'x-ratelimit-used': String(used),
    'x-ratelimit-reset': String(Math.ceil(Date.now() / 3_600_000) * 3600),
    'x-ratelimit-resource': 'core',
    ...(accepted === undefined ? {} : { 'x-accepted-github-permissions': accepted }),
    ...answer.headers,
  })
  response.end(answer.body === undefined ? undefined : JSON.stringify(answer.body))
}
