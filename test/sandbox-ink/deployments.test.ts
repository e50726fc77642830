import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { headOf } from '../source/scratch.ts'
import { commitAll, connect, get, git, type Ink, startInk, until, untilAnswers } from './harness.ts'

async function deploySite(ink: Ink, name = 'site', content = 'one'): Promise<string> {
  await ink.push(name, { 'index.html': content })
  await ink.call('create_service', { repo: name, name })
  const { url } = await ink.platform.waitForStatus(name, ['active'])
  return String(url)
}

const statuses = (ink: Ink, name = 'site') => ink.platform.service(name)?.deployments.map(({ status }) => status)

test('a static site that was pushed is deployed and answers on its URL', async () => {
  await using ink = await startInk()
  const commit = await ink.push('site', { 'index.html': '<h1>Hello</h1>' })
  const created = await ink.call('create_service', { repo: 'ink/site', name: 'site' })
  expect(created).toMatchObject({ status: 'queued', message: expect.stringContaining('workflow_id: deploy-') })
  const service = await ink.platform.waitForStatus('site', ['active', 'failed'])
  expect(service.deployments.at(-1)).toMatchObject({ status: 'active', commit, trigger: 'api' })
  const { url } = await ink.call('get_service', { name: 'site' })
  expect(await untilAnswers(String(url))).toBe('<h1>Hello</h1>')
})

test('the URL is unset until the first deployment is active, and stays while a later one fails', async () => {
  await using ink = await startInk()
  await ink.push('site', { 'index.html': 'one' })
  await ink.call('create_service', { repo: 'site', name: 'site' })
  expect(await ink.call('get_service', { name: 'site' })).not.toHaveProperty('url')
  await ink.platform.waitForStatus('site', ['active'])
  await ink.call('update_service', { name: 'site', branch: 'missing' })
  await ink.platform.waitForStatus('site', ['failed'])
  const service = await ink.call('get_service', { name: 'site' })
  expect(service).toMatchObject({ status: 'failed', branch: 'missing', url: expect.stringContaining('http://') })
  expect(await untilAnswers(String(service.url))).toBe('one')
})

test('the edge answers 404 for a while after the first activation', async () => {
  await using ink = await startInk({ timing: { edgeDelayMs: 2_500 } })
  const url = await deploySite(ink)
  expect((await get(url)).status).toBe(404)
  await untilAnswers(url)
  await ink.call('redeploy_service', { name: 'site' })
  await ink.platform.waitForStatus('site', ['active'])
  expect((await get(url)).status).toBe(200)
})

test('a push starts nothing, not even one to the tracked branch', async () => {
  await using ink = await startInk()
  await deploySite(ink)
  await ink.push('site', { 'index.html': 'two' })
  await ink.push('site', { 'index.html': 'three' }, 'other')
  expect(statuses(ink)).toEqual(['active'])
})

test('as it is meant, a push that moves the tracked branch deploys; another branch, a deletion or the same commit does not', async () => {
  await using ink = await startInk({ trackedPush: 'deploys' })
  const url = await deploySite(ink)
  await untilAnswers(url)
  const { git_remote: remote } = await ink.call('get_git_token', { name: 'site' })
  const folder = await ink.workingTree({ 'index.html': 'two' })
  const push = (...args: string[]) => git(folder, 'push', '--quiet', '--force', String(remote), ...args)

  await push('HEAD:refs/heads/other')
  await push(':refs/heads/other')
  expect(statuses(ink)).toEqual(['active'])
  await push('HEAD:refs/heads/main')
  expect(statuses(ink)).toHaveLength(2)
  const commit = await commitAll(folder)
  await push('HEAD:refs/heads/main')
  await ink.platform.waitForStatus('site', ['active'])
  const count = statuses(ink)?.length
  await push('HEAD:refs/heads/main')
  expect(statuses(ink)).toHaveLength(count ?? 0)
  expect(ink.platform.service('site')?.deployments.at(-1)).toMatchObject({ trigger: 'git_push', commit })
  expect((await get(url)).body).toBe('two')
})

test('an update deploys even without changes, and every deployment touches updated_at', async () => {
  await using ink = await startInk()
  await deploySite(ink)
  const { updated_at: before } = await ink.call('get_service', { name: 'site' })
  await until('a second has passed', () => Date.now() >= Date.parse(String(before)) + 1_000)
  await ink.call('redeploy_service', { name: 'site' })
  expect((await ink.call('get_service', { name: 'site' })).updated_at).not.toBe(before)
  await ink.platform.waitForStatus('site', ['active'])
  await ink.call('update_service', { name: 'site' })
  expect(statuses(ink)).toHaveLength(3)
})

