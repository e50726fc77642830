import { spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transform } from 'esbuild'

/**
 * Bundles the action and its command line: one directory under `dist` for each entry point, reproducible byte for byte, so that the
 * committed bundle can be checked against the source. `--out DIR` writes somewhere else than `dist`.
 */

const root = fileURLToPath(new URL('..', import.meta.url))
const bundler = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js')
const compiler = join(root, 'node_modules/typescript/bin/tsc')
// Always the same folder: the bundler derives the numbers of its modules from their paths.
const compiled = join(root, 'node_modules/.cache/ink-deploy')
const entryPoints = [
  { source: join(compiled, 'main.js'), name: 'main' },
  { source: join(compiled, 'post.js'), name: 'post' },
  { source: join(compiled, 'cli.js'), name: 'cli' },
]

/**
 * Bundles all entry points into `out`, replacing what is there once everything is built.
 * @throws Error when the bundler fails or leaves a module out
 */
export async function build(out: string): Promise<void> {
  await mkdir(dirname(out), { recursive: true })
  const fresh = await mkdtemp(`${out}-`)
  try {
    await compile()
    await Promise.all(entryPoints.map(({ source, name }) => bundle(source, join(fresh, name), name === 'cli')))
    // Temporary folders are for their owner alone; this one stays, and others start what is in it.
    await chmod(fresh, 0o755)
    await rm(out, { recursive: true, force: true })
    await rename(fresh, out)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

/**
 * Compiles once for all entry points, without checking types, which is a step of its own: the bundler's own loader
 * would do both for each of them, and for every file of the project.
 */
async function compile(): Promise<void> {
  await rm(compiled, { recursive: true, force: true })
  await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', compiled])
}

async function bundle(source: string, directory: string, smallest: boolean): Promise<void> {
  // The cache would let yesterday's modules into today's bundle.
  const settings = ['--minify', '--no-cache', '--license', 'licenses.txt']
  await run(process.execPath, [bundler, 'build', source, '-o', directory, ...settings])
  const file = join(directory, 'index.js')
  const code = await readFile(file, 'utf8')
  // The bundler ends well with this in place of a module that it could not find; the action would fail when started.
  if (code.includes('webpackMissingModule')) throw new Error(`the bundle of ${source} lacks a module`)
  // The bundler keeps the names of all functions, which nobody reads in the package that npx fetches.
  if (smallest) await writeFile(file, (await transform(code, { minify: true, format: 'esm', target: 'node20' })).code)
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    const said: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) return resolve()
      reject(new Error(`${args[1]} ${args[2]} ended with ${code}:\n${Buffer.concat(said).toString()}`))
    })
  })
}

async function main(argv: readonly string[]): Promise<void> {
  const at = argv.indexOf('--out')
  await build(at === -1 ? join(root, 'dist') : (argv[at + 1] ?? join(root, 'dist')))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
