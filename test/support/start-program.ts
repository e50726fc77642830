import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { node24 } from './node-24.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Program extends AsyncDisposable {
  readonly child: ChildProcess
  /** The code with which it ended. */
  readonly exited: Promise<number | null>
  /** Everything that it has said, on either stream. */
  said(): string
  /**
   * Resolves once it has said something that often.
   * @throws Error with everything said when it ends before that
   */
  hears(words: string, times?: number): Promise<void>
  /** What there is in its folder of temporary files, and the processes that have been told of that folder. */
  leftovers(): Promise<readonly string[]>
}

/**
 * Starts a program of the sandbox (`sandbox/demo.ts`), as npm does.
 * @param options.node - default: a Node 24, which starts and compiles in half the time of a Node 20
 */
export async function startProgram(
  script: string,
  args: readonly string[],
  options: { readonly node?: string; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Program> {
  const { node = await node24(), env = {} } = options
  const folder = await mkdtemp(join(tmpdir(), 'program-'))
  // Told to the program and not to tsx, which else would compile everything anew and keep that there.
  const ownFolder = `data:text/javascript,process.env.TMPDIR=${encodeURIComponent(JSON.stringify(folder))}`
  const child = spawn(node, ['--import', 'tsx', '--import', ownFolder, script, ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const listeners = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text
      for (const listener of listeners) listener()
    })
  }
  const exited = new Promise<number | null>((resolve) => child.on('close', resolve))
  return {
    child,
    exited,
    said: () => said,
    hears: (words, times = 1) =>
      new Promise((resolve, reject) => {
        const look = () => said.split(words).length > times && resolve()
        listeners.add(look)
        void exited.then(() => reject(new Error(`It ended without saying “${words}” ${times} times:\n${said}`)))
        look()
      }),
    leftovers: async () => {
      // With its environment behind each command: an app is started as `node server.js`, and has its home in that folder.
      const { stdout } = await promisify(execFile)('ps', ['axeww', '-o', 'args'], { maxBuffer: 100_000_000 })
      const processes = stdout.split('\n').filter((line) => line.includes(folder))
      return [...(await readdir(folder)), ...processes.map((line) => line.slice(0, 300))]
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
      await rm(folder, { recursive: true, force: true })
    },
  }
}
