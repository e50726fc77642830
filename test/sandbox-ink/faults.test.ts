import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { INK_FAULTS } from '../../sandbox/ink/faults.ts'
import { connect, git, type Ink, messageOf, nodeApp, startInk, until, untilAnswers } from './harness.ts'

let ink: Ink
beforeAll(async () => {
  ink = await startInk()
  await ink.push('site', { 'index.html': 'x' })
})
afterEach(async () => {
  await ink.platform.clearFaults()
})
afterAll(async () => {
  await ink[Symbol.asyncDispose]()
})

const whoami = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'whoami', arguments: {} } }

function post(init: RequestInit = {}): Promise<Response> {
  return fetch(ink.platform.endpoint, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      authorization: `Bearer ${ink.platform.apiKey}`,
      connection: 'close',
    },
    body: JSON.stringify(whoami),
    ...init,
  })
}

/** How often the platform has carried a tool out. */
const carriedOut = (tool: string) =>
  ink.platform.journal.filter(({ kind, name }) => kind === 'tool' && name === tool).length

let count = 0
async function startDeployment(args: Record<string, unknown> = {}): Promise<string> {
  count += 1
  const name = `service-${count}`
  await ink.call('create_service', { repo: 'site', name, ...args })
  return name
}
const ended = ['active', 'failed']

test.each([401, 402, 403, 404, 429, 500, 502, 503])('mcp.http answers %i as often as told', async (status) => {
  ink.platform.fault('mcp.http', { status, times: 1, body: 'told so' })
  const response = await post()
  expect([response.status, (await response.text()).trim(), response.headers.get('retry-after')]).toEqual([
    status,
    'told so',
    null,
  ])
  expect((await post()).status).toBe(200)
})

test('mcp.http can send Retry-After and strike one tool only', async () => {
  ink.platform.fault('mcp.http', { status: 429, retryAfter: 3, tool: 'whoami' })
  expect(await ink.call('list_projects')).toBeDefined()
  const response = await post()
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3'])
})

test('mcp.refused closes the port for a while', async () => {
  ink.platform.fault('mcp.refused', { forMs: 300 })
  await expect(post()).rejects.toThrow()
  await until('the port is open again', () =>
    post().then(
      (response) => response.ok,
      () => false,
    ),
  )
})

test('mcp.reset-before cuts the connection before anything was done', async () => {
  const before = carriedOut('whoami')
  ink.platform.fault('mcp.reset-before', { times: 1 })
  await expect(post()).rejects.toThrow()
  expect(carriedOut('whoami')).toBe(before)
})

test('mcp.reset-after cuts the connection after the work was done', async () => {
  const before = carriedOut('whoami')
  ink.platform.fault('mcp.reset-after', { times: 1 })
  await expect(post()).rejects.toThrow()
  expect(carriedOut('whoami')).toBe(before + 1)
})

test('mcp.cut lets half of the answer arrive', async () => {
  ink.platform.fault('mcp.cut', { times: 1 })
  await expect(post().then((response) => response.text())).rejects.toThrow()
})

test('mcp.sse-drop ends the event stream before the result', async () => {
  const before = carriedOut('whoami')
  ink.platform.fault('mcp.sse-drop', { times: 1 })
  const response = await post()
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  expect(await response.text()).not.toContain('data:')
  expect(carriedOut('whoami')).toBe(before + 1)
})

test('mcp.silence answers late', async () => {
  ink.platform.fault('mcp.silence', { times: 1, delayMs: 60_000 })
  await expect(post({ signal: AbortSignal.timeout(200) })).rejects.toThrow(/timeout/i)
  ink.platform.fault('mcp.silence', { times: 1, delayMs: 100 })
  expect(await messageOf(await post())).toMatchObject({ result: { structuredContent: { has_github_app: false } } })
})

test('mcp.redirect points to another host', async () => {
  ink.platform.fault('mcp.redirect', { times: 1, location: 'http://elsewhere.invalid/mcp' })
  const response = await post({ redirect: 'manual' })
  expect([response.status, response.headers.get('location')]).toEqual([307, 'http://elsewhere.invalid/mcp'])
})

test('mcp.invalid-json answers something that is not JSON', async () => {
  ink.platform.fault('mcp.invalid-json', { times: 1 })
  const response = await post()
  expect(response.headers.get('content-type')).toContain('application/json')
  await expect(response.json()).rejects.toThrow(SyntaxError)
})

test('mcp.bad-result answers a result without its fields', async () => {
  ink.platform.fault('mcp.bad-result', { times: 1, tool: 'whoami' })
  expect(await (await post()).json()).toMatchObject({ id: 1, result: { structuredContent: {} } })
})

