import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseRemote } from '../src/source/remote.ts'
import { openSource } from '../src/source/source.ts'
import { type GitServer, startGitServer } from '../test/source/git-server.ts'
import { commitFiles, freshToken, git, gitBytes, newRepository, scratchFolder } from '../test/source/scratch.ts'
import { atMost, type Bench, type Row } from './table.ts'

interface Figures {
  /** Bodies of requests and answers, without their headers. */
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly seconds: number
}

interface Scene {
  readonly folder: string
  /** Holds the history, as a full clone does. */
  readonly work: string
  readonly origin: GitServer
  readonly originRepository: string
  readonly originToken: string
  readonly platform: GitServer
  readonly platformToken: string
}

/** What a deployment sends, from the default checkout, and beside it what git needs from a full clone. */
export const benchPush: Bench = async (print) => {
  print(row('', 'sent', 'received', 'time', 'from origin', 'goal'))
  const rows = await benchLarge(print)
  await benchManyFiles(print)
  return rows
}

async function benchLarge(print: (line: string) => void): Promise<readonly Row[]> {
  await using scene = await setScene('large')
  const { work } = scene
  const files = Array.from({ length: 1000 }, (_, index): [string, string] => [
    `src/part${index % 20}/file${index}.txt`,
    randomBytes(37_500).toString('base64'),
  ])
  const first = await commitFiles(work, Object.fromEntries(files), 'Fifty megabytes')
  const second = await commitFiles(work, { 'src/part7/file7.txt': randomBytes(750).toString('base64') }, 'One kilobyte')
  await git(work, 'push', '-q', scene.originRepository, 'main')
  const plainPack = (await gitBytes(work, ['pack-objects', '--revs', '--stdout', '-q'], { input: `${first}^{tree}\n` }))
    .length

  const whole = await deploy(scene, first, [])
  const goal = `at most ${kilobytes(plainPack * 1.05)} (1.05 of a plain pack): ${met(whole.sentBytes <= plainPack * 1.05)}`
  print(figuresRow('50 MB, first push', whole, goal))
  print(figuresRow('  git, full clone', await plainPush(scene, first)))
  const changed = await deploy(scene, second, [first])
  print(figuresRow('one file of 1 kB changed', changed, `sent at most 5 kB: ${met(changed.sentBytes <= 5000)}`))
  print(figuresRow('  git, full clone', await plainPush(scene, second)))
  const again = await deploy(scene, second, [first])
  const total = again.sentBytes + again.receivedBytes
  print(figuresRow('the same commit again', again, `at most 2 kB in all: ${met(total <= 2000)}`))
  print(figuresRow('  git, full clone', await plainPush(scene, second)))
  return [
    atMost('bytes of a first push of 50 MB', whole.sentBytes / plainPack, 1.05, '×', 'a pack of the same tree'),
    atMost('bytes sent after a change of 1 kB', changed.sentBytes / 1000, 5, 'kB'),
    atMost('bytes both ways for the same commit again', total / 1000, 2, 'kB'),
  ]
}

async function benchManyFiles(print: (line: string) => void): Promise<void> {
  await using scene = await setScene('many')
  const stream = Array.from({ length: 10_000 }, (_, index) => {
    const text = `export const value${index} = ${index * 7919}\n`.repeat(4)
    return `M 100644 inline src/d${index % 100}/file${index}.ts\ndata ${text.length}\n${text}\n`
  })
  const head = 'commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 5\nMany\n'
  await gitBytes(scene.work, ['fast-import', '--quiet'], { input: head + stream.join('') })
  const sha = await git(scene.work, 'rev-parse', 'main')
  await git(scene.work, 'push', '-q', scene.originRepository, 'main')
  print(figuresRow('10 000 small files', await deploy(scene, sha, [])))
  print(figuresRow('  git, full clone', await plainPush(scene, sha)))
}

/** What a first push costs: CPU time of this process and of git, and what was sent, beside a plain pack of the tree. */
export async function firstPush(tree: { files: number; bytesEach: number }): Promise<{ cpuMs: number; packs: number }> {
  await using scene = await setScene('growing')
  const blob = (index: number) => {
    const text = randomBytes(Math.ceil((tree.bytesEach * 3) / 4)).toString('base64')
    return `M 100644 inline d${index % 100}/file${index}.txt\ndata ${text.length}\n${text}\n`
  }
  const head = 'commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 7\nGrowing\n'
  const stream = Array.from({ length: tree.files }, (_, index) => blob(index)).join('')
  await gitBytes(scene.work, ['fast-import', '--quiet'], { input: head + stream })
  const sha = await git(scene.work, 'rev-parse', 'main')
  await git(scene.work, 'push', '-q', scene.originRepository, 'main')
  const pack = (await gitBytes(scene.work, ['pack-objects', '--revs', '--stdout', '-q'], { input: `${sha}^{tree}\n` }))
    .length
  const before = cpuMs()
  const { sentBytes } = await deploy(scene, sha, [])
  return { cpuMs: cpuMs() - before, packs: sentBytes / pack }
}

