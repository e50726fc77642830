import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, type Ink, startInk, textOf } from './harness.ts'

let ink: Ink
beforeAll(async () => {
  ink = await startInk()
  await ink.push('site', { 'index.html': 'x' })
  await ink.call('create_service', { repo: 'site', name: 'taken' })
})
afterAll(async () => {
  await ink[Symbol.asyncDispose]()
})

const create = { repo: 'site', name: 'new' }

test.each([
  ['no repository', { name: 'a', repo: '' }, 'repo is required'],
  ['no name', { repo: 'site', name: '' }, 'name is required'],
  [
    'an unknown repository',
    { ...create, repo: 'gone' },
    "repo 'gone' not found in project 'default'. Create it first with create_repo",
  ],
  [
    'a URL as repository',
    { ...create, repo: 'https://x/y.git' },
    "invalid repo format: pass a repo name (e.g. 'ink/myapp') not a URL",
  ],
  [
    'a name that is taken',
    { ...create, name: 'taken' },
    'failed to start deployment: service "taken" already exists in this project; use update_service to change its config',
  ],
  [
    'publish_directory with another pack',
    { ...create, build_pack: 'static', publish_directory: 'dist' },
    'publish_directory is only supported with build_pack=railpack',
  ],
  [
    'dockerfile_path with another pack',
    { ...create, dockerfile_path: 'x' },
    'dockerfile_path is only supported with build_pack=dockerfile',
  ],
  [
    'an absolute root_directory',
    { ...create, root_directory: '/app' },
    "invalid root_directory: must be a relative path without '..'",
  ],
  [
    'a root_directory that leads out',
    { ...create, root_directory: '../x' },
    "invalid root_directory: must be a relative path without '..'",
  ],
])('create_service refuses %s', async (_case, args, text) => {
  expect(await ink.refusal('create_service', args)).toContain(text)
})

test.each(['get_service', 'update_service', 'delete_service'])(
  '%s of an unknown service says name and project',
  async (tool) => {
    expect(await ink.refusal(tool, { name: 'nobody' })).toBe('service not found: nobody in project default')
    expect(await ink.refusal(tool, { name: 'taken', project: 'p9' })).toBe('service not found: taken in project p9')
    expect(await ink.refusal(tool, { name: '' })).toBe('name is required')
  },
)

test('a repository of somebody else is refused', async () => {
  const stranger = await connect(ink.platform.endpoint, ink.platform.addUser('stranger').apiKey)
  const created = await stranger.callTool({ name: 'create_repo', arguments: { name: 'theirs' } })
  const { git_remote } = created.structuredContent as { git_remote: string }
  const fullName = new URL(git_remote).pathname.slice(1).replace(/\.git$/, '')
  expect(await ink.refusal('get_git_token', { name: fullName })).toBe('repo belongs to another user')
  expect(await ink.refusal('create_service', { ...create, repo: fullName })).toBe('repo belongs to another user')
  await stranger.close()
})

test('naming an unknown project creates it, and its services do not meet those of other projects', async () => {
  await ink.call('create_repo', { name: 'site', project: 'lab' })
  const { projects } = await ink.call('list_projects')
  expect(projects).toMatchObject([
    { ref: 'lab', is_default: false },
    { ref: 'default', is_default: true },
  ])
  const created = await ink.call('create_service', { repo: 'site', name: 'taken', project: 'lab' })
  expect(created).toMatchObject({ name: 'taken', status: 'queued' })
  expect(await ink.call('get_service', { name: 'taken', project: 'lab' })).toMatchObject({ project: 'lab' })
})

test('creating a repository again returns the same one with a fresh token', async () => {
  const first = await ink.call('create_repo', { name: 'again' })
  const second = await ink.call('create_repo', { name: 'again' })
  expect(first.repo).toBe('ink/again')
  const address = (remote: unknown) => new URL(String(remote)).pathname
  expect(address(second.git_remote)).toBe(address(first.git_remote))
  expect(address(first.git_remote)).toMatch(/^\/acme\/again-[a-z0-9]{4}\.git$/)
  expect(second.git_remote).not.toBe(first.git_remote)
  expect(new URL(String(first.git_remote))).toMatchObject({
    username: 'x-git-token',
    password: expect.stringMatching(/^mlg_[\w-]{43}$/),
  })
  expect(Date.parse(String(first.expires_at)) - Date.now()).toBeGreaterThan(364 * 86_400_000)
})