test('mcp.bad-result works on event streams as well', async () => {
  await using streaming = await startInk({ answers: 'sse' })
  streaming.platform.fault('mcp.bad-result', { times: 1, tool: 'list_services' })
  expect(await streaming.call('list_services')).toEqual({})
})

test('ink.tool-error makes a tool fail in the given words', async () => {
  ink.platform.fault('ink.tool-error', { times: 1, tool: 'get_service', text: 'database is down' })
  expect(await ink.refusal('get_service', { name: 'x' })).toBe('database is down')
})

test('ink.quota refuses the next service', async () => {
  ink.platform.fault('ink.quota', { times: 1 })
  expect(await ink.refusal('create_service', { repo: 'site', name: 'one-too-many' })).toContain('service limit reached')
})

test('ink.region-unavailable refuses a region that is otherwise open', async () => {
  ink.platform.fault('ink.region-unavailable', { times: 1 })
  expect(await ink.refusal('create_service', { repo: 'site', name: 'abroad' })).toBe(
    'failed to start deployment: region "eu-central-1" is not available (status=maintenance)',
  )
})

test('ink.deployed-by-other starts another deployment with another branch right after ours', async () => {
  await ink.push('site', { 'index.html': 'theirs' }, 'theirs')
  ink.platform.fault('ink.deployed-by-other', { times: 1, branch: 'theirs' })
  const name = await startDeployment()
  // Ours may be active for a moment before.
  await until('theirs is active', () => {
    const { status, branch } = ink.platform.service(name) ?? {}
    return status === 'active' && branch === 'theirs'
  })
  expect(ink.platform.service(name)?.deployments.map(({ branch }) => branch)).toEqual(['main', 'theirs'])
  expect(ink.platform.service(name)?.deployments[0]?.status).not.toBe('failed')
})

test('ink.service-deleted removes the service right after a deployment has started', async () => {
  ink.platform.fault('ink.service-deleted', { times: 1 })
  const name = await startDeployment()
  await until('it is gone', () => ink.platform.service(name) === undefined)
  expect(await ink.refusal('get_service', { name })).toContain('service not found')
})

test('ink.name-taken puts a service that is not ours in the way', async () => {
  ink.platform.fault('ink.name-taken', { times: 1 })
  expect(await ink.refusal('create_service', { repo: 'site', name: 'wanted' })).toContain('already exists')
  const service = await ink.call('get_service', { name: 'wanted', include_env: true })
  expect(service.repo).toBe('acme/somebody-elses-abcd')
  expect(service).toMatchObject({ status: 'pending' })
})

test('build.hang never ends by itself', async () => {
  ink.platform.fault('build.hang', { times: 1 })
  const name = await startDeployment()
  await until('the build hangs', () => ink.platform.armedFaults().length === 0)
  expect(ink.platform.service(name)?.status).toBe('building')
  await ink.call('delete_service', { name })
})

test('build.crash ends the build without a word of the app’s', async () => {
  ink.platform.fault('build.crash', { exitCode: 137 })
  const { deployments } = await ink.platform.waitForStatus(await startDeployment(), ended)
  expect(deployments.at(-1)).toMatchObject({
    status: 'failed',
    errorMessage: expect.stringContaining('exit code: 137'),
  })
})

test('build.crash once is overcome by the second try', async () => {
  ink.platform.fault('build.crash', { times: 1 })
  const name = await startDeployment({ build_command: 'true' })
  expect((await ink.platform.waitForStatus(name, ended)).status).toBe('active')
})

test('build.log-flood prints 100 000 lines, of which 500 are kept', async () => {
  ink.platform.fault('build.log-flood', { times: 1 })
  const { buildLog } = await ink.platform.waitForStatus(await startDeployment(), ended)
  expect(buildLog).toHaveLength(500)
  expect(buildLog).toContain('flood line 100000 of 100000')
})

test('build.log-line prints workflow commands and secrets as they are', async () => {
  const lines = [
    '::set-output name=url::https://evil.example',
    '::stop-commands::x',
    'key=very-secret',
    '\u001b[31mred',
  ]
  ink.platform.fault('build.log-line', { times: 1, lines })
  const { buildLog } = await ink.platform.waitForStatus(await startDeployment(), ended)
  expect(buildLog).toEqual(expect.arrayContaining(lines))
})

test('build.slow takes its time', async () => {
  ink.platform.fault('build.slow', { times: 1, delayMs: 400 })
  const startedAtMs = Date.now()
  expect((await ink.platform.waitForStatus(await startDeployment({ build_command: ':' }), ended)).status).toBe('active')
  expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(400)
})

