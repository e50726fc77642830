import { execFile } from 'node:child_process'
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type CodeSplittingGroup, type OutputChunk, type Plugin, rolldown } from 'rolldown'
import { lateBuiltins, standIns } from './stand-ins.ts'

/**
 * Bundles the action and its command line under `dist`, reproducible byte for byte, so that the committed bundle can be
 * checked against the source. `--out DIR` writes somewhere else than `dist`.
 *
 * rolldown leaves out what nothing calls and puts what is needed together into the same part; ncc makes of the parts what the
 * runner starts: `main/index.js` with what every run needs, and beside it one file for each thing that a run may come to need,
 * loaded with `import()`. `cli` is a package of its own, in one file.
 */

const root = fileURLToPath(new URL('..', import.meta.url))

const entries = { main: 'src/main.ts', cli: 'src/cli.ts' }

/**
 * The files beside the entry points, each for what is needed at the same time. A module goes into the first that takes it or
 * a module that imports it.
 */
const parts: readonly CodeSplittingGroup[] = [
  { name: 'base', tags: ['$initial'], test: (id) => !id.endsWith('/src/main.ts') },
  { name: 'proxies', test: /\/undici\/lib\// },
  { name: 'addresses', test: /\/src\/core\/addresses/ },
  { name: 'zod', test: /\/zod\// },
  { name: 'yaml', test: /\/yaml\// },
  { name: 'session', test: /\/src\/ink\/session/ },
  { name: 'git', test: /\/src\/source\/(?!lfs)/ },
  { name: 'summary', test: /\/src\/report\/(?:markdown|summary)/ },
  { name: 'flows', test: /\/src\/(?:flows|ink\/platform|report|watch\/(?!requests))/ },
  { name: 'github', test: /\/src\/github\// },
  { name: 'database', test: /\/@libsql\// },
]

/** Bundles everything into `out`, replacing what is there once all of it is built. */
async function build(out: string): Promise<void> {
  await mkdir(dirname(out), { recursive: true })
  const fresh = await mkdtemp(`${out}-`)
  try {
    for (const name of Object.keys(entries)) await bundle(fresh, name as EntryName)
    await chmod(join(fresh, 'cli/index.js'), 0o755)
    await cp(join(fresh, 'main/package.json'), join(fresh, 'post/package.json'))
    await writeFile(join(fresh, 'post/index.js'), POST)
    // Temporary folders are for their owner alone; this one stays, and others start what is in it.
    await chmod(fresh, 0o755)
    await rm(out, { recursive: true, force: true })
    await rename(fresh, out)
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

type EntryName = keyof typeof entries

/** One entry point: in parts where it loads some of them late. */
async function bundle(out: string, name: EntryName): Promise<void> {
  const chunks = await chunksOf(name)
  // The names of the parts come from where they lie, seen from ncc, which is the same on every machine.
  const caches = join(root, 'node_modules/.cache')
  await mkdir(caches, { recursive: true })
  const stage = await mkdtemp(join(caches, 'bundle-'))
  try {
    for (const { fileName, code } of chunks) await writeFile(join(stage, fileName), code)
    await writeFile(join(stage, 'package.json'), '{ "type": "module" }\n')
    const arguments_ = ['build', 'index.js', '--out', join(out, name), '--target', 'es2022', '--no-cache', '--quiet']
    await promisify(execFile)(process.execPath, [NCC, ...arguments_], { cwd: stage })
    await writeFile(join(out, name, 'licenses.txt'), await licenses(chunks))
  } finally {
    await rm(stage, { recursive: true })
  }
}

/** The post step is in the bundle of `main`: it shares most of it, and the runner has downloaded that anyway. */
const POST = "process.argv[2] = 'post'\nawait import('../main/index.js')\n"

const NCC = join(root, 'node_modules/@vercel/ncc/dist/ncc/cli.js')

/** What an entry point is made of: `index.js`, and for `main` the parts that are loaded when they are needed. */
export async function chunksOf(name: EntryName): Promise<OutputChunk[]> {
  const bundler = await rolldown({
    cwd: root,
    input: { index: entries[name] },
    platform: 'node',
    treeshake: { moduleSideEffects: (id) => !QUIET.test(id) },
    transform: { target: 'node20' },
    plugins: [replaceModules(name), schemasOnDemand],
    onLog: (level, { code, message }) => {
      // What is not found is left to be found when the bundle runs, and it would not be.
      if (level === 'warn' && code !== 'INEFFECTIVE_DYNAMIC_IMPORT') throw new Error(message)
    },
  })
  const { output } = await bundler.generate({
    format: 'esm',
    minify: true,
    comments: { legal: false },
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: name === 'main' ? { groups: [...parts] } : false,
  })
  await bundler.close()
  return output.filter((file) => file.type === 'chunk')
}

/** Packages whose modules define things and do nothing else when they are loaded, without saying so. */
const QUIET = /\/node_modules\/(?:@actions\/(?:core|exec|io)|undici|zod)\//

function replaceModules(entry: EntryName): Plugin {
  return {
    name: 'replace-modules',
    resolveId(id, importer = '') {
      const name = id.replace(/^node:/, '')
      return ALWAYS.test(importer) && lateBuiltins.has(name) ? BUILTIN + name : undefined
    },
    load(id) {
      if (id.startsWith(BUILTIN)) return builtin(id.slice(BUILTIN.length))
      return standIns.find(({ module, only = entry }) => only === entry && module.test(id))?.contents
    },
  }
}

/**
 * MCP's schemas are built when their module is loaded, by calls of which a bundler cannot know that they do nothing else. Told
 * so, it leaves out those that nothing asks for, which are most of them.
 */
const schemasOnDemand: Plugin = {
  name: 'schemas-on-demand',
  transform: {
    filter: { id: /\/@modelcontextprotocol\/sdk\/dist\/esm\/(?:types|shared\/auth)\.js$/ },
    handler(code) {
      const statements = this.parse(code).body.map((one) =>
        one.type === 'ExportNamedDeclaration' ? one.declaration : one,
      )
      const calls = statements
        .flatMap((one) => (one?.type === 'VariableDeclaration' ? one.declarations : []))
        .flatMap(({ init }) => (init?.type === 'CallExpression' ? [init] : []))
      // From the end, so that what is before stays where it was found.
      return calls.reduceRight((text, { start, end }) => {
        const call = `/* @__PURE__ */ (() => ${text.slice(start, end)})()`
        return text.slice(0, start) + call + text.slice(end)
      }, code)
    },
  },
}

/** What every run loads, and every deployment before its first call, as far as it asks Node for something. */
const ALWAYS =
  /\/src\/(?:main|adapters|plan\/|runner\/|source\/|core\/(?:async|workspace-file))|\/@actions\/core\/lib\/(?!summary|path-utils|platform)/
const BUILTIN = '\0builtin:'

/** All that a module of Node's exports; what nobody asks for is left out again. Classes and constants cannot wait for a call. */
async function builtin(name: string): Promise<string> {
  const exported = Object.entries((await import(`node:${name}`)) as Record<string, unknown>)
  const module = `process.getBuiltinModule('node:${name}')`
  return exported
    .filter(([one]) => one !== 'default')
    .map(([one, value]) =>
      typeof value === 'function' && /^[a-z]/.test(one)
        ? `export const ${one} = (...args) => ${module}.${one}(...args)`
        : `export const ${one} = /* @__PURE__ */ (() => ${module}.${one})()`,
    )
    .join('\n')
}

/** The licences of all packages of which something is in the bundle. */
async function licenses(chunks: readonly OutputChunk[]): Promise<string> {
  const folders = chunks.flatMap(({ modules }) =>
    Object.entries(modules).flatMap(([id, { renderedLength }]) =>
      renderedLength === 0 ? [] : (/.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id)?.[0] ?? []),
    ),
  )
  const texts = await Promise.all([...new Set(folders)].map(licenseOf))
  return [...new Set(texts)].sort().join('\n')
}

async function licenseOf(folder: string): Promise<string> {
  const { name, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Record<string, string>
  const file = (await readdir(folder)).sort().find((one) => /^(?:licen[cs]e|copying)(?:\.|$)/i.test(one))
  const text = file === undefined ? '' : await readFile(join(folder, file), 'utf8')
  return `${name}\n${license}\n${text.replaceAll('\r\n', '\n').trim()}\n`
}

async function main(argv: readonly string[]): Promise<void> {
  const at = argv.indexOf('--out')
  await build(at === -1 ? join(root, 'dist') : (argv[at + 1] ?? join(root, 'dist')))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2))
