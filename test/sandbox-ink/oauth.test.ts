import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createAccounts } from '../../sandbox/ink/accounts.ts'
import { createJournal } from '../../sandbox/ink/journal.ts'
import { type Listener, listen } from '../../sandbox/ink/listener.ts'
import { createAuthorizationServer } from '../../sandbox/ink/oauth/authorization-server.ts'
import { startInk } from './harness.ts'

let nowMs = 0
const accounts = createAccounts(() => nowMs)
const journal = createJournal(
  () => nowMs,
  () => {},
)
const visitor = accounts.add('acme')
let server: Listener
let origin: string

beforeAll(async () => {
  const route = createAuthorizationServer({
    accounts,
    journal,
    nowMs: () => nowMs,
    visitor: () => visitor,
    origin: () => server.origin,
  })
  server = await listen(
    (request, response) => route(new URL(request.url ?? '/', 'http://x').pathname)?.(request, response),
    0,
    () => {},
  )
  origin = server.origin
})
afterAll(() => server.close())

const REDIRECT = 'http://127.0.0.1:4711/callback'
const verifier = randomBytes(32).toString('base64url')
const challenge = createHash('sha256').update(verifier).digest('base64url')

const metadata = (changes: Record<string, unknown> = {}) => ({
  client_name: 'Test',
  redirect_uris: [REDIRECT],
  token_endpoint_auth_method: 'none',
  ...changes,
})

async function register(body: unknown, contentType = 'application/json') {
  const response = await fetch(`${origin}/oauth/register`, {
    method: 'POST',
    headers: { 'content-type': contentType },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

let clientId: string
beforeEach(async () => {
  nowMs = 1_700_000_000_000
  clientId = String((await register(metadata())).body.client_id)
})

type Changes = Record<string, string | undefined>

function withChanges(usual: Record<string, string>, changes: Changes): URLSearchParams {
  return new URLSearchParams(
    Object.entries({ ...usual, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}

function authorizationParameters(changes: Changes = {}): URLSearchParams {
  const usual = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: REDIRECT,
    state: 'a state',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    resource: `${origin}/mcp`,
  }
  return withChanges(usual, changes)
}

const ask = (search: URLSearchParams) => fetch(`${origin}/oauth/authorize?${search}`, { redirect: 'manual' })

const ticketIn = (page: string) => /name="ticket" value="([^"]+)"/.exec(page)?.[1] ?? ''

const decide = (ticket: string, decision: string) =>
  fetch(`${origin}/oauth/authorize`, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ ticket, decision }),
  })

/** Where an answer leads, and what it brings along. */
function landing(response: Response) {
  const target = new URL(response.headers.get('location') ?? 'none:')
  return { address: target.origin + target.pathname, ...Object.fromEntries(target.searchParams) }
}

async function code(changes: Changes = {}): Promise<string> {
  const page = await (await ask(authorizationParameters(changes))).text()
  const response = await decide(ticketIn(page), 'allow')
  return new URL(response.headers.get('location') ?? '').searchParams.get('code') ?? ''
}

async function exchange(form: URLSearchParams | Changes, headers: Record<string, string> = {}) {
  const usual = {
    grant_type: 'authorization_code',
    client_id: clientId,
    redirect_uri: REDIRECT,
    code_verifier: verifier,
    resource: `${origin}/mcp`,
  }
  const body = form instanceof URLSearchParams ? form : withChanges(usual, form)
  const response = await fetch(`${origin}/oauth/token`, { method: 'POST', headers, body })
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  }
}

describe('discovery', () => {
  it('names the resource and its authorization server (RFC 9728)', async () => {
    const response = await fetch(`${origin}/.well-known/oauth-protected-resource`)
    expect(await response.json()).toMatchObject({ resource: `${origin}/mcp`, authorization_servers: [origin] })
  })

  it('names the issuer, its endpoints and what they can do (RFC 8414)', async () => {
    const response = await fetch(`${origin}/.well-known/oauth-authorization-server`)
    expect(await response.json()).toMatchObject({
      issuer: origin,
      authorization_endpoint: `${origin}/oauth/authorize`,
      token_endpoint: `${origin}/oauth/token`,
      registration_endpoint: `${origin}/oauth/register`,
      code_challenge_methods_supported: ['S256'],
      token_endpoint_auth_methods_supported: ['none'],
      authorization_response_iss_parameter_supported: true,
    })
  })

  it.each([
    ['POST', '/.well-known/oauth-authorization-server', 'GET'],
    ['GET', '/oauth/register', 'POST'],
    ['GET', '/oauth/token', 'POST'],
    ['DELETE', '/oauth/authorize', 'GET, POST'],
  ])('%s %s is not a method of that endpoint', async (method, path, allowed) => {
    const response = await fetch(origin + path, { method })
    expect([response.status, response.headers.get('allow')]).toEqual([405, allowed])
  })
})

