import { expect, test } from 'vitest'
import { headOf } from '../source/scratch.ts'
import { git, type Ink, startInk, until, untilAnswers, untilSaid } from './harness.ts'

const names = async (ink: Ink) => (await ink.client.listTools()).tools.map(({ name }) => name)

async function argumentsOf(ink: Ink, tool: string): Promise<string[]> {
  const { tools } = await ink.client.listTools()
  return Object.keys(tools.find(({ name }) => name === tool)?.inputSchema.properties ?? {})
}

/** Pushes a site through whichever remote a tool has handed out. */
async function pushTo(ink: Ink, remote: unknown, content = 'x'): Promise<string> {
  const folder = await ink.workingTree({ 'index.html': content })
  await git(folder, 'push', '--quiet', '--force', String(remote), 'HEAD:refs/heads/main')
  return await headOf(folder)
}

test('generation 2: other names, camelCase results, the URL and a textual port in ports[]', async () => {
  await using ink = await startInk({ profile: 'g2' })
  const { name, gitRemote, expiresAt } = await ink.call('repo_create', { name: 'site', workspace_slug: 'acme' })
  expect([name, typeof expiresAt]).toEqual(['site', 'string'])
  const commit = await pushTo(ink, gitRemote)
  const created = await ink.call('service_create', {
    repo: 'site',
    name: 'site',
    ports: [{ name: 'web', port: 8000, protocol: 'http', visibility: 'public' }],
  })
  expect(created).toMatchObject({ serviceId: expect.any(String), status: 'queued' })
  await ink.platform.waitForStatus('site', ['active'])
  const service = await ink.call('service_get', { name: 'site', include_env: true })
  expect(service).toMatchObject({ commitHash: commit, branch: 'main', envVars: [], createdAt: expect.any(String) })
  const [port] = service.ports as { port: unknown; publicEndpoint: string }[]
  expect(port?.port).toBe('8000')
  expect(await untilAnswers(String(port?.publicEndpoint))).toBe('x')
  expect(service).not.toHaveProperty('url')
  expect(await ink.call('service_list')).toMatchObject({
    services: [{ name: 'site', status: 'active', ports: [port] }],
  })
  await ink.call('service_update', { name: 'site' })
  expect(ink.platform.service('site')?.deployments).toHaveLength(2)
  await ink.call('service_delete', { name: 'site' })
  await until('it is gone', () => ink.platform.service('site') === undefined)
})

test('generation 2 has no resource tools, other sizes and an unknown workspace is refused', async () => {
  await using ink = await startInk({ profile: 'g2' })
  expect((await names(ink)).filter((name) => name.includes('resource') || name === 'create_service')).toEqual([])
  expect(await argumentsOf(ink, 'service_create')).toEqual(
    expect.arrayContaining(['ports', 'destroy_timeout_seconds', 'subdomain']),
  )
  expect(await argumentsOf(ink, 'service_create')).not.toContain('port')
  expect(await ink.refusal('project_list', { workspace_slug: 'elsewhere' })).toBe('workspace not found: elsewhere')
  const { gitRemote } = await ink.call('repo_get_token', {
    name: (await ink.call('repo_create', { name: 'site' })).name,
  })
  await pushTo(ink, gitRemote)
  await ink.call('service_create', { repo: 'site', name: 'small', memory: '128Mi', vcpus: '0.1' })
  expect(ink.platform.service('small')?.config).toMatchObject({ memory: '128Mi', vcpus: '0.1' })
  expect(await ink.refusal('service_create', { repo: 'site', name: 'x', destroy_timeout_seconds: 86_401 })).toContain(
    'between 0 and 86400',
  )
})

test('generation 2: a service destroys itself the given time after its deployment has ended', async () => {
  await using ink = await startInk({ profile: 'g2' })
  await pushTo(ink, (await ink.call('repo_create', { name: 'site' })).gitRemote)
  await ink.call('service_create', { repo: 'site', name: 'brief', destroy_timeout_seconds: 1 })
  await ink.platform.waitForStatus('brief', ['active'])
  await until('it has destroyed itself', () => ink.platform.service('brief') === undefined)
})

