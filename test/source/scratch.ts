import { execFile, spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { deflateSync } from 'node:zlib'
import { layOutRepository } from '../../sandbox/empty-repository.ts'

const execute = promisify(execFile)

/** A temporary folder which goes when the test ends. */
export async function scratchFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'source-test-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true, maxRetries: 3 }) }
}

/** A secret which exists in this run only. */
export function freshToken(): string {
  return `mlg_${randomBytes(16).toString('hex')}`
}

/** git as on a machine where nothing was ever configured, save that it starts no process to see whether there is to tidy up. */
export const isolated: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada Author',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_AUTHOR_DATE: '1700000000 +0130',
  GIT_COMMITTER_NAME: 'Carl Committer',
  GIT_COMMITTER_EMAIL: 'carl@example.org',
  GIT_COMMITTER_DATE: '1700000100 -0800',
  GIT_CONFIG_COUNT: '5',
  GIT_CONFIG_KEY_0: 'protocol.file.allow',
  GIT_CONFIG_VALUE_0: 'always',
  GIT_CONFIG_KEY_1: 'init.defaultBranch',
  GIT_CONFIG_VALUE_1: 'main',
  GIT_CONFIG_KEY_2: 'maintenance.auto',
  GIT_CONFIG_VALUE_2: 'false',
  GIT_CONFIG_KEY_3: 'receive.autogc',
  GIT_CONFIG_VALUE_3: 'false',
  // Not worth the time for what lies there for a moment; what travels is compressed all the same.
  GIT_CONFIG_KEY_4: 'core.looseCompression',
  GIT_CONFIG_VALUE_4: '0',
}

/** Runs git in a folder and answers its output, trimmed. */
export async function git(directory: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute('git', args, { cwd: directory, env: isolated, maxBuffer: 1 << 28 })
  return stdout.trim()
}

/** As `git`, with input, variables of its own and bytes as the answer. */
export async function gitBytes(
  directory: string,
  args: readonly string[],
  options: { input?: Buffer | string; variables?: Record<string, string> } = {},
): Promise<Buffer> {
  const child = spawn('git', args, { cwd: directory, env: { ...isolated, ...options.variables } })
  const output: Buffer[] = []
  const errors: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk))
  // Most commands do not read what they are not asked to.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${Buffer.concat(errors).toString()}`)
  return Buffer.concat(output)
}

export async function writeFiles(directory: string, files: Readonly<Record<string, string | Buffer>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, content)
  }
}

/** Writes files and commits all that there is. Answers the commit. */
export async function commitFiles(
  directory: string,
  files: Readonly<Record<string, string | Buffer>>,
  message = 'Change things',
  variables: Readonly<Record<string, string>> = {},
): Promise<string> {
  await writeFiles(directory, files)
  // A process of a test's is large, and starting another from it takes as long as what git does here.
  const both = 'git add --all && exec git commit --quiet --allow-empty --message "$0"'
  await execute('sh', ['-c', both, message], { cwd: directory, env: { ...isolated, ...variables } })
  return await headOf(directory)
}

/** From now on a work tree's repository keeps its objects in the other one, which is on a server: none need be pushed there. */
export async function keepObjectsIn(other: string, workTree: string): Promise<void> {
  const objects = join(workTree, '.git/objects')
  await rm(objects, { recursive: true })
  await symlink(join(other, 'objects'), objects)
}

/** Lets a branch stand for a commit whose objects are there. */
export async function setBranch(repository: string, branch: string, sha: string): Promise<void> {
  await writeFile(join(repository, 'refs/heads', branch), `${sha}\n`)
}

/** The commit that was just made in a work tree: from the file that git has written it to. */
export async function headOf(workTree: string): Promise<string> {
  const read = async (name: string) => (await readFile(join(workTree, '.git', name), 'utf8')).trim()
  const head = await read('HEAD')
  return head.startsWith('ref: ') ? await read(head.slice('ref: '.length)) : head
}

/** A new repository with a work tree. */
export async function newRepository(directory: string): Promise<string> {
  await layOutRepository(join(directory, '.git'), { branch: 'main', bare: false })
  return directory
}

/** Writes any object, however odd, into a work tree's repository, without a process for each. Answers its id. */
export async function writeObject(
  workTree: string,
  type: 'blob' | 'tree' | 'commit',
  content: Buffer | string,
): Promise<string> {
  const bytes = Buffer.concat([Buffer.from(`${type} ${Buffer.byteLength(content)}\0`), Buffer.from(content)])
  const id = createHash('sha1').update(bytes).digest('hex')
  const folder = join(workTree, '.git/objects', id.slice(0, 2))
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, id.slice(2)), deflateSync(bytes, { level: 1 }))
  return id
}

/** Commits a tree to the branch `main`, without a process. Answers the commit. */
export async function commitOf(workTree: string, tree: string): Promise<string> {
  const people = 'author A <a@example.org> 1700000000 +0000\ncommitter C <c@example.org> 1700000000 +0000'
  const sha = await writeObject(workTree, 'commit', `tree ${tree}\n${people}\n\nA tree\n`)
  await setBranch(join(workTree, '.git'), 'main', sha)
  return sha
}

/** One entry of a tree. */
export const treeEntry = (mode: string, name: string, id: string): Buffer =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(id, 'hex')])

/** A few trees that stand for so many files on so many levels. Answers the uppermost. */
export async function nestedTrees(workTree: string, width: number, levels: number): Promise<string> {
  let id = await writeObject(workTree, 'blob', 'x')
  for (let level = 0; level < levels; level++) {
    const entries = Array.from({ length: width }, (_, index) =>
      treeEntry(level === 0 ? '100644' : '40000', `d${index}`, id),
    )
    id = await writeObject(workTree, 'tree', Buffer.concat(entries))
  }
  return id
}
