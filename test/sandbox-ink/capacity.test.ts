import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { startInkPlatform } from '../../sandbox/ink/platform.ts'
import { get, nodeApp, startInk, until, untilAnswers } from './harness.ts'

/** Processes that this one has started and that still live, zombies aside. */
function children(): string[] {
  const listing = execFileSync('ps', ['-eo', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' })
  const processes = listing.split('\n').map((line) => line.trim().split(/\s+/))
  const mine = new Set([String(process.pid)])
  for (const [pid, ppid] of processes) if (pid !== undefined && mine.has(ppid ?? '')) mine.add(pid)
  mine.delete(String(process.pid))
  const isOwn = (words: string[]) => mine.has(words[0] ?? '') && !words[2]?.startsWith('Z') && words[3] !== 'ps'
  return processes.filter(isOwn).map((words) => words.slice(3).join(' '))
}

/** Whether a process has ended; one that nobody has taken notice of yet has ended, too. */
function hasEnded(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() === '' || stdout.trim().startsWith('Z')
}

test('the platform starts in less than a second of CPU', async () => {
  const before = process.cpuUsage()
  await using platform = await startInkPlatform()
  const { user, system } = process.cpuUsage(before)
  expect(user + system).toBeLessThan(1_000_000)
  expect(platform.apiKey).toMatch(/^dk_test_[0-9a-f]{64}$/)
})

test('100 deployments of a static site run in less than 60 seconds and leave nothing behind', async () => {
  const before = children()
  const startedAtMs = Date.now()
  const ink = await startInk()
  await ink.push('site', { 'index.html': 'x' })
  await ink.call('create_service', { repo: 'site', name: 'site' })
  const { git_remote: remote } = await ink.call('get_git_token', { name: 'site' })
  for (let index = 1; index < 100; index += 1) {
    const args = { name: 'site', env_vars: [{ key: 'N', value: String(index) }] }
    await ink.platform.waitForStatus('site', ['active'])
    await ink.call('update_service', args)
  }
  const { deployments, url } = await ink.platform.waitForStatus('site', ['active'])
  expect(deployments.filter(({ status }) => status === 'superseded')).toHaveLength(99)
  expect(deployments.every(({ cached }) => cached === false)).toBe(true)
  expect(Date.now() - startedAtMs).toBeLessThan(60_000)
  expect(readdirSync(join(ink.platform.root, 'builds')).length).toBeLessThanOrEqual(42)
  expect(readdirSync(join(ink.platform.root, 'containers'))).toEqual([])

  const { root, endpoint } = ink.platform
  await ink[Symbol.asyncDispose]()
  expect(existsSync(root)).toBe(false)
  for (const address of [endpoint, String(url), String(remote)]) {
    await expect(fetch(new URL(address).origin)).rejects.toThrow()
  }
  expect(children()).toEqual(before)
}, 90_000)

test('stopping ends apps with everything that they have started, hanging builds included', async () => {
  const before = children()
  const ink = await startInk()
  await ink.push('app', nodeApp("import { spawn } from 'node:child_process'; spawn('sleep', ['1000'])"))
  await ink.call('create_service', { repo: 'app', name: 'app' })
  const { url } = await ink.platform.waitForStatus('app', ['active'])
  await untilAnswers(String(url))
  ink.platform.fault('build.hang', { times: 1 })
  await ink.call('create_service', { repo: 'app', name: 'hanging' })
  await until('the build hangs', () => ink.platform.armedFaults().length === 0)
  await ink[Symbol.asyncDispose]()
  expect(children()).toEqual(before)
  await expect(get(String(url))).rejects.toThrow()
})

test('an app that ignores SIGTERM is killed', async () => {
  const before = children()
  const ink = await startInk({ timing: { killGraceMs: 200 } })
  await ink.push('app', nodeApp("process.on('SIGTERM', () => {})"))
  await ink.call('create_service', { repo: 'app', name: 'app' })
  await ink.platform.waitForStatus('app', ['active'])
  await ink[Symbol.asyncDispose]()
  expect(children()).toEqual(before)
})

test('a program that exits without stopping the platform leaves neither apps nor folders behind', async () => {
  const program = join(import.meta.dirname, 'exit-without-stop.ts')
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', program], { encoding: 'utf8' })
  expect([status, stderr]).toEqual([3, ''])
  const { root, pid } = JSON.parse(stdout) as { root: string; pid: number }
  expect(pid).toBeGreaterThan(1)
  expect(existsSync(root)).toBe(false)
  await until('the app has ended', () => hasEnded(pid))
})

test('a platform that cannot have its port says so and leaves nothing behind', async () => {
  await using first = await startInkPlatform()
  const port = Number(new URL(first.endpoint).port)
  const folder = mkdtempSync(join(tmpdir(), 'ink-test-'))
  vi.stubEnv('TMPDIR', folder)
  await expect(startInkPlatform({ port })).rejects.toThrow(/EADDRINUSE/)
  vi.unstubAllEnvs()
  expect(readdirSync(folder)).toEqual([])
  rmdirSync(folder)
})
