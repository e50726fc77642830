import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Html } from '../../page/html.ts'
import { type OAuthErrorCode, OAuthRefusal } from './refusal.ts'

const LONGEST_BODY = 64 * 1024

/** @throws OAuthRefusal `invalid_request` when the body is not a form */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  return new URLSearchParams(await readBody(request, 'application/x-www-form-urlencoded', 'invalid_request'))
}

/** @throws OAuthRefusal `invalid_client_metadata` when the body is not JSON */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = await readBody(request, 'application/json', 'invalid_client_metadata')
  try {
    return JSON.parse(text)
  } catch {
    throw new OAuthRefusal('invalid_client_metadata', 'the body is not JSON')
  }
}

async function readBody(request: IncomingMessage, mediaType: string, code: OAuthErrorCode): Promise<string> {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
  if (type !== mediaType) throw new OAuthRefusal(code, `the content type must be ${mediaType}`)
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length > LONGEST_BODY) throw new OAuthRefusal(code, `the body is longer than ${LONGEST_BODY} bytes`)
  }
  return Buffer.concat(chunks).toString()
}

/** Answers are never kept by anybody on the way (RFC 6749, 5.1). */
const NOT_KEPT = { 'cache-control': 'no-store', pragma: 'no-cache' }

export function answerJson(response: ServerResponse, status: number, body: unknown): void {
  const challenge = status === 401 ? { 'www-authenticate': 'Basic realm="oauth"' } : {}
  response
    .writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...NOT_KEPT, ...challenge })
    .end(JSON.stringify(body))
}

/** @param formLeadsTo an origin that the page's form may lead to besides this one: browsers check redirects as well */
export function answerHtml(response: ServerResponse, status: number, page: Html, formLeadsTo = ''): void {
  response
    .writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      ...NOT_KEPT,
      // Nobody may put the question into a page of their own and have it clicked unseen.
      'content-security-policy': `default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'self' ${formLeadsTo}`,
      'referrer-policy': 'same-origin',
    })
    .end(page.toString())
}

/** Leads the browser on with GET, so that the form is not sent there (RFC 9700, 4.12). */
export function redirectTo(response: ServerResponse, address: string): void {
  response.writeHead(303, { location: address, ...NOT_KEPT, 'referrer-policy': 'no-referrer' }).end()
}