describe('registration (RFC 7591)', () => {
  it('answers with an id and all that was registered, for nobody to keep', async () => {
    const { status, headers, body } = await register(
      metadata({ grant_types: ['authorization_code', 'refresh_token'], software_id: 'ignored' }),
    )
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store'])
    expect(body).toEqual({
      client_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      client_id_issued_at: 1_700_000_000,
      client_name: 'Test',
      redirect_uris: [REDIRECT],
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code'],
      response_types: ['code'],
    })
  })

  it.each([
    ['no redirect URI', { redirect_uris: undefined }, 'invalid_redirect_uri'],
    ['an empty list of them', { redirect_uris: [] }, 'invalid_redirect_uri'],
    ['one that is relative', { redirect_uris: ['/callback'] }, 'invalid_redirect_uri'],
    ['one with a fragment', { redirect_uris: ['https://app.example/#'] }, 'invalid_redirect_uri'],
    ['one with credentials', { redirect_uris: ['https://me@app.example/'] }, 'invalid_redirect_uri'],
    ['plain http elsewhere', { redirect_uris: ['http://app.example/'] }, 'invalid_redirect_uri'],
    ['another scheme', { redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    ['a client secret', { token_endpoint_auth_method: 'client_secret_post' }, 'invalid_client_metadata'],
    ['one by default', { token_endpoint_auth_method: undefined }, 'invalid_client_metadata'],
    ['other grants alone', { grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
    ['an implicit response', { response_types: ['code', 'token'] }, 'invalid_client_metadata'],
    ['a name that is not text', { client_name: 7 }, 'invalid_client_metadata'],
  ])('refuses %s', async (_what, changes, error) => {
    const { status, body } = await register(metadata(changes))
    expect([status, body.error]).toEqual([400, error])
  })

  it.each([
    ['what is not JSON', '{', 'application/json'],
    ['another content type', JSON.stringify(metadata()), 'text/plain'],
    ['a body without end', JSON.stringify(metadata({ contacts: 'x'.repeat(70_000) })), 'application/json'],
  ])('refuses %s', async (_what, text, contentType) => {
    const { status, body } = await register(text, contentType)
    expect([status, body.error]).toEqual([400, 'invalid_client_metadata'])
  })
})

describe('authorization', () => {
  it('asks the person at the browser, on a page that nobody can frame', async () => {
    const response = await ask(authorizationParameters())
    expect(response.status).toBe(200)
    expect(response.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
    expect(response.headers.get('content-security-policy')).toContain(`form-action 'self' ${new URL(REDIRECT).origin}`)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const page = await response.text()
    expect(page).toContain('Allow Test?')
    expect(page).toContain(new URL(REDIRECT).origin)
  })

  it('shows the name of a client as text', async () => {
    const { body } = await register(metadata({ client_name: '<img src=x>' }))
    const page = await (await ask(authorizationParameters({ client_id: String(body.client_id) }))).text()
    expect(page).not.toContain('<img')
  })

  it('brings code, state and issuer when allowed (RFC 9207)', async () => {
    const page = await (await ask(authorizationParameters())).text()
    const response = await decide(ticketIn(page), 'allow')
    expect(response.status).toBe(303)
    expect(landing(response)).toEqual({ address: REDIRECT, code: expect.any(String), state: 'a state', iss: origin })
  })

  it('brings the refusal when denied, with state and issuer as well', async () => {
    const page = await (await ask(authorizationParameters())).text()
    expect(landing(await decide(ticketIn(page), 'deny'))).toMatchObject({
      address: REDIRECT,
      error: 'access_denied',
      state: 'a state',
      iss: origin,
    })
  })

  it('takes one answer to a question, for ten minutes', async () => {
    const answered = ticketIn(await (await ask(authorizationParameters())).text())
    await decide(answered, 'deny')
    expect((await decide(answered, 'allow')).status).toBe(400)
    expect((await decide('made-up', 'allow')).status).toBe(400)
    const late = ticketIn(await (await ask(authorizationParameters())).text())
    nowMs += 600_000
    expect((await decide(late, 'allow')).status).toBe(400)
  })

  it.each([
    ['an unknown client', { client_id: 'nobody' }, 'client_id is not known'],
    ['no client', { client_id: undefined }, 'client_id is missing'],
    ['no redirect URI', { redirect_uri: undefined }, 'redirect_uri is missing'],
    ['a redirect URI elsewhere', { redirect_uri: 'https://evil.example/callback' }, 'redirect_uri is not registered'],
    ['another path', { redirect_uri: 'http://127.0.0.1:4711/other' }, 'redirect_uri is not registered'],
    ['another loopback name', { redirect_uri: 'http://localhost:4711/callback' }, 'redirect_uri is not registered'],
    ['a fragment', { redirect_uri: `${REDIRECT}#` }, 'redirect_uri is not registered'],
    ['credentials', { redirect_uri: 'http://a@127.0.0.1:4711/callback' }, 'redirect_uri is not registered'],
  ])('tells the person alone of %s', async (_what, changes, words) => {
    const response = await ask(authorizationParameters(changes))
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
    expect(await response.text()).toContain(words)
  })

  it('lets a loopback address have any port, and no other address (RFC 8252)', async () => {
    const elsewhere = authorizationParameters({ redirect_uri: 'http://127.0.0.1:59999/callback' })
    expect((await ask(elsewhere)).status).toBe(200)
    const { body } = await register(metadata({ redirect_uris: ['https://app.example/callback'] }))
    const changes = { client_id: String(body.client_id), redirect_uri: 'https://app.example:444/callback' }
    expect((await ask(authorizationParameters(changes))).status).toBe(400)
  })

  it.each([
    ['no response type', { response_type: undefined }, 'invalid_request'],
    ['another response type', { response_type: 'token' }, 'unsupported_response_type'],
    ['no challenge', { code_challenge: undefined }, 'invalid_request'],
    ['a challenge that is not a digest', { code_challenge: 'short' }, 'invalid_request'],
    ['the plain method', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['the plain method by default', { code_challenge_method: undefined }, 'invalid_request'],
    ['a scope', { scope: 'admin' }, 'invalid_scope'],
    ['no resource', { resource: undefined }, 'invalid_target'],
    ['another resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
  ])('tells the client of %s', async (_what, changes, error) => {
    const response = await ask(authorizationParameters(changes))
    expect(landing(response)).toMatchObject({ address: REDIRECT, error, state: 'a state', iss: origin })
  })

  it('refuses a parameter that comes twice', async () => {
    const twice = authorizationParameters()
    twice.append('code_challenge', challenge)
    expect(landing(await ask(twice))).toMatchObject({ error: 'invalid_request', state: 'a state' })
    const twoStates = authorizationParameters()
    twoStates.append('state', 'another')
    expect(landing(await ask(twoStates))).not.toHaveProperty('state')
    const twoClients = authorizationParameters()
    twoClients.append('client_id', clientId)
    expect((await ask(twoClients)).status).toBe(400)
  })
})

describe('the token endpoint', () => {
  it('makes a key of a code, for nobody to keep', async () => {
    const { status, headers, body } = await exchange({ code: await code() })
    expect([status, headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(body).toEqual({ access_token: expect.stringMatching(/^dk_test_[0-9a-f]{64}$/), token_type: 'Bearer' })
    expect(accounts.byApiKey(String(body.access_token))).toBe(visitor)
    expect(body.access_token).not.toBe(visitor.apiKey)
  })

  it('takes a code once; when it comes again, its key is void', async () => {
    const spent = await code()
    const { body } = await exchange({ code: spent })
    expect((await exchange({ code: spent })).body.error).toBe('invalid_grant')
    expect(accounts.byApiKey(String(body.access_token))).toBeUndefined()
  })

  it('takes a code for a minute', async () => {
    const [inTime, late] = [await code(), await code()]
    nowMs += 59_999
    expect((await exchange({ code: inTime })).status).toBe(200)
    nowMs += 1
    expect((await exchange({ code: late })).body.error).toBe('invalid_grant')
  })

  it.each([
    ['another redirect URI', { redirect_uri: 'http://127.0.0.1:4712/callback' }, 'invalid_grant'],
    ['another verifier', { code_verifier: 'v'.repeat(43) }, 'invalid_grant'],
    ['a verifier that is too short', { code_verifier: 'short' }, 'invalid_grant'],
    ['another resource', { resource: 'https://evil.example/mcp' }, 'invalid_target'],
    ['no resource', { resource: undefined }, 'invalid_target'],
  ])('refuses a code with %s, and the code is spent', async (_what, changes, error) => {
    const presented = await code()
    const { status, body } = await exchange({ code: presented, ...changes })
    expect([status, body.error]).toEqual([400, error])
    expect((await exchange({ code: presented })).body.error).toBe('invalid_grant')
  })

  it('refuses a code in the hands of another client, which does not spend it', async () => {
    const found = await code()
    const thief = String((await register(metadata())).body.client_id)
    expect((await exchange({ code: found, client_id: thief })).body.error).toBe('invalid_grant')
    expect((await exchange({ code: found })).status).toBe(200)
  })

  it.each([
    ['no grant type', { grant_type: undefined }, 400, 'invalid_request'],
    ['another grant type', { grant_type: 'refresh_token' }, 400, 'unsupported_grant_type'],
    ['no code', { code: undefined }, 400, 'invalid_request'],
    ['an unknown code', { code: 'made-up' }, 400, 'invalid_grant'],
    ['no redirect URI', { redirect_uri: undefined }, 400, 'invalid_request'],
    ['no verifier', { code_verifier: undefined }, 400, 'invalid_request'],
    ['no client', { client_id: undefined }, 400, 'invalid_request'],
    ['an unknown client', { client_id: 'nobody' }, 401, 'invalid_client'],
  ])('refuses %s', async (_what, changes, status, error) => {
    const answer = await exchange({ code: await code(), ...changes })
    expect([answer.status, answer.body.error]).toEqual([status, error])
  })

  it('refuses a client that authenticates, and says how clients do not', async () => {
    const answer = await exchange({ code: await code() }, { authorization: 'Basic eDp5' })
    expect([answer.status, answer.body.error]).toEqual([401, 'invalid_client'])
    expect(answer.headers.get('www-authenticate')).toMatch(/^Basic/)
  })

  it('refuses a parameter that comes twice, and what is not a form', async () => {
    const twice = new URLSearchParams({ grant_type: 'authorization_code', client_id: clientId, code: await code() })
    twice.append('code', 'another')
    expect((await exchange(twice)).body.error).toBe('invalid_request')
    const json = await exchange({}, { 'content-type': 'application/json' })
    expect(json.body.error).toBe('invalid_request')
  })

  it('leaves neither code nor key in the journal', async () => {
    const spent = await code()
    const { body } = await exchange({ code: spent })
    const written = JSON.stringify(journal.entries)
    expect(written).toContain('POST /oauth/token')
    expect(written).not.toContain(spent)
    expect(written).not.toContain(body.access_token)
  })
})

describe('on the platform', () => {
  it('lives where the 401 of the MCP endpoint points, and its keys work there', async () => {
    await using ink = await startInk()
    const refused = await fetch(ink.platform.endpoint, { method: 'POST' })
    const address = /resource_metadata="([^"]+)"/.exec(refused.headers.get('www-authenticate') ?? '')?.[1] ?? ''
    const resource = (await (await fetch(address)).json()) as { resource: string; authorization_servers: string[] }
    expect(resource.resource).toBe(ink.platform.endpoint)
    origin = resource.authorization_servers[0] ?? ''
    try {
      clientId = String((await register(metadata())).body.client_id)
      const { body } = await exchange({ code: await code() })
      const answer = await fetch(ink.platform.endpoint, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${body.access_token}`,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }),
      })
      expect(answer.status).toBe(200)
    } finally {
      origin = server.origin
    }
  })
})
