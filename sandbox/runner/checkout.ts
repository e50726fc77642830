import { randomUUID } from 'node:crypto'
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { git, tryGit } from '../github/state/git.ts'

export interface CheckoutOptions {
  /** How many commits; 0 for all of them, with all branches and tags. Default: 1. */
  readonly depth?: number
  /** A branch, tag or SHA instead of the event's commit. */
  readonly ref?: string
  /** Default: true. */
  readonly persistCredentials?: boolean
  /** How they are kept: in a file of their own under RUNNER_TEMP (v6), or in `.git/config` (v4). Default: v6. */
  readonly persistStyle?: 'v6' | 'v4'
  readonly submodules?: boolean | 'recursive'
  /** A directory within the workspace. */
  readonly path?: string
}

export interface CheckoutTarget {
  readonly workspace: string
  readonly temp: string
  readonly home: string
  readonly serverUrl: string
  readonly fullName: string
  readonly token: string
  readonly sha: string
  readonly ref: string
}

/** A token as it stands in git's `Authorization: basic` header. Checkout registers it as a secret. */
export function basicCredential(token: string): string {
  return Buffer.from(`x-access-token:${token}`).toString('base64')
}

/** Lays out the workspace as `actions/checkout` does: shallow, detached on a pull request, credentials where it leaves them. */
export async function checkOut(target: CheckoutTarget, options: CheckoutOptions): Promise<void> {
  const directory = options.path === undefined ? target.workspace : join(target.workspace, options.path)
  await mkdir(directory, { recursive: true })
  const run = (...args: string[]) => git(directory, args, { env: { HOME: target.home } })
  await run('init', '--quiet')
  const forget = await configure(directory, target, options.persistStyle ?? 'v6')
  const { refspecs, start, branch } = await plan(directory, target, options)
  const depth = options.depth ?? 1
  const history = depth > 0 ? ['--no-tags', `--depth=${depth}`] : []
  await run(
    '-c',
    'protocol.version=2',
    // There is nothing to tidy up in what is thrown away, and git would start a process to find that out.
    '-c',
    'maintenance.auto=false',
    'fetch',
    '--quiet',
    '--prune',
    '--no-recurse-submodules',
    ...history,
    'origin',
    ...refspecs,
  )
  await run('checkout', '--quiet', '--force', ...(branch === undefined ? [start] : ['-B', branch, start]))
  if (options.submodules) await updateSubmodules(directory, target, options, depth)
  if (options.persistCredentials === false) await forget()
}

interface FetchPlan {
  readonly refspecs: readonly string[]
  readonly start: string
  readonly branch: string | undefined
}

async function plan(directory: string, target: CheckoutTarget, options: CheckoutOptions): Promise<FetchPlan> {
  const everything = options.depth === 0 ? ['+refs/heads/*:refs/remotes/origin/*', '+refs/tags/*:refs/tags/*'] : []
  if (options.ref !== undefined && /^[0-9a-f]{40}$/.test(options.ref)) {
    return { refspecs: everything.length > 0 ? everything : [options.ref], start: options.ref, branch: undefined }
  }
  const wanted = options.ref === undefined ? target.ref : await qualified(directory, target, options.ref)
  // The event's commit by its SHA, so that a push in between does not change what is checked out.
  const source = options.ref === undefined ? target.sha : wanted
  const name = wanted.replace(/^refs\/(heads|tags|pull)\//, '')
  if (wanted.startsWith('refs/heads/')) {
    const start = `refs/remotes/origin/${name}`
    return { refspecs: [...everything, `+${source}:${start}`], start, branch: name }
  }
  const local = wanted.startsWith('refs/pull/') ? `refs/remotes/pull/${name}` : `refs/tags/${name}`
  return { refspecs: [...everything, `+${source}:${local}`], start: local, branch: undefined }
}

async function qualified(directory: string, target: CheckoutTarget, ref: string): Promise<string> {
  if (ref.startsWith('refs/')) return ref
  const branch = await tryGit(directory, ['ls-remote', '--exit-code', 'origin', `refs/heads/${ref}`], {
    env: { HOME: target.home },
  })
  return branch.exitCode === 0 ? `refs/heads/${ref}` : `refs/tags/${ref}`
}

/**
 * Writes what checkout sets with a git each time, gives git the token, and returns how to take that away again.
 * Source: actions/checkout v6, `git-auth-helper` (`includeIf.gitdir` and a credentials file); v4 wrote the header into `.git/config`.
 */
async function configure(directory: string, target: CheckoutTarget, style: 'v6' | 'v4'): Promise<() => Promise<void>> {
  const config = join(directory, '.git', 'config')
  const url = `${target.serverUrl}/${target.fullName}`
  const remote = `[remote "origin"]\n\turl = ${url}\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n[gc]\n\tauto = 0\n`
  const header = `[http "${target.serverUrl}/"]\n\textraheader = AUTHORIZATION: basic ${basicCredential(target.token)}\n`
  const file = join(target.temp, `git-credentials-${randomUUID()}.config`)
  if (style === 'v6') await writeFile(file, header, { mode: 0o600 })
  const credentials = style === 'v6' ? includes(directory, target, file) : header
  await appendFile(config, remote + credentials)
  return async () => {
    await writeFile(config, (await readFile(config, 'utf8')).replace(credentials, ''))
    await rm(file, { force: true })
  }
}

/** For the host and, as checkout cannot know who will use it, for containers. */
function includes(directory: string, target: CheckoutTarget, file: string): string {
  const inContainer = join('/github/workspace', directory.slice(target.workspace.length), '.git')
  const containerFile = join('/github/runner_temp', file.slice(target.temp.length))
  const pairs = [
    [join(directory, '.git'), file],
    [inContainer, containerFile],
  ]
  // With slashes, as checkout writes them on Windows too: to git a backslash is half of a character. Quoted as git does.
  return pairs
    .map((paths) => paths.map((path) => path.replaceAll(sep, '/')))
    .flatMap(([gitDir, path = '']) => {
      const value = /[#;]/.test(path) ? `"${path}"` : path
      return [gitDir, `${gitDir}/worktrees/*`].map((where) => `[includeIf "gitdir:${where}"]\n\tpath = ${value}\n`)
    })
    .join('')
}

async function updateSubmodules(
  directory: string,
  target: CheckoutTarget,
  options: CheckoutOptions,
  depth: number,
): Promise<void> {
  const basic = basicCredential(target.token)
  // Through the environment: a token among the arguments could be read by every process.
  const env = {
    HOME: target.home,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${target.serverUrl}/.extraheader`,
    GIT_CONFIG_VALUE_0: `AUTHORIZATION: basic ${basic}`,
  }
  const recursive = options.submodules === 'recursive' ? ['--recursive'] : []
  const shallow = depth > 0 ? [`--depth=${depth}`] : []
  await git(directory, ['submodule', 'sync', '--quiet', ...recursive], { env })
  await git(directory, ['submodule', 'update', '--quiet', '--init', '--force', ...shallow, ...recursive], { env })
}