test.each(['ink/site', 'site'])('a token is given for a repository named %s, or by its full name', async (name) => {
  const { git_remote } = await ink.call('get_git_token', { name })
  const fullName = new URL(String(git_remote)).pathname.slice(1).replace(/\.git$/, '')
  const again = await ink.call('get_git_token', { name: fullName })
  expect(new URL(String(again.git_remote)).pathname).toBe(`/${fullName}.git`)
})

test('services are listed newest first, at most 100, of all projects, without a project', async () => {
  await using crowded = await startInk({ timing: { queueMs: 60_000 } })
  await crowded.push('site', { 'index.html': 'x' })
  for (let index = 0; index < 101; index += 1) {
    await crowded.call('create_service', { repo: 'site', name: `s${index}` })
  }
  const { services } = (await crowded.call('list_services')) as { services: Record<string, unknown>[] }
  expect(services).toHaveLength(100)
  expect(services[0]).toEqual({
    service_id: expect.any(String),
    name: 's100',
    repo: expect.any(String),
    status: 'queued',
  })
  expect(services.some(({ name }) => name === 's0')).toBe(false)
})

test('an update changes what is given and nothing else; variables are replaced as a whole', async () => {
  const env = [
    { key: 'A', value: '1' },
    { key: 'B', value: '2' },
  ]
  await ink.call('create_service', { repo: 'site', name: 'changing', env_vars: env, memory: '512Mi' })
  await ink.call('update_service', { name: 'changing', env_vars: [{ key: 'C', value: '3' }] })
  expect(ink.platform.service('changing')).toMatchObject({
    env: { C: '3' },
    branch: 'main',
    config: { memory: '512Mi' },
  })
  await ink.call('update_service', { name: 'changing', memory: '1024Mi' })
  expect(ink.platform.service('changing')).toMatchObject({ env: { C: '3' }, config: { memory: '1024Mi' } })
})

test('variables are told only when asked for', async () => {
  await ink.call('create_service', { repo: 'site', name: 'private', env_vars: [{ key: 'K', value: 'v' }] })
  expect(await ink.call('get_service', { name: 'private' })).not.toHaveProperty('env_vars')
  const asked = await ink.call('get_service', { name: 'private', include_env: true })
  expect(asked.env_vars).toEqual([{ key: 'K', value: 'v' }])
})

test.each([
  [{}, '3000'],
  [{ port: 8000 }, '8000'],
  [{ publish_directory: 'dist', port: 8000 }, '8080'],
  [{ build_pack: 'static' }, '80'],
  [{ build_pack: 'dockerfile' }, ''],
])('the port for %j is %s', async (args, port) => {
  const name = `port-${JSON.stringify(args).length}-${port}`
  await ink.call('create_service', { ...create, ...args, name })
  expect(ink.platform.service(name)?.config.port).toBe(port)
})

test('a plan that is used up refuses the next service', async () => {
  await using small = await startInk({ limits: { services: 1 } })
  await small.push('site', { 'index.html': 'x' })
  await small.call('create_service', { repo: 'site', name: 'one' })
  expect(await small.refusal('create_service', { repo: 'site', name: 'two' })).toContain(
    'service limit reached: 1 of 1',
  )
})

test('of two creations at once, one loses with “already exists”', async () => {
  const results = await Promise.all([1, 2].map(() => ink.raw('create_service', { ...create, name: 'race' })))
  expect(results.filter((result) => result.isError).map(textOf)).toEqual([expect.stringContaining('already exists')])
})

test('whoami tells who is signed in', async () => {
  expect(await ink.call('whoami')).toEqual({
    user_id: expect.stringMatching(/^\w{22}$/),
    github_username: 'acme',
    has_github_app: false,
  })
})
