import { request } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Ink, messageOf, startInk, textOf } from './harness.ts'

let ink: Ink
beforeAll(async () => {
  ink = await startInk()
})
afterAll(async () => {
  await ink[Symbol.asyncDispose]()
})

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
}

function post(authorization: string | undefined, body: unknown = initialize): Promise<Response> {
  return fetch(ink.platform.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(authorization === undefined ? {} : { authorization }),
    },
    body: JSON.stringify(body),
  })
}

test('a request without a key is refused with 401 and the address of the resource metadata', async () => {
  const response = await post(undefined)
  expect(response.status).toBe(401)
  expect((await response.text()).trim()).toBe('missing authorization header')
  const origin = new URL(ink.platform.endpoint).origin
  expect(response.headers.get('www-authenticate')).toBe(
    `Bearer resource_metadata="${origin}/.well-known/oauth-protected-resource"`,
  )
})

test.each([
  ['an unknown key', 'Bearer dk_test_0000', 'invalid api key'],
  ['another scheme', 'Basic abc', 'invalid authorization header format'],
  ['a scheme without a key', 'Bearer', 'invalid authorization header format'],
])('%s is refused with 401 in the platform’s words', async (_case, authorization, text) => {
  const response = await post(authorization)
  expect(response.status).toBe(401)
  expect((await response.text()).trim()).toBe(text)
})

test('the key of a user who is gone is refused with “user not found”', async () => {
  const { apiKey } = ink.platform.addUser('leaver')
  ink.platform.removeUser(apiKey)
  const response = await post(`Bearer ${apiKey}`)
  expect([response.status, (await response.text()).trim()]).toEqual([401, 'user not found'])
})

test('the server names itself, gives instructions and hands out a session that need not come back', async () => {
  const response = await post(`Bearer ${ink.platform.apiKey}`)
  expect(response.headers.get('mcp-session-id')).toEqual(expect.any(String))
  const { result } = (await messageOf(response)) as { result: Record<string, unknown> }
  expect(result.serverInfo).toMatchObject({ name: 'Ink MCP', version: '0.1.0' })
  expect(result.instructions).toEqual(expect.stringMatching(/deploy/))
})

test('a tool can be called without initializing first, as the server is stateless', async () => {
  const body = { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'whoami', arguments: {} } }
  const response = await post(`Bearer ${ink.platform.apiKey}`, body)
  expect(await messageOf(response)).toMatchObject({ id: 7, result: { structuredContent: { has_github_app: false } } })
})

test('there is no stream that stays open, and a session can be ended by whoever names it', async () => {
  const headers = { authorization: `Bearer ${ink.platform.apiKey}`, accept: 'text/event-stream' }
  const session = { 'mcp-session-id': 'some' }
  const ask = async (method: string, more = {}) => {
    const response = await fetch(ink.platform.endpoint, { method, headers: { ...headers, ...more } })
    return [response.status, response.headers.get('allow'), (await response.text()).trim()]
  }
  expect(await ask('GET')).toEqual([405, null, 'GET requires an active session'])
  expect(await ask('GET', session)).toEqual([405, null, 'GET requires an active session'])
  expect(await ask('DELETE')).toEqual([400, null, 'Bad Request: DELETE requires an Mcp-Session-Id header'])
  expect(await ask('DELETE', session)).toEqual([204, null, ''])
})

test.each([
  ['both types', 'application/json, text/event-stream', 200],
  ['both types with weights', 'text/event-stream;q=0.5, application/json', 200],
  ['anything', '*/*', 200],
  ['JSON only', 'application/json', 400],
  ['a stream only', 'text/event-stream', 400],
])('a client that accepts %s gets an answer only if that covers JSON and streams', async (_case, accept, status) => {
  const response = await fetch(ink.platform.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept, authorization: `Bearer ${ink.platform.apiKey}` },
    body: JSON.stringify(initialize),
  })
  expect(response.status).toBe(status)
})