test('when a deployment becomes active, the one before is superseded', async () => {
  await using ink = await startInk()
  await deploySite(ink)
  await ink.call('redeploy_service', { name: 'site' })
  await ink.platform.waitForStatus('site', ['active'])
  expect(statuses(ink)).toEqual(['superseded', 'active'])
})

test('switching the branch switches what is served, and back again', async () => {
  await using ink = await startInk()
  const url = await deploySite(ink)
  await ink.push('site', { 'index.html': 'feature' }, 'feature')
  await ink.call('update_service', { name: 'site', branch: 'feature' })
  await ink.platform.waitForStatus('site', ['active'])
  expect(await untilAnswers(url)).toBe('feature')
  await ink.call('update_service', { name: 'site', branch: 'main' })
  await ink.platform.waitForStatus('site', ['active'])
  expect(await untilAnswers(url)).toBe('one')
})

test('the same commit, configuration and environment is not built again; another variable builds again', async () => {
  await using ink = await startInk()
  await deploySite(ink)
  const cached = async (args: Record<string, unknown>) => {
    await ink.call('update_service', { name: 'site', ...args })
    return (await ink.platform.waitForStatus('site', ['active'])).deployments.at(-1)?.cached
  }
  expect(await cached({})).toBe(true)
  expect(await cached({ env_vars: [{ key: 'A', value: '1' }] })).toBe(false)
  expect(await cached({ build_command: 'echo OTHER' })).toBe(false)
  expect(await cached({ memory: '512Mi' })).toBe(true)
})

test('a new deployment cancels the one in flight, and fails itself while that one’s build winds down', async () => {
  await using ink = await startInk({ timing: { windDownMs: 1_000 } })
  await deploySite(ink)
  ink.platform.fault('build.hang', { times: 1 })
  await ink.push('site', { 'index.html': 'two' }, 'slow')
  await ink.call('update_service', { name: 'site', branch: 'slow' })
  await until('the build hangs', () => ink.platform.armedFaults().length === 0)
  await ink.call('update_service', { name: 'site' })
  const { deployments } = await ink.platform.waitForStatus('site', ['failed'])
  expect(deployments.map(({ status }) => status)).toEqual(['active', 'cancelled', 'failed'])
  expect(deployments.at(-1)?.errorMessage).toBe('child workflow execution already started')
  await until('the first build has wound down', async () => {
    await ink.call('update_service', { name: 'site' })
    return (await ink.platform.waitForStatus('site', ['active', 'failed'])).status === 'active'
  })
})

test('a push during a build does not collide with it, as its build has an id of its own', async () => {
  await using ink = await startInk({ trackedPush: 'deploys' })
  await deploySite(ink)
  ink.platform.fault('build.hang', { times: 1 })
  await ink.call('update_service', { name: 'site', env_vars: [{ key: 'A', value: '1' }] })
  await until('the build hangs', () => ink.platform.armedFaults().length === 0)
  await ink.push('site', { 'index.html': 'two' })
  await ink.platform.waitForStatus('site', ['active'])
  expect(statuses(ink)).toEqual(['superseded', 'cancelled', 'active'])
})

test('a deployment in the queue is cancelled without any wind-down', async () => {
  await using ink = await startInk({ timing: { queueMs: 2_000 } })
  await ink.push('site', { 'index.html': 'one' })
  await ink.call('create_service', { repo: 'site', name: 'site' })
  await ink.call('update_service', { name: 'site' })
  await ink.platform.waitForStatus('site', ['active'])
  expect(statuses(ink)).toEqual(['cancelled', 'active'])
})

test('deletion takes its time: the service is found and its name refused until it is done, then the URL is dead', async () => {
  await using ink = await startInk({ timing: { deletionMs: 2_500, edgeDelayMs: 2_000 } })
  const url = await deploySite(ink)
  await untilAnswers(url)
  const deleted = await ink.call('delete_service', { name: 'site' })
  expect(deleted.message).toBe('Service deleted successfully')
  expect(await ink.call('get_service', { name: 'site' })).toMatchObject({ status: 'active' })
  expect(await ink.refusal('create_service', { repo: 'site', name: 'site' })).toContain('already exists')
  await until('it is gone', () => ink.platform.service('site') === undefined)
  expect(await ink.refusal('get_service', { name: 'site' })).toBe('service not found: site in project default')
  expect((await get(url)).status).toBe(200)
  await untilAnswers(url, 404)
  await ink.call('create_service', { repo: 'site', name: 'site' })
  expect((await ink.platform.waitForStatus('site', ['active'])).url).toBe(url)
})

