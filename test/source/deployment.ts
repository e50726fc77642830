import { randomBytes } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../src/core/async.ts'
import { type GitRemote, parseRemote } from '../../src/source/remote.ts'
import { openSource, type Source } from '../../src/source/source.ts'
import type { SourceLog, SourceOptions } from '../../src/source/workspace.ts'
import { type GitServer, startGitServer } from './git-server.ts'
import { freshToken, scratchFolder } from './scratch.ts'

export interface RecordedLog extends SourceLog {
  readonly lines: string[]
}

export function recordedLog(): RecordedLog {
  const lines: string[] = []
  const write = (level: string) => (message: string) => void lines.push(`${level}: ${message}`)
  return { lines, info: write('info'), debug: write('debug'), warning: write('warning') }
}

/** A clock whose pauses take no time and are remembered. */
export function quickClock(): { readonly takenMs: number[]; readonly clock: Clock } {
  const takenMs: number[] = []
  let nowMs = 0
  const sleep = async (ms: number) => {
    takenMs.push(ms)
    nowMs += ms
  }
  return { takenMs, clock: { now: () => nowMs, sleep } }
}

/** A workspace, the platform's git server with one repository, and the origin's. */
export interface Stage extends AsyncDisposable {
  readonly path: string
  readonly workspace: string
  readonly tempDir: string
  readonly platform: GitServer
  readonly platformRepository: string
  readonly platformToken: string
  readonly remote: GitRemote
  readonly origin: GitServer
  readonly originToken: string
  /** The bare repository behind the origin, `acme/web`. */
  readonly originRepository: string
  readonly log: RecordedLog
  readonly signal: AbortSignal
  open(overrides?: Partial<SourceOptions>): Source
  /** What lies in the temporary folder. */
  leftovers(): Promise<string[]>
}

export async function setStage(): Promise<Stage> {
  const folder = await scratchFolder()
  const { path } = folder
  const [workspace, tempDir] = [join(path, 'workspace'), join(path, 'temp')]
  await Promise.all([mkdir(workspace), mkdir(tempDir)])
  const [platformToken, originToken] = [freshToken(), `ghs_${randomBytes(16).toString('hex')}`]
  const platform = await startGitServer({ user: 'x-git-token', token: platformToken })
  const origin = await startGitServer({ user: 'x-access-token', token: originToken })
  const log = recordedLog()
  return {
    path,
    workspace,
    tempDir,
    platform,
    platformToken,
    platformRepository: await platform.repository('ada/web-1234'),
    remote: parseRemote(platform.urlWithToken('ada/web-1234')),
    origin,
    originToken,
    originRepository: await origin.repository('acme/web'),
    log,
    signal: new AbortController().signal,
    open: (overrides = {}) =>
      openSource({
        workspace,
        tempDir,
        environment: { PATH: process.env.PATH },
        origin: { url: origin.url('acme/web'), token: originToken },
        repository: 'acme/web',
        killGroup: (leader) => process.kill(-leader, 'SIGKILL'),
        log,
        random: () => 0.5,
        ...overrides,
      }),
    leftovers: () => readdir(tempDir),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([platform, origin].map((server) => server[Symbol.asyncDispose]()))
      await folder[Symbol.asyncDispose]()
    },
  }
}
