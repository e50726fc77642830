import { execFile, execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../node_modules/.cache/go', import.meta.url))

export interface GoProgram {
  /** Its module, such as `github.com/nektos/act`. */
  readonly module: string
  readonly version: string
  readonly name: string
  readonly tags?: string
  /** Keeps the module's files beside the program, in `files`: templates, translations. */
  readonly keepFiles?: boolean
}

export interface BuiltProgram {
  readonly executable: string
  /** Where the module's own files are, with `keepFiles`. */
  readonly files: string
}

/** Why programs written in Go cannot be built here, or `undefined` when they can. */
export function whyNoGo(): string | undefined {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'There is no Go here (https://go.dev/dl), so what is built with it is skipped.'
  }
}

/**
 * Builds a program from the Go module proxy, once; later runs find it under `node_modules/.cache/go`.
 * The first build takes a minute for a small program, and twenty on a small machine for a large one.
 */
export async function goProgram(program: GoProgram): Promise<BuiltProgram> {
  const folder = join(cache, `${program.name}-${program.version}`)
  const built = { executable: join(folder, program.name), files: join(folder, 'files') }
  if (existsSync(built.executable)) return built
  const draft = `${folder}.draft-${process.pid}`
  await rm(draft, { recursive: true, force: true })
  await mkdir(draft, { recursive: true })
  const module = `${program.module}@${program.version}`
  const { stdout } = await run('go', ['mod', 'download', '-json', module])
  const { Dir: source } = JSON.parse(stdout) as { readonly Dir: string }
  // `go install` refuses modules that replace others; a copy of the module can be built as its authors build it.
  const copy = join(draft, 'files')
  await cp(source, copy, { recursive: true })
  await makeWritable(copy)
  const tags = program.tags === undefined ? [] : ['-tags', program.tags]
  await run('go', ['build', ...tags, '-o', join(draft, program.name), '.'], { cwd: copy, maxBuffer: 64 * 1024 * 1024 })
  if (!program.keepFiles) await rm(copy, { recursive: true })
  await rm(folder, { recursive: true, force: true })
  await rename(draft, folder)
  return built
}

/** Modules lie in Go's cache without the right to write, which copies inherit. */
async function makeWritable(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755)
  }
}
