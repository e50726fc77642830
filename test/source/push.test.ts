import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it, vi } from 'vitest'
import { deploy } from './deploying.ts'
import { quickClock, type Stage, setStage } from './deployment.ts'
import { commitFiles, commitOf, git, newRepository, treeEntry, writeFiles, writeObject } from './scratch.ts'

async function readyToDeploy(
  stage: Stage,
  files: Record<string, string | Buffer> = { 'a.txt': 'a\n' },
): Promise<string> {
  await newRepository(stage.workspace)
  return await commitFiles(stage.workspace, files)
}

async function hook(stage: Stage, name: string, script: string): Promise<void> {
  const path = join(stage.platformRepository, 'hooks', name)
  await writeFiles(stage.platformRepository, { [`hooks/${name}`]: `#!/bin/sh\n${script}\n` })
  await chmod(path, 0o755)
}

/** Arguments of all processes that mention the text. */
async function processesWith(text: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
  return stdout.split('\n').filter((line) => line.includes(text))
}

describe('on the wire', () => {
  it('one header authenticates, nothing is compressed, and protocol 0 is spoken', async () => {
    await using stage = await setStage()
    const large = randomBytes(1_200_000)
    const sha = await readyToDeploy(stage, { 'large.bin': large })
    await using source = stage.open()
    const { result } = await deploy(stage, source, sha)
    expect(stage.platform.requests.length).toBeGreaterThan(2)
    for (const request of stage.platform.requests) {
      expect(request.authorization).toHaveLength(1)
      expect(request.encoding).toBeUndefined()
      expect(request.protocol).toBeUndefined()
    }
    const received = stage.platform.requests.reduce((sum, { bytes }) => sum + bytes, 0)
    expect(result.bytes).toBeGreaterThan(large.length)
    expect(Math.abs(received - result.bytes)).toBeLessThan(result.bytes * 0.01)
  })

  it('the same commit again costs one request for the list of branches', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    await using first = stage.open()
    await deploy(stage, first, sha)
    const before = stage.platform.requests.length
    const sentBefore = stage.platform.bytesSent
    await using again = stage.open()
    const { result } = await deploy(stage, again, sha)
    expect(result).toEqual({ kind: 'already-there', incremental: false, objects: 0, bytes: 0 })
    expect(stage.platform.requests.slice(before)).toMatchObject([{ method: 'GET', bytes: 0 }])
    expect(stage.platform.bytesSent - sentBefore).toBeLessThan(1000)
  })

  it('no token is among the arguments of any process, in any file, or in the log', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    stage.platform.hangOn = /git-receive-pack/
    const abort = new AbortController()
    await using source = stage.open()
    const snapshot = await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [] }, stage.signal)
    const branch = `ink/production/acme-web/${sha}`
    const push = source.push({ snapshot, remote: stage.remote, branch, remoteBranches: new Map() }, abort.signal)
    push.catch(() => undefined)
    await vi.waitFor(async () => expect(await processesWith(stage.platform.address)).not.toEqual([]), 20_000)
    const basic = Buffer.from(`x-git-token:${stage.platformToken}`).toString('base64')
    for (const secret of [stage.platformToken, basic]) {
      expect(await processesWith(secret)).toEqual([])
      const found = promisify(execFile)('grep', ['-r', secret, stage.tempDir, stage.workspace])
      await expect(found).rejects.toMatchObject({ code: 1, stdout: '' })
      expect(stage.log.lines.join('\n')).not.toContain(secret)
    }
    abort.abort()
    await expect(push).rejects.toThrow()
  })

  it('an abort ends git and all its helpers', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    await using source = stage.open()
    const snapshot = await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [] }, stage.signal)
    stage.platform.hangOn = /./
    const abort = new AbortController()
    const push = source.push({ snapshot, remote: stage.remote, branch: `ink/production/acme-web/${sha}` }, abort.signal)
    push.catch(() => undefined)
    await vi.waitFor(async () => expect(await processesWith(stage.platform.address)).not.toEqual([]), 20_000)
    abort.abort(new Error('cancelled'))
    await expect(push).rejects.toThrow('cancelled')
    await vi.waitFor(async () => expect(await processesWith(stage.platform.address)).toEqual([]), 20_000)
  })
})

