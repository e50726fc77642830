import { afterAll, beforeAll, expect, test } from 'vitest'
import { commitAll, connect, get, git, type Ink, startInk, textOf, until, untilAnswers, writeFiles } from './harness.ts'

/** What was seen on the real platform and is more than a single call; see also replay.test.ts. */

let ink: Ink
beforeAll(async () => {
  ink = await startInk()
  await ink.push('site', { 'index.html': 'x' })
})
afterAll(async () => {
  await ink[Symbol.asyncDispose]()
})

async function active(name: string): Promise<void> {
  expect((await ink.platform.waitForStatus(name, ['active', 'failed'])).status).toBe('active')
}

const refs = async (remote: unknown, service = '?service=git-upload-pack') => {
  const { origin, pathname, username, password } = new URL(String(remote))
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const response = await fetch(`${origin}${pathname}/info/refs${service}`, { headers: { authorization } })
  return [response.status, (await response.text()).trim()] as const
}

test('a variable whose value is empty comes back without a value', async () => {
  const env_vars = [
    { key: 'EMPTY', value: '' },
    { key: 'FULL', value: 'x' },
  ]
  await ink.call('create_service', { repo: 'site', name: 'flags', env_vars })
  const service = await ink.call('get_service', { name: 'flags', include_env: true })
  expect(service.env_vars).toEqual([{ key: 'EMPTY' }, { key: 'FULL', value: 'x' }])
})

test.each([
  ['get_git_token', { name: 'nope' }, true],
  ['create_repo', { name: 'made' }, true],
  ['create_service', { repo: 'nope', name: 'x' }, true],
  ['redeploy_service', { name: 'x' }, true],
  ['update_service', { name: 'x', repo: 'nope' }, true],
  ['update_service', { name: 'x' }, false],
  ['get_service', { name: 'x' }, false],
  ['delete_service', { name: 'x' }, false],
  ['add_custom_domain', { name: 'x', domain: 'x.test' }, false],
  ['remove_custom_domain', { name: 'x' }, false],
])('%s with %j makes the project that it names: %s', async (tool, args, makes) => {
  const project = `${tool}-${Object.keys(args).length}`
  await ink.raw(tool, { ...args, project })
  const { projects } = (await ink.call('list_projects')) as { projects: { ref: string }[] }
  expect(projects.some(({ ref }) => ref === project)).toBe(makes)
})

test('a build that fails is tried twice, and its lines stand in the log twice', async () => {
  await ink.call('create_service', { repo: 'site', name: 'twice', build_command: 'echo TRIED; exit 3' })
  const { buildLog } = await ink.platform.waitForStatus('twice', ['failed'])
  expect(buildLog.filter((line) => line === 'TRIED')).toHaveLength(2)
})