test('generation 2: an empty list of ports makes a worker, which has no URL and need not listen', async () => {
  await using ink = await startInk({ profile: 'g2' })
  const { gitRemote } = await ink.call('repo_create', { name: 'site' })
  await pushTo(ink, gitRemote)
  await ink.call('service_create', { repo: 'site', name: 'worker', ports: [], start_command: 'echo at work; sleep 60' })
  await ink.platform.waitForStatus('worker', ['active', 'failed'])
  expect(await ink.call('service_get', { name: 'worker' })).toMatchObject({ status: 'active', ports: [] })
  await untilSaid(ink, 'worker', 'at work')
})

test('generation 2: domains under other names, results in camelCase', async () => {
  await using ink = await startInk({ profile: 'g2' })
  ink.platform.delegateZone('example.test')
  const { zones } = (await ink.call('dns_list_zones')) as { zones: Record<string, unknown>[] }
  expect(zones).toEqual([
    { zoneId: expect.any(String), zone: 'example.test', status: 'active', createdAt: expect.any(String) },
  ])
  const record = { zone: 'example.test', name: 'a', type: 'TXT', content: 'hello' }
  expect(await ink.call('dns_add_record', record)).toMatchObject({ record: { createdAt: expect.any(String) } })
})

test('generation 0: host names, sizes, slugs and two statuses instead of one; nothing can be updated', async () => {
  await using ink = await startInk({ profile: 'g0' })
  expect(await names(ink)).not.toContain('update_service')
  const { repo, git_remote } = await ink.call('create_repo', { name: 'site', host: 'ml.ink' })
  expect(repo).toMatch(/^site-[a-z0-9]{4}$/)
  await pushTo(ink, git_remote)
  expect(await ink.refusal('create_service', { repo: 'acme/site', name: 'site' })).toContain('not owner/repo')
  await ink.call('create_service', { repo, name: 'site', memory: '512m', cpu: '1' })
  expect(ink.platform.service('site')?.config).toMatchObject({ memory: '512Mi', vcpus: '1' })
  await ink.platform.waitForStatus('site', ['active'])
  const service = await ink.call('get_service', { name: 'site', deploy_log_lines: 5 })
  expect(service).toMatchObject({
    build_status: 'active',
    runtime_status: 'running',
    deployment_logs: expect.any(String),
  })
  expect(service).not.toHaveProperty('status')
})

test('generation 1 in its nested shape: the status is deployment.status', async () => {
  await using ink = await startInk({ profile: 'g1-nested' })
  await ink.push('site', { 'index.html': 'x' })
  await ink.call('create_service', { repo: 'site', name: 'site' })
  await ink.platform.waitForStatus('site', ['active'])
  const service = await ink.call('get_service', { name: 'site', deploy_log_lines: 5 })
  expect(service).toMatchObject({
    deployment: { status: 'active', logs: expect.any(String) },
    runtime: { status: 'active' },
  })
  expect(service).not.toHaveProperty('status')
  expect(await ink.call('list_services')).toMatchObject({ services: [{ deployment: { status: 'active' } }] })
})

test('mixed: the names of both generations act on the same services', async () => {
  await using ink = await startInk({ profile: 'mixed' })
  const all = await names(ink)
  expect(all).toEqual(expect.arrayContaining(['create_service', 'service_create', 'get_git_token', 'repo_get_token']))
  expect(new Set(all).size).toBe(all.length)
  await ink.push('site', { 'index.html': 'x' })
  await ink.call('create_service', { repo: 'site', name: 'site' })
  expect(await ink.call('service_get', { name: 'site' })).toMatchObject({ name: 'site' })
})

test('unknown-argument: what is not declared is refused', async () => {
  await using ink = await startInk({ profile: 'unknown-argument' })
  expect(await argumentsOf(ink, 'create_service')).not.toContain('root_directory')
  await ink.push('site', { 'index.html': 'x' })
  const [code, text] = await ink.rpcError('create_service', { repo: 'site', name: 'x', root_directory: 'web' })
  expect(code).toBe(-32602)
  expect(text).toContain('unexpected additional properties ["root_directory"]')
})
