import { spawn } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { layOutRepository } from '../../empty-repository.ts'
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

// As GitHub serves repositories: partial clones, and any commit that is asked for.
const serving = `[uploadpack]
	allowFilter = true
	allowAnySHA1InWant = true
[receive]
	shallowUpdate = true
	autogc = false
[gc]
	auto = 0
[fastimport]
	# A commit comes as a pack and stays one: to unpack it takes a process.
	unpackLimit = 1
`

/** Makes an empty bare repository. */
export function initBare(directory: string, defaultBranch: string): Promise<void> {
  return layOutRepository(directory, { branch: defaultBranch, bare: true, settings: serving })
}

/** Makes a bare copy of a repository with the same objects and branches: a fork. */
export async function forkBare(source: string, directory: string): Promise<void> {
  await git('/', ['clone', '--quiet', '--bare', '--no-hardlinks', source, directory])
  await appendFile(`${directory}/config`, serving)
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

const LONGEST_LINE = 50

/**
 * The commits from a tip down to another commit, without that one, the oldest first, where each has one parent. `undefined`:
 * the way branches, is long, or does not lead there. It spares most questions about a pull request a process.
 */
export async function straightLine(
  directory: string,
  tip: string,
  end: string,
): Promise<readonly string[] | undefined> {
  const line: string[] = []
  for (let sha = tip; sha !== end; ) {
    const [head = ''] = (await readCommit(directory, sha)).split('\n\n', 1)
    const [parent, ...others] = [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, one = '']) => one)
    if (parent === undefined || others.length > 0 || line.length === LONGEST_LINE) return undefined
    line.unshift(sha)
    sha = parent
  }
  return line
}

async function readCommit(directory: string, sha: string): Promise<string> {
  return (await readObject(directory, sha, isolatedGitEnvironment()))?.content.toString('latin1') ?? ''
}

/** Merges two commits without a work tree. `undefined`: they conflict. */
export async function writeMerge(
  directory: string,
  options: { readonly base: string; readonly head: string; readonly message: string; readonly squash?: boolean },
): Promise<string | undefined> {
  const tree = await mergedTree(directory, options.base, options.head)
  if (tree === undefined) return undefined
  const [, when = ''] = /^committer .*> (\d+ [+-]\d{4})$/m.exec(await readCommit(directory, options.head)) ?? []
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

/** What results from a merge; `undefined` on a conflict. */
async function mergedTree(directory: string, base: string, head: string): Promise<string | undefined> {
  if (await straightLine(directory, head, base)) return /^tree (\w+)/.exec(await readCommit(directory, head))?.[1]
  const merged = await tryGit(directory, ['merge-tree', '--write-tree', '--no-messages', base, head])
  if (merged.exitCode === 1) return undefined
  return succeeded(merged, ['merge-tree']).stdout.toString('utf8').trim()
}