describe('a push', () => {
  it('is tried again after HTTP 503 or 429, and after a broken connection', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    for (const [number, misbehaviours] of ([[503, 503], [429], ['reset']] as const).entries()) {
      const { clock, takenMs } = quickClock()
      await using source = stage.open({ clock })
      stage.platform.misbehaviours.push(...misbehaviours)
      stage.log.lines.length = 0
      const { result } = await deploy(stage, source, sha, { target: `pr-${number}/acme-web-pr-${number}` })
      expect(result.kind, String(misbehaviours)).toBe('pushed')
      expect(takenMs, String(misbehaviours)).toHaveLength(misbehaviours.length)
      expect(stage.log.lines.join('\n')).toContain('trying again in')
    }
  })

  it('is tried for as long as the deployment has time, and then given up', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    const { clock, takenMs } = quickClock()
    await using source = stage.open({ clock, deadlineAt: 60_000 })
    stage.platform.misbehaviours.push(...Array<502>(6).fill(502))
    expect((await deploy(stage, source, sha)).result.kind).toBe('pushed')
    expect(takenMs).toEqual([500, 1_000, 2_000, 4_000, 8_000, 15_000])
    stage.platform.misbehaviours.push(...Array<502>(9).fill(502))
    await expect(deploy(stage, source, sha, { target: 'pr-1/acme-web-pr-1' })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('HTTP 502'),
    })
    expect(clock.now()).toBeLessThanOrEqual(60_000)
  })

  it('is not tried again after HTTP 401, 403 or 404', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    const { clock, takenMs } = quickClock()
    await using source = stage.open({ clock })
    for (const status of [401, 403, 404]) {
      // Asked for credentials, git asks once more before it believes that there are none.
      stage.platform.misbehaviours.push(status, status)
      const failed = deploy(stage, source, sha)
      await expect(failed).rejects.toMatchObject({ code: 'denied', hint: expect.any(String) })
      await expect(failed).rejects.toThrow(`HTTP ${status}`)
      stage.platform.misbehaviours.length = 0
    }
    expect(takenMs).toEqual([])
  })

  it('that is too large names the largest files', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage, { 'big.bin': Buffer.alloc(9_000_000, 'big '), 'small.txt': 's\n' })
    await using source = stage.open()
    const snapshot = await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [] }, stage.signal)
    stage.platform.misbehaviours.push(413)
    const request = {
      snapshot,
      remote: stage.remote,
      branch: `ink/production/acme-web/${sha}`,
      remoteBranches: new Map(),
    }
    await expect(source.push(request, stage.signal)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/HTTP 413.*big\.bin \(9 MB\), small\.txt/),
    })
  })

  it('that the remote rejects says the reason, what the server said, and no secret', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    await hook(stage, 'pre-receive', `echo "quota is used up by ${stage.platformToken}" >&2; exit 1`)
    await using source = stage.open()
    const failed = deploy(stage, source, sha)
    await expect(failed).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringMatching(/pre-receive hook declined.*quota is used up by \*\*\*/),
      hint: expect.any(String),
    })
    expect(await git(stage.platformRepository, 'for-each-ref')).toBe('')
  })

  it('never overwrites a branch that holds another snapshot', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    const branch = `ink/production/acme-web/${sha}`
    await git(stage.workspace, 'push', '-q', stage.platformRepository, `${sha}:refs/heads/${branch}`)
    await using source = stage.open()
    await expect(deploy(stage, source, sha)).rejects.toMatchObject({
      code: 'branch-conflict',
      message: expect.stringContaining(branch),
    })
    // Nor when the list of branches is older than the other's push.
    const snapshot = await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [] }, stage.signal)
    const request = { snapshot, remote: stage.remote, branch, remoteBranches: new Map<string, string>() }
    await expect(source.push(request, stage.signal)).rejects.toMatchObject({ code: 'branch-conflict' })
    expect(await git(stage.platformRepository, 'rev-parse', branch)).toBe(sha)
  })

  it('of a commit that was deployed under another ref or another name of the repository is done', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    await git(stage.workspace, 'checkout', '-qb', 'hotfix')
    await using hotfix = stage.open({ repository: 'acme/old-name' })
    const first = await deploy(stage, hotfix, sha)
    await git(stage.workspace, 'checkout', '-q', 'main')
    await using source = stage.open()
    const merged = await deploy(stage, source, sha)
    expect(merged.snapshot.sha).toBe(first.snapshot.sha)
    expect(merged.result.kind).toBe('already-there')
    expect(await git(stage.platformRepository, 'rev-parse', first.branch)).toBe(first.snapshot.sha)
  })

  it('of what another run pushed in the meantime is done', async () => {
    await using stage = await setStage()
    const sha = await readyToDeploy(stage)
    await using other = stage.open()
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, other, sha)
    await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [] }, stage.signal)
    const request = { snapshot, remote: stage.remote, branch, remoteBranches: new Map<string, string>() }
    expect((await source.push(request, stage.signal)).kind).toBe('already-there')
  })

  it('of more than 5 MB says how far it is, and arrives whole; a smaller one says nothing', async () => {
    await using stage = await setStage()
    const small = await readyToDeploy(stage, { 'small.bin': randomBytes(100_000) })
    await using source = stage.open()
    await deploy(stage, source, small)
    const progress = () => stage.log.lines.filter((line) => line.includes('% of the objects'))
    expect(progress()).toEqual([])
    const large = await commitFiles(stage.workspace, { 'large.bin': randomBytes(6_000_000) })
    const { branch } = await deploy(stage, source, large)
    expect(progress().at(-1)).toMatch(/: 6 MB sent \(100 % of the objects\)/)
    expect(await git(stage.platformRepository, 'cat-file', '-s', `${branch}:large.bin`)).toBe('6000000')
  })
})

describe('a large file', () => {
  it('of more than 100 MB is named before the push', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const large = await writeObject(stage.workspace, 'blob', Buffer.alloc(101_000_000, 'large '))
    const folder = await writeObject(stage.workspace, 'tree', treeEntry('100644', 'large.bin', large))
    const tree = await writeObject(stage.workspace, 'tree', treeEntry('40000', 'video', folder))
    const sha = await commitOf(stage.workspace, tree)
    await using source = stage.open()
    const snapshot = await source.snapshot({ wanted: { sha }, ordinaryCheckouts: [] }, stage.signal)
    expect(stage.log.lines.filter((line) => line.startsWith('warning'))).toEqual([
      expect.stringContaining('video/large.bin (101 MB)'),
    ])
    expect(stage.platform.requests).toEqual([])
    expect(snapshot.largest[0]).toEqual({ path: 'video/large.bin', bytes: 101_000_000 })
  })
})
