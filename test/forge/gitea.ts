import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { goProgram } from '../support/go.ts'

/** A version all of whose modules the Go module proxy serves. */
const GITEA = {
  module: 'code.gitea.io/gitea',
  version: 'v1.26.0',
  name: 'gitea',
  tags: 'sqlite sqlite_unlock_notify',
  keepFiles: true,
}

/** A real Gitea on loopback with one administrator, `acme`. */
export interface Gitea extends AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string
  /** The administrator's token, for everything. */
  readonly token: string
  /** What a runner registers with. */
  readonly registrationToken: string
  /** Calls the API as the administrator. @throws with Gitea's answer unless it is 2xx */
  call<T = unknown>(method: string, path: string, body?: unknown): Promise<T>
}

/** Starts a Gitea in a folder of its own; the first time ever, it is built before. */
export async function startGitea(): Promise<Gitea> {
  const { executable, files } = await goProgram(GITEA)
  const folder = await mkdtemp(join(tmpdir(), 'gitea-'))
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const configuration = join(folder, 'app.ini')
  await writeFile(configuration, configurationText(folder, files, port))
  await mkdir(join(folder, 'home'))
  const env = { PATH: process.env.PATH ?? '', HOME: join(folder, 'home'), USER: 'root', GITEA_WORK_DIR: folder }
  const output: string[] = []
  const server = spawn(executable, ['web', '--config', configuration], { env, cwd: folder })
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk: Buffer) => output.push(String(chunk)))
  const tool = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(executable, ['--config', configuration, ...args], { env, cwd: folder })
    return stdout.trim().split('\n').at(-1) ?? ''
  }
  const stop = async () => {
    await ended(server)
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    await answering(`${url}/api/v1/version`, server, output)
    const password = randomBytes(12).toString('hex')
    const user = ['--username', 'acme', '--password', password, '--email', 'acme@example.com']
    await tool('admin', 'user', 'create', ...user, '--admin', '--must-change-password=false')
    const token = await tool('admin', 'user', 'generate-access-token', '--username', 'acme', '--scopes', 'all', '--raw')
    const registrationToken = await tool('actions', 'generate-runner-token')
    return { url, token, registrationToken, call: caller(`${url}/api/v1`, token), [Symbol.asyncDispose]: stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function configurationText(folder: string, files: string, port: number): string {
  return `RUN_MODE = prod
RUN_USER = root
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
WORK_PATH = ${folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
DISABLE_SSH = true
OFFLINE_MODE = true
STATIC_ROOT_PATH = ${files}
[database]
DB_TYPE = sqlite3
[security]
INSTALL_LOCK = true
SECRET_KEY = ${randomBytes(24).toString('hex')}
[actions]
ENABLED = true
[indexer]
ISSUE_INDEXER_TYPE = db
[service]
DISABLE_REGISTRATION = true
[log]
LEVEL = Warn
`
}

function caller(api: string, token: string) {
  return async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers = { authorization: `token ${token}`, 'content-type': 'application/json' }
    const answer = await fetch(api + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: HTTP ${answer.status}: ${text}`)
    return (text === '' ? undefined : JSON.parse(text)) as T
  }
}

async function answering(url: string, server: ChildProcess, output: readonly string[]): Promise<void> {
  const deadline = Date.now() + 120_000
  while (Date.now() < deadline && server.exitCode === null) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return
    await pause(200)
  }
  throw new Error(`Gitea does not answer at ${url}:\n${output.join('').slice(-2000)}`)
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve()
  return new Promise((resolve) => {
    child.on('close', () => resolve())
    child.kill('SIGKILL')
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
