import { spawn } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { type GitObject, readObject } from './object-reader.ts'

/** One file of a commit: its text or bytes, `null` to delete it, or an entry with a mode of its own. */
export type FileContent =
  | string
  | Buffer
  | null
  | { readonly mode: '100644' | '100755' | '120000'; readonly content: string | Buffer }
  | { readonly mode: '160000'; readonly commit: string }

export interface CommitOptions {
  readonly branch: string
  readonly files: Readonly<Record<string, FileContent>>
  readonly message: string
  readonly author?: { readonly name: string; readonly email: string }
  /** The commit to build on; `null` starts a history of its own. Default: the branch's tip, if it exists. */
  readonly parent?: string | null
  readonly date?: Date
}

export interface GitRun {
  readonly exitCode: number
  readonly stdout: Buffer
  readonly stderr: string
}

/** An environment in which nobody's own git configuration can be seen. */
export function isolatedGitEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '/usr/bin:/bin',
    LC_ALL: 'C.UTF-8',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...extra,
  }
}

/** Runs git in a directory and returns whatever it did; only a failure to start it is an error. */
export function tryGit(
  directory: string,
  args: readonly string[],
  options: { readonly input?: string | Buffer; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<GitRun> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', [...args], { cwd: directory, env: isolatedGitEnvironment(options.env) })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ exitCode: code ?? 128, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString('utf8') }),
    )
    // git may exit before it has read everything; its exit code says why.
    child.stdin.on('error', () => undefined)
    child.stdin.end(options.input)
  })
}

/** Runs git in a directory and returns its trimmed output. A non-zero exit is an error with git's own words. */
export async function git(
  directory: string,
  args: readonly string[],
  options: { readonly input?: string | Buffer; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const run = succeeded(await tryGit(directory, args, options), args)
  return run.stdout.toString('utf8').replace(/\n$/, '')
}

/** A run that went well. Any other is an error with git's own words. */
export function succeeded(run: GitRun, args: readonly string[] = []): GitRun {
  if (run.exitCode !== 0) throw new Error(`git ${args.join(' ')} failed (${run.exitCode}): ${run.stderr.trim()}`)
  return run
}

/** Makes a bare repository which, as GitHub's do, serves partial clones and any commit that is asked for. */
export async function initBare(directory: string, defaultBranch: string): Promise<void> {
  await git('/', ['init', '--quiet', '--bare', '--template=', `--initial-branch=${defaultBranch}`, directory])
  await writeServingConfiguration(directory)
}

/** Makes a bare copy of a repository with the same objects and branches: a fork. */
export async function forkBare(source: string, directory: string): Promise<void> {
  await git('/', ['clone', '--quiet', '--bare', '--no-hardlinks', source, directory])
  await writeServingConfiguration(directory)
}

async function writeServingConfiguration(directory: string): Promise<void> {
  const settings = [
    ['http.receivepack', 'true'],
    ['uploadpack.allowFilter', 'true'],
    ['uploadpack.allowAnySHA1InWant', 'true'],
    ['receive.shallowUpdate', 'true'],
    ['gc.auto', '0'],
    ['receive.autogc', 'false'],
    // A commit comes as a pack and stays one: to unpack it takes a process.
    ['fastimport.unpackLimit', '1'],
  ] as const
  const text = settings.map(([key, value]) => {
    const [section, name] = key.split('.')
    return `[${section}]\n\t${name} = ${value}\n`
  })
  await appendFile(`${directory}/config`, text.join(''))
}

/** The commit a name stands for, or `undefined` when there is none. */
export async function resolveCommit(directory: string, name: string): Promise<string | undefined> {
  return (await readObject(directory, `${name}^{commit}`, isolatedGitEnvironment()))?.sha
}

/** What stands at a path of a commit, or `undefined` when there is no file. */
export async function readBlob(directory: string, commit: string, path: string): Promise<GitObject | undefined> {
  const found = await readObject(directory, `${commit}:${path}`, isolatedGitEnvironment())
  return found?.type === 'blob' ? found : undefined
}

/** Writes a commit into a bare repository, without a work tree, moves the branch to it and returns its SHA. */
export async function writeCommit(directory: string, options: CommitOptions): Promise<string> {
  const parent =
    options.parent === undefined ? await resolveCommit(directory, `refs/heads/${options.branch}`) : options.parent
  const when = `${Math.floor((options.date ?? new Date()).getTime() / 1000)} +0000`
  const author = options.author ?? { name: 'Ada Developer', email: 'ada@example.com' }
  const chunks: (string | Buffer)[] = [
    `commit refs/heads/${options.branch}\nmark :1\n`,
    `author ${author.name} <${author.email}> ${when}\ncommitter ${author.name} <${author.email}> ${when}\n`,
    ...dataChunk(options.message),
    parent ? `from ${parent}\n` : '',
    ...Object.entries(options.files).flatMap(([path, content]) => fileChunks(path, content)),
    'get-mark :1\ndone\n',
  ]
  const output = await git(directory, ['fast-import', '--quiet', '--done', '--force', '--date-format=raw'], {
    input: Buffer.concat(chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk))),
  })
  return output.trim()
}

function dataChunk(content: string | Buffer): (string | Buffer)[] {
  const bytes = Buffer.from(content)
  return [`data ${bytes.length}\n`, bytes, '\n']
}

function fileChunks(path: string, content: FileContent): (string | Buffer)[] {
  const quoted = `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`
  if (content === null) return [`D ${quoted}\n`]
  if (typeof content === 'string' || Buffer.isBuffer(content)) {
    return [`M 100644 inline ${quoted}\n`, ...dataChunk(content)]
  }
  if (content.mode === '160000') return [`M 160000 ${content.commit} ${quoted}\n`]
  return [`M ${content.mode} inline ${quoted}\n`, ...dataChunk(content.content)]
}

/** Merges two commits without a work tree. `undefined`: they conflict. */
export async function writeMerge(
  directory: string,
  options: { readonly base: string; readonly head: string; readonly message: string; readonly squash?: boolean },
): Promise<string | undefined> {
  const merged = await tryGit(directory, ['merge-tree', '--write-tree', '--no-messages', options.base, options.head])
  if (merged.exitCode === 1) return undefined
  if (merged.exitCode !== 0) throw new Error(`git merge-tree failed: ${merged.stderr.trim()}`)
  const tree = merged.stdout.toString('utf8').trim()
  const head = await readObject(directory, options.head, isolatedGitEnvironment())
  const [, when = ''] = /^committer .*> (\d+ [+-]\d{4})$/m.exec(head?.content.toString('latin1') ?? '') ?? []
  const parents = options.squash ? ['-p', options.base] : ['-p', options.base, '-p', options.head]
  const identity = { GIT_AUTHOR_NAME: 'GitHub', GIT_AUTHOR_EMAIL: 'noreply@github.com', GIT_AUTHOR_DATE: when }
  return git(directory, ['commit-tree', tree, ...parents, '-m', options.message], {
    env: {
      ...identity,
      GIT_COMMITTER_NAME: 'GitHub',
      GIT_COMMITTER_EMAIL: 'noreply@github.com',
      GIT_COMMITTER_DATE: when,
    },
  })
}