test('host names are one name space for all users: the first to claim a name answers for everybody', async () => {
  await using ink = await startInk()
  const url = await deploySite(ink, 'My_Site', 'ours')
  await untilAnswers(url)
  const stranger = await connect(ink.platform.endpoint, ink.platform.addUser('stranger').apiKey)
  const call = (name: string, args: Record<string, unknown>) => stranger.callTool({ name, arguments: args })
  const { git_remote } = (await call('create_repo', { name: 'x' })).structuredContent as { git_remote: string }
  const folder = await ink.workingTree({ 'index.html': 'theirs' })
  await git(folder, 'push', '--quiet', git_remote, 'HEAD:refs/heads/main')
  await call('create_service', { repo: 'x', name: 'my-site' })
  const theirs = async () => (await call('get_service', { name: 'my-site' })).structuredContent as { url?: string }
  await until('the stranger’s is active', async () => (await theirs()).url !== undefined)
  expect((await theirs()).url).toBe(url)
  expect((await get(url)).body).toBe('ours')
  await ink.call('delete_service', { name: 'My_Site' })
  await until('the stranger’s answers', async () => (await get(url)).body === 'theirs')
  await stranger.close()
})

test('build logs are kept per service, lines of earlier deployments come along, 500 at most', async () => {
  await using ink = await startInk()
  await deploySite(ink)
  const build = async (command: string) => {
    await ink.call('update_service', { name: 'site', build_command: command })
    await ink.platform.waitForStatus('site', ['active'])
  }
  const log = async (lines: number) =>
    (await ink.call('get_service', { name: 'site', deploy_log_lines: lines })).deploy_logs
  await build('echo FIRST')
  await build('echo SECOND')
  expect(await log(500)).toMatch(/^FIRST$[\s\S]*^SECOND$/m)
  expect(await log(0)).toBeUndefined()
  expect(String(await log(2)).split('\n')).toHaveLength(2)
  ink.platform.fault('build.log-flood', { times: 1, lines: 3_000 })
  await build('echo THIRD')
  const flooded = String(await log(9_999))
  expect(flooded.split('\n')).toHaveLength(500)
  expect(flooded).not.toContain('FIRST')
})

test('a branch that does not exist fails the clone', async () => {
  await using ink = await startInk()
  await ink.push('site', { 'index.html': 'x' })
  await ink.call('create_service', { repo: 'site', name: 'site', branch: 'nowhere' })
  const { deployments } = await ink.platform.waitForStatus('site', ['failed'])
  expect(deployments.at(-1)?.errorMessage).toMatch(/clone failed: [\s\S]*Remote branch nowhere not found/)
})

test('submodules are not cloned and LFS files arrive as pointers', async () => {
  await using ink = await startInk()
  const folder = await ink.workingTree({
    'index.html': 'x',
    'picture.txt': 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 3\n',
    '.gitattributes': 'picture.txt filter=lfs diff=lfs merge=lfs -text\n',
  })
  const inner = await ink.workingTree({ 'inner.txt': 'inner' })
  await writeFile(join(folder, '.gitmodules'), `[submodule "lib"]\n\tpath = lib\n\turl = ${inner}\n`)
  const commit = await headOf(inner)
  await git(folder, 'add', '--all')
  await git(folder, 'update-index', '--add', '--cacheinfo', `160000,${commit},lib`)
  await git(folder, 'commit', '--quiet', '--message', 'Add a submodule')
  const { git_remote } = await ink.call('create_repo', { name: 'site' })
  await git(folder, 'push', '--quiet', String(git_remote), 'HEAD:refs/heads/main')
  await ink.call('create_service', { repo: 'site', name: 'site' })
  const { url } = await ink.platform.waitForStatus('site', ['active'])
  expect(await untilAnswers(`${url}/picture.txt`)).toContain('oid sha256:abc')
  expect((await get(`${url}/lib/inner.txt`)).status).toBe(404)
  expect((await get(`${url}/.git/HEAD`)).status).toBe(404)
})
