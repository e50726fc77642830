import { appendFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ChildEnvironment, type GitSetting, withSettings } from './git-environment.ts'
import { runLocalGit } from './local-git.ts'

/** Name of the hash that a repository's objects are named by. */
export type ObjectFormat = 'sha1' | 'sha256'

export interface StoreCallOptions {
  readonly input?: Buffer | string | undefined
  /** Variables on top of the environment. */
  readonly variables?: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** A bare repository of our own, in a temporary folder. It reads the objects of others and writes only its own. */
export interface ObjectStore {
  readonly directory: string
  /** For git commands that talk to a server. */
  readonly networkEnvironment: ChildEnvironment
  /** From now on the objects in that object directory can be read here as well. */
  borrow(objectsDirectory: string): Promise<void>
  run(args: readonly string[], options: StoreCallOptions): Promise<Buffer>
  /** As `run`, for answers that are one line of ASCII. */
  line(args: readonly string[], options: StoreCallOptions): Promise<string>
}

/** Lays a bare repository out by hand: `git init` would copy templates and hooks. */
export async function createStore(
  directory: string,
  format: ObjectFormat,
  environment: ChildEnvironment,
  networkSettings: readonly GitSetting[],
): Promise<ObjectStore> {
  await mkdir(join(directory, 'objects', 'info'), { recursive: true })
  await mkdir(join(directory, 'refs', 'heads'), { recursive: true })
  await writeFile(join(directory, 'HEAD'), 'ref: refs/heads/none\n')
  await writeFile(
    join(directory, 'config'),
    format === 'sha1'
      ? '[core]\n\trepositoryformatversion = 0\n\tbare = true\n'
      : '[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = sha256\n',
  )
  // An empty list of shallow commits says nothing to a server, but makes git compare directories with every commit the
  // server has, and not only with parents, which a snapshot does not have (pack-objects --shallow).
  await writeFile(join(directory, 'shallow'), '')
  const ownEnvironment = { ...environment, GIT_DIR: directory }
  const run: ObjectStore['run'] = (args, { input, variables, signal }) =>
    runLocalGit(args, { cwd: directory, environment: { ...ownEnvironment, ...variables }, input, signal })
  return {
    directory,
    networkEnvironment: withSettings(ownEnvironment, networkSettings),
    run,
    line: async (args, options) => (await run(args, options)).toString('latin1').trim(),
    // One object directory per line, quoted as in C (gitrepository-layout(5), objects/info/alternates).
    borrow: (objectsDirectory) =>
      appendFile(join(directory, 'objects', 'info', 'alternates'), `${quotePath(Buffer.from(objectsDirectory))}\n`),
  }
}

/** Quotes a path as git reads it back from line-based input: any byte can be in a file's name, also a newline. */
export function quotePath(path: Buffer): string {
  const quoted = Array.from(path, (byte) => {
    const character = String.fromCharCode(byte)
    if (character === '"' || character === '\\') return `\\${character}`
    return byte >= 0x20 && byte < 0x7f ? character : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `"${quoted.join('')}"`
}