test('the reason of a failure stands twice within the words of the workflow engine', async () => {
  await ink.call('create_service', { repo: 'site', name: 'wrapped', build_command: 'exit 3' })
  await ink.platform.waitForStatus('wrapped', ['failed'])
  const { error_message: message } = await ink.call('get_service', { name: 'wrapped' })
  expect(message).toMatch(
    /^child workflow execution error \(.*\): build failed \(railpack\): activity error \(type: RailpackBuild, .*\): .*exit code: 3 \(type: wrapError, retryable: true\) \(type: wrapError, retryable: true\): activity error \(.*exit code: 3 \(type: wrapError, retryable: true\)$/,
  )
})

test('before the first push whoever asks what a repository holds gets a 500, and a push passes', async () => {
  const { git_remote: remote } = await ink.call('create_repo', { name: 'empty' })
  expect(await refs(remote)).toEqual([500, 'git command failed'])
  const folder = await ink.workingTree({ 'a.txt': 'a' })
  await git(folder, 'push', '--quiet', String(remote), 'HEAD:refs/heads/main')
  expect((await refs(remote))[0]).toBe(200)
})

test('a repository is asked about with a service, and with its own token', async () => {
  const { git_remote: remote } = await ink.call('get_git_token', { name: 'site' })
  expect((await refs(remote, ''))[0]).toBe(400)
  const { git_remote: other } = await ink.call('create_repo', { name: 'other' })
  const stolen = new URL(String(remote))
  stolen.password = new URL(String(other)).password
  expect(await refs(stolen)).toEqual([403, 'token not authorized for this repository'])
})

test('a push from a shallow clone is accepted once the server has the commits it is based on', async () => {
  const folder = await ink.workingTree({ 'a.txt': '1' })
  await writeFiles(folder, { 'a.txt': '2' })
  await commitAll(folder)
  await git(folder, 'clone', '--quiet', '--depth=1', `file://${folder}`, 'shallow')
  await writeFiles(`${folder}/shallow`, { 'a.txt': '3' })
  const commit = await commitAll(`${folder}/shallow`)
  const { git_remote } = await ink.call('create_repo', { name: 'based' })
  const push = () => git(`${folder}/shallow`, 'push', '--quiet', String(git_remote), 'HEAD:refs/heads/next')
  await expect(push()).rejects.toThrow('shallow update not allowed')
  await git(folder, 'push', '--quiet', String(git_remote), 'HEAD:refs/heads/main')
  await push()
  expect(await ink.platform.branches('based')).toMatchObject({ next: commit })
})

test('a name that leads out of the repositories’ folder makes a repository like any other', async () => {
  const { git_remote: remote, repo } = await ink.call('create_repo', { name: '../../out' })
  expect(repo).toBe('ink/../../out')
  expect(String(remote)).toContain('out-')
  expect(await ink.call('create_repo', { name: '../../out' })).toMatchObject({ repo })
})

test.each([
  ['create_repo', { name: 'raced' }, 'idx_internal_repos_project_name', 'get_git_token', { name: 'raced' }],
  [
    'create_service',
    { repo: 'site', name: 'raced' },
    'failed to create service record: ERROR: duplicate key value violates unique constraint "services_project_id_name_key"',
    'get_service',
    { name: 'raced' },
  ],
] as const)(
  'the loser of a race in %s gets the database’s words, and finds what the winner made',
  async (tool, args, text, read, name) => {
    ink.platform.fault('ink.race', { times: 1, tool })
    expect(await ink.refusal(tool, args)).toContain(text)
    expect((await ink.raw(read, name)).isError ?? false).toBe(false)
  },
)

test('the loser of two updates has changed the settings and started nothing', async () => {
  await ink.call('create_service', { repo: 'site', name: 'updated' })
  await active('updated')
  ink.platform.fault('ink.race', { times: 1, tool: 'update_service' })
  const refusal = await ink.refusal('update_service', { name: 'updated', memory: '1024Mi' })
  expect(refusal).toMatch(/^service updated but redeploy failed: .*"idx_deployments_one_inflight"/)
  const service = ink.platform.service('updated')
  expect(service?.config.memory).toBe('1024Mi')
  expect(service?.deployments).toHaveLength(2)
})

test('a service that is made again inherits the lines of its predecessor', async () => {
  await ink.call('create_service', { repo: 'site', name: 'heir', build_command: 'echo YESTERDAY; exit 1' })
  await ink.platform.waitForStatus('heir', ['failed'])
  await ink.call('delete_service', { name: 'heir' })
  await until('it is gone', () => ink.platform.service('heir') === undefined)
  ink.platform.fault('rollout.unhealthy', { times: 1 })
  await ink.call('create_service', { repo: 'site', name: 'heir', build_pack: 'static' })
  const { deploy_logs } = await ink.call('get_service', { name: 'heir', deploy_log_lines: 500 })
  expect(deploy_logs).toContain('YESTERDAY')
})

test('until a deletion is done the service looks as before, can be updated, and then vanishes', async () => {
  await using slow = await startInk({ timing: { deletionMs: 6_000 } })
  await slow.push('site', { 'index.html': 'x' })
  await slow.call('create_service', { repo: 'site', name: 'doomed' })
  await slow.platform.waitForStatus('doomed', ['active'])
  const before = await slow.call('get_service', { name: 'doomed' })
  await slow.call('delete_service', { name: 'doomed' })
  expect(await slow.call('get_service', { name: 'doomed' })).toEqual(before)
  await slow.call('update_service', { name: 'doomed', memory: '512Mi' })
  expect((await slow.platform.waitForStatus('doomed', ['active', 'failed'])).status).toBe('active')
  expect(await slow.call('delete_service', { name: 'doomed' })).toMatchObject({
    message: 'Service deleted successfully',
  })
  await until('it vanishes', () => slow.platform.service('doomed') === undefined)
})

test('a deletion leaves a deployment in flight alone', async () => {
  await using slow = await startInk({ timing: { deletionMs: 10_000, rolloutMs: 300 } })
  await slow.push('site', { 'index.html': 'x' })
  await slow.call('create_service', { repo: 'site', name: 'doomed' })
  await slow.call('delete_service', { name: 'doomed' })
  expect((await slow.platform.waitForStatus('doomed', ['active', 'cancelled'])).status).toBe('active')
})

test('an update derives nothing anew: a static service keeps port 80 with another build pack, and takes an empty branch', async () => {
  await ink.call('create_service', { repo: 'site', name: 'kept', build_pack: 'static' })
  await ink.call('update_service', { name: 'kept', build_pack: 'dockerfile', publish_directory: 'dist', branch: '' })
  expect(ink.platform.service('kept')?.config).toMatchObject({ port: '80', publishDirectory: 'dist', branch: '' })
  await ink.call('update_service', { name: 'kept', port: 9000 })
  expect(ink.platform.service('kept')?.config.port).toBe('9000')
})

test('two accounts with a service of one name are told one URL, and neither is told of the other', async () => {
  await ink.call('create_service', { repo: 'site', name: 'shared' })
  await active('shared')
  const url = String(ink.platform.service('shared')?.url)
  expect(await untilAnswers(url)).toBe('x')
  const stranger = await connect(ink.platform.endpoint, ink.platform.addUser('stranger').apiKey)
  const call = async (name: string, args: Record<string, unknown>) => stranger.callTool({ name, arguments: args })
  const made = await call('create_repo', { name: 'theirs' })
  const folder = await ink.workingTree({ 'index.html': 'theirs' })
  const { git_remote } = made.structuredContent as { git_remote: string }
  await git(folder, 'push', '--quiet', git_remote, 'HEAD:refs/heads/main')
  const created = await call('create_service', { repo: 'theirs', name: 'shared' })
  expect(textOf(created as Parameters<typeof textOf>[0])).toContain('queued')
  const theirs = async () => (await call('get_service', { name: 'shared' })).structuredContent as { url?: string }
  await until('theirs is active', async () => (await theirs()).url !== undefined)
  expect((await theirs()).url).toBe(url)
  expect((await get(url)).body).toBe('x')
  await stranger.close()
})