test('an unknown method is refused below JSON-RPC, with status 400 and plain text', async () => {
  const response = await post(`Bearer ${ink.platform.apiKey}`, { jsonrpc: '2.0', id: 1, method: 'resources/list' })
  expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
  expect([response.status, (await response.text()).trim()]).toEqual([
    400,
    'JSON RPC not handled: "resources/list" unsupported',
  ])
})

test('a request that comes under another host name or from the page of another site is refused', async () => {
  const { hostname, port } = new URL(ink.platform.endpoint)
  const statusWith = (headers: Record<string, string>) =>
    new Promise((resolve, reject) => {
      const authorization = `Bearer ${ink.platform.apiKey}`
      const sent = request(
        { hostname, port, path: '/mcp', method: 'GET', headers: { authorization, ...headers } },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      sent.once('error', reject).end()
    })
  expect(await statusWith({ host: 'evil.example' })).toBe(403)
  expect(await statusWith({ origin: 'https://evil.example' })).toBe(403)
  expect(await statusWith({ host: `localhost:${port}`, origin: 'http://localhost:3000' })).toBe(405)
})

test('ping and the log level are answered', async () => {
  for (const [method, params] of [
    ['ping', {}],
    ['logging/setLevel', { level: 'info' }],
  ] as const) {
    const response = await post(`Bearer ${ink.platform.apiKey}`, { jsonrpc: '2.0', id: 1, method, params })
    expect(await messageOf(response)).toEqual({ jsonrpc: '2.0', id: 1, result: {} })
  }
})

test('answers come as an event stream by default and as JSON on request', async () => {
  const stream = await post(`Bearer ${ink.platform.apiKey}`)
  expect(stream.headers.get('content-type')).toBe('text/event-stream')
  expect(await stream.text()).toMatch(/^event: message\ndata: \{.*\}\n\n$/)

  await using plain = await startInk({ answers: 'json' })
  const json = await fetch(plain.platform.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${plain.platform.apiKey}`,
    },
    body: JSON.stringify(initialize),
  })
  expect(json.headers.get('content-type')).toBe('application/json')
  expect(await json.json()).toMatchObject({ id: 1, result: { serverInfo: { name: 'Ink MCP' } } })
  expect(await plain.call('whoami')).toMatchObject({ has_github_app: false })
})

test('a result arrives as structured content and as the same JSON in text', async () => {
  const result = await ink.raw('list_projects')
  expect(JSON.parse(textOf(result))).toEqual(result.structuredContent)
})

test('a failure is a result with isError, one text block and an empty result beside it', async () => {
  const result = await ink.raw('get_git_token', { name: 'nowhere' })
  expect(result.isError).toBe(true)
  expect(result.content).toHaveLength(1)
  expect(result.structuredContent).toEqual({ git_remote: '', expires_at: '' })
})

test('the twenty tools of generation 1 are listed', async () => {
  const { tools } = await ink.client.listTools()
  expect(tools.map(({ name }) => name).sort()).toEqual([
    'add_custom_domain',
    'add_dns_record',
    'create_repo',
    'create_resource',
    'create_service',
    'delete_dns_record',
    'delete_resource',
    'delete_service',
    'get_git_token',
    'get_resource',
    'get_service',
    'list_delegations',
    'list_dns_records',
    'list_projects',
    'list_resources',
    'list_services',
    'redeploy_service',
    'remove_custom_domain',
    'update_service',
    'whoami',
  ])
})

test('schemas declare what is required, enumerations and defaults, and allow nothing else', async () => {
  const { tools } = await ink.client.listTools()
  const schema = tools.find(({ name }) => name === 'create_service')?.inputSchema
  expect(schema?.required).toEqual(['repo', 'name'])
  expect(schema?.additionalProperties).toBe(false)
  expect(schema?.properties).toMatchObject({
    build_pack: { enum: ['railpack', 'dockerfile', 'static', 'dockercompose'], default: 'railpack' },
    memory: { enum: ['256Mi', '512Mi', '1024Mi', '2048Mi', '4096Mi'], default: '256Mi' },
    vcpus: { type: 'string', enum: ['0.5', '1', '2', '4'], default: '0.5' },
    port: { type: 'integer' },
    region: { default: 'eu-central-1' },
    branch: { default: 'main' },
    project: { default: 'default' },
    host: { enum: ['ink', 'github'], default: 'ink' },
  })
})

test('update_service declares neither a region nor defaults, as what is not given does not change', async () => {
  const { tools } = await ink.client.listTools()
  const properties = tools.find(({ name }) => name === 'update_service')?.inputSchema.properties ?? {}
  expect(properties).not.toHaveProperty('region')
  expect(properties.branch).not.toHaveProperty('default')
  expect(properties.memory).toMatchObject({ enum: expect.arrayContaining(['256Mi']) })
})

test.each([
  ['an argument that is not declared', { name: 'x', flavour: 'sweet' }, 'unexpected additional properties ["flavour"]'],
  ['a port given as text', { name: 'x', repo: 'x', port: '80' }, 'type: 80 has type "string", want "integer"'],
  ['variables given as an object', { name: 'x', repo: 'x', env_vars: { A: '1' } }, 'has type "object", want "array"'],
  ['no variables given as null', { name: 'x', repo: 'x', env_vars: null }, 'has type "null", want "array"'],
  ['an unknown memory', { name: 'x', repo: 'x', memory: '128Mi' }, 'does not equal any of: [256Mi 512Mi 1024Mi'],
  ['an empty text for a choice', { name: 'x', repo: 'x', vcpus: '' }, 'enum:  does not equal any of: [0.5 1 2 4]'],
  ['a call without what is required', { name: 'x' }, 'required: missing properties: ["repo"]'],
  ['a variable without a value', { name: 'x', repo: 'x', env_vars: [{ key: 'A' }] }, 'missing properties: ["value"]'],
  ['vcpus given as a number', { name: 'x', repo: 'x', vcpus: 1 }, 'has type "integer", want "string"'],
])('%s is a JSON-RPC error of code -32602, not a tool that fails', async (_case, args, text) => {
  const [code, message] = await ink.rpcError('create_service', args)
  expect(code).toBe(-32602)
  expect(message).toMatch(/^invalid params: validating "arguments": validating \S+\/create-service-input: /)
  expect(message).toContain(text)
})

test('a tool whose result is a list cannot say why it fails: the empty list beside the reason breaks its own schema', async () => {
  ink.platform.fault('ink.tool-error', { tool: 'list_services', text: 'the reason', times: 1 })
  expect(await ink.rpcError('list_services')).toEqual([
    0,
    'validating tool output: validating root: validating /properties/services: type: <invalid reflect.Value> has type "null", want "array"',
  ])
  ink.platform.fault('ink.tool-error', { tool: 'whoami', text: 'the reason', times: 1 })
  expect(await ink.refusal('whoami')).toBe('the reason')
})

test('an unknown tool is a protocol error', async () => {
  await expect(ink.client.callTool({ name: 'make_coffee', arguments: {} })).rejects.toThrow(
    'unknown tool "make_coffee"',
  )
})

test('one account sees nothing of another', async () => {
  const stranger = ink.platform.addUser('stranger')
  const client = await connect(ink.platform.endpoint, stranger.apiKey)
  await ink.push('mine', { 'index.html': 'x' })
  await ink.call('create_service', { repo: 'mine', name: 'mine' })
  const listed = await client.callTool({ name: 'list_services', arguments: {} })
  expect(listed.structuredContent).toEqual({ services: [] })
  await client.close()
})

test('the journal tells what was called, and no secret', async () => {
  const { git_remote } = await ink.call('create_repo', { name: 'secretive' })
  const token = new URL(String(git_remote)).password
  await ink.refusal('get_git_token', { name: token })
  const written = JSON.stringify(ink.platform.journal)
  expect(written).toContain('"name":"create_repo"')
  expect(written).not.toContain(token)
  expect(written).not.toContain(ink.platform.apiKey)
})