/** CPU time of this process and of its children that have ended, in steps of 10 ms. */
export function cpuMs(): number {
  const [, times = ''] = readFileSync('/proc/self/stat', 'utf8').split(') ')
  // utime, stime, cutime, cstime in hundredths of a second: proc(5), counted from the state.
  return times
    .split(' ')
    .slice(11, 15)
    .reduce((sum, ticks) => sum + Number(ticks) * 10, 0)
}

async function setScene(name: string): Promise<Scene & AsyncDisposable> {
  const folder = await scratchFolder()
  const [originToken, platformToken] = [freshToken(), freshToken()]
  const origin = await startGitServer({ user: 'x-access-token', token: originToken })
  const platform = await startGitServer({ user: 'x-git-token', token: platformToken })
  await platform.repository('ada/deployed')
  await platform.repository('ada/plain')
  return {
    folder: folder.path,
    work: await newRepository(join(folder.path, name)),
    origin,
    originRepository: await origin.repository('acme/web'),
    originToken,
    platform,
    platformToken,
    [Symbol.asyncDispose]: async () => {
      await origin[Symbol.asyncDispose]()
      await platform[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

/** One run of the action's source side, from a checkout as `actions/checkout` makes it. */
async function deploy(scene: Scene, sha: string, bases: readonly string[]): Promise<Figures & { originBytes: number }> {
  const workspace = await newRepository(join(scene.folder, `checkout-${Math.random()}`))
  await git(workspace, 'fetch', '-q', '--depth=1', `file://${scene.originRepository}`, sha)
  await git(workspace, 'checkout', '-q', 'FETCH_HEAD')
  const tempDir = join(scene.folder, 'temp')
  await mkdir(tempDir, { recursive: true })
  const originBefore = scene.origin.bytesSent
  const figures = await measure(scene.platform, async () => {
    await using source = openSource({
      workspace,
      tempDir,
      environment: { PATH: process.env.PATH },
      origin: { url: scene.origin.url('acme/web'), token: scene.originToken },
      repository: 'acme/web',
      killGroup: (leader) => process.kill(-leader, 'SIGKILL'),
      log: { info: () => undefined, debug: () => undefined, warning: () => undefined },
    })
    const { signal } = new AbortController()
    const wanted = { sha, ref: 'refs/heads/main' }
    const snapshot = await source.snapshot({ wanted, ordinaryCheckouts: [sha] }, signal)
    const remote = parseRemote(scene.platform.urlWithToken('ada/deployed'))
    await source.push({ snapshot, remote, branch: `ink/production/bench/${sha}`, bases }, signal)
  })
  return { ...figures, originBytes: scene.origin.bytesSent - originBefore }
}

async function plainPush(scene: Scene, sha: string): Promise<Figures> {
  const address = scene.platform.urlWithToken('ada/plain')
  return await measure(scene.platform, async () => {
    await git(scene.work, 'push', '-q', address, `${sha}:refs/heads/main`)
  })
}

async function measure(server: GitServer, action: () => Promise<void>): Promise<Figures> {
  const requestsBefore = server.requests.length
  const sentBefore = server.bytesSent
  const startedMs = performance.now()
  await action()
  const seconds = (performance.now() - startedMs) / 1000
  const sentBytes = server.requests.slice(requestsBefore).reduce((sum, { bytes }) => sum + bytes, 0)
  return { sentBytes, receivedBytes: server.bytesSent - sentBefore, seconds }
}

function figuresRow(label: string, figures: Figures & { originBytes?: number }, goal = ''): string {
  const { sentBytes, receivedBytes, seconds, originBytes } = figures
  const fromOrigin = originBytes === undefined ? '' : kilobytes(originBytes)
  return row(label, kilobytes(sentBytes), kilobytes(receivedBytes), `${seconds.toFixed(2)} s`, fromOrigin, goal)
}

function row(label: string, sent: string, received: string, time: string, fromOrigin: string, goal: string): string {
  const cells = [label.padEnd(26), sent.padStart(12), received.padStart(10), time.padStart(9), fromOrigin.padStart(12)]
  return `${cells.join('  ')}  ${goal}`.trimEnd()
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`
}

function met(reached: boolean): string {
  return reached ? 'reached' : 'MISSED'
}