test('rollout.unhealthy never gets through the health gate', async () => {
  await using impatient = await startInk({ timing: { unhealthyMs: 50 } })
  await impatient.push('site', { 'index.html': 'x' })
  impatient.platform.fault('rollout.unhealthy', { times: 1 })
  await impatient.call('create_service', { repo: 'site', name: 'site' })
  const { deployments } = await impatient.platform.waitForStatus('site', ended)
  expect(deployments.at(-1)?.errorMessage).toContain('timed out waiting for rollout')
})

test('app.error answers every request with an error, though the deployment is active', async () => {
  ink.platform.fault('app.error', { times: 1, status: 500 })
  const { url, status } = await ink.platform.waitForStatus(await startDeployment(), ended)
  expect(status).toBe('active')
  await untilAnswers(String(url), 500)
})

test('app.dies: the app answers, then it is gone', async () => {
  await ink.push('app', nodeApp())
  ink.platform.fault('app.dies', { times: 1, afterMs: 4_000 })
  await ink.call('create_service', { repo: 'app', name: 'dying' })
  const { url } = await ink.platform.waitForStatus('dying', ['active'])
  expect(await untilAnswers(String(url))).toBe('hello')
  await untilAnswers(String(url), 502)
  expect(ink.platform.service('dying')?.runtimeLog.at(-1)).toBe('container exited with code 1')
})

async function pushSomething(): Promise<unknown> {
  const { git_remote } = await ink.call('get_git_token', { name: 'site' })
  const folder = await ink.workingTree({ 'a.txt': String(Math.random()) })
  count += 1
  return git(folder, 'push', '--quiet', String(git_remote), `HEAD:refs/heads/pushed-${count}`)
}

test.each([
  ['git.unauthorized', {}, /Authentication failed|could not read Password|401/],
  ['git.forbidden', {}, /403/],
  ['git.http', { status: 503 }, /503/],
] as const)('%s makes a push fail, and the next one pass', async (fault, options, message) => {
  ink.platform.fault(fault, { ...options, times: 1 })
  await expect(pushSomething()).rejects.toThrow(message)
  await pushSomething()
})

test('git.refused closes the port of the git host, and of nothing else', async () => {
  const { git_remote } = await ink.call('get_git_token', { name: 'site' })
  const folder = await ink.workingTree({ 'a.txt': 'x' })
  ink.platform.fault('git.refused', { forMs: 60_000 })
  await expect(git(folder, 'push', String(git_remote), 'HEAD:refs/heads/x')).rejects.toThrow(
    /Failed to connect|refused/,
  )
  expect(await ink.call('whoami')).toBeDefined()
  await ink.platform.clearFaults()
  await git(folder, 'push', '--quiet', String(git_remote), 'HEAD:refs/heads/x')
})

test('git.cut breaks a push off in the middle: no branch is made', async () => {
  ink.platform.fault('git.cut', { times: 1 })
  await expect(pushSomething()).rejects.toThrow(/hung up|unexpected|reset|empty reply|RPC failed/i)
  expect(await ink.platform.branches('site')).not.toHaveProperty(`pushed-${count}`)
})

test('git.cut after the fact: the branch is there, though the client was told nothing', async () => {
  ink.platform.fault('git.cut', { times: 1, when: 'after' })
  await expect(pushSomething()).rejects.toThrow()
  expect(await ink.platform.branches('site')).toHaveProperty(`pushed-${count}`)
})

test('git.slow answers late', async () => {
  ink.platform.fault('git.slow', { times: 1, delayMs: 500 })
  const startedAtMs = Date.now()
  await pushSomething()
  expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(500)
})

test('a fault of an unknown name is refused, with the names that there are', () => {
  expect(() => ink.platform.fault('mcp.htpp' as 'mcp.http')).toThrow(
    /There is no fault named "mcp.htpp"\. Known faults: .*mcp\.http/,
  )
})

test('every fault is described', () => {
  for (const [name, description] of Object.entries(INK_FAULTS))
    expect([name, description.endsWith('.')]).toEqual([name, true])
})

test('a client of the official SDK survives a fault and goes on', async () => {
  const client = await connect(ink.platform.endpoint, ink.platform.apiKey)
  ink.platform.fault('mcp.http', { status: 503, times: 1 })
  await expect(client.callTool({ name: 'whoami', arguments: {} })).rejects.toMatchObject({ code: 503 })
  expect((await client.callTool({ name: 'whoami', arguments: {} })).isError).toBeFalsy()
  await client.close()
})
