import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { BuildFailure } from './image.ts'

/** How an app is built and started, found out as Railpack does: from the files that lie there. */
export interface AppPlan {
  readonly provider: 'node' | 'python' | 'procfile' | 'staticfile' | 'shell'
  /** Shell commands in order, each with the name of its step. */
  readonly steps: readonly { readonly name: string; readonly command: string }[]
  /** The start command, or the directory to serve. */
  readonly start: { readonly command: string } | { readonly directory: string } | undefined
}

const packageJsonSchema = z.object({
  main: z.string().optional(),
  scripts: z.record(z.string(), z.string()).default({}),
  dependencies: z.record(z.string(), z.string()).default({}),
  devDependencies: z.record(z.string(), z.string()).default({}),
})

/** @param folder - the app's root directory */
export async function detectApp(folder: string): Promise<AppPlan | undefined> {
  const procfile = await readOptional(join(folder, 'Procfile'))
  const web = procfile
    ?.split('\n')
    .map((line) => /^web:\s*(\S.*)$/.exec(line)?.[1]?.trim())
    .find((line) => line !== undefined)
  const plan =
    (await detectPython(folder)) ??
    (await detectNode(folder)) ??
    (await detectStatic(folder)) ??
    (await detectShell(folder))
  if (web === undefined) return plan
  return { provider: plan?.provider ?? 'procfile', steps: plan?.steps ?? [], start: { command: web } }
}

async function detectNode(folder: string): Promise<AppPlan | undefined> {
  const text = await readOptional(join(folder, 'package.json'))
  if (text === undefined) return undefined
  const manifest = parseManifest(text)
  const needsInstall = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0
  const install = needsInstall ? [{ name: 'install', command: await installCommand(folder) }] : []
  const build = manifest.scripts.build === undefined ? [] : [{ name: 'build', command: 'npm run build' }]
  const command = await nodeStartCommand(folder, manifest)
  return { provider: 'node', steps: [...install, ...build], start: command === undefined ? undefined : { command } }
}

function parseManifest(text: string): z.infer<typeof packageJsonSchema> {
  try {
    return packageJsonSchema.parse(JSON.parse(text))
  } catch (error) {
    throw new BuildFailure(`failed to parse package.json: ${(error as Error).message.split('\n')[0]}`)
  }
}

async function installCommand(folder: string): Promise<string> {
  if (await isFile(join(folder, 'pnpm-lock.yaml'))) return 'pnpm install --frozen-lockfile'
  if (await isFile(join(folder, 'yarn.lock'))) return 'yarn install --frozen-lockfile'
  const flags = '--no-audit --no-fund --prefer-offline'
  return (await isFile(join(folder, 'package-lock.json'))) ? `npm ci ${flags}` : `npm install ${flags}`
}

async function nodeStartCommand(
  folder: string,
  manifest: z.infer<typeof packageJsonSchema>,
): Promise<string | undefined> {
  if (manifest.scripts.start !== undefined) return 'npm start'
  for (const file of [manifest.main, 'index.js', 'index.mjs', 'index.ts']) {
    if (file !== undefined && (await isFile(join(folder, file)))) return `node ${file}`
  }
  return undefined
}

/**
 * A pip of its own takes an environment longer than all the rest of a small app's build, so its `pip` is this machine's
 * where that can install elsewhere: `--python` came with pip 22.3. Like any pip there, it leaves this machine's packages alone.
 */
const makeEnvironment = [
  `host=$(python3 -c 'import pip, sys; int(pip.__version__.split(".")[0]) > 22 and print(sys.executable)' 2>/dev/null)`,
  'if [ -n "$host" ]; then "$host" -m venv --without-pip .venv',
  `printf '#!/bin/sh\\nexec "%s" -m pip --python "%s" "$@"\\n' "$host" "$PWD/.venv/bin/python" > .venv/bin/pip`,
  'chmod +x .venv/bin/pip; else python3 -m venv .venv; fi',
].join('; ')

async function detectPython(folder: string): Promise<AppPlan | undefined> {
  const requirements = await readOptional(join(folder, 'requirements.txt'))
  const main = (await isFile(join(folder, 'main.py')))
    ? 'main.py'
    : (await isFile(join(folder, 'app.py')))
      ? 'app.py'
      : undefined
  if (requirements === undefined && main === undefined) return undefined
  const needed = requirements?.split('\n').some((line) => line.trim() !== '' && !line.trim().startsWith('#')) ?? false
  const install = [
    { name: 'venv', command: makeEnvironment },
    { name: 'install', command: '.venv/bin/pip install --quiet -r requirements.txt' },
  ]
  const python = needed ? '.venv/bin/python' : 'python3'
  return {
    provider: 'python',
    steps: needed ? install : [],
    start: main === undefined ? undefined : { command: `${python} -u ${main}` },
  }
}

async function detectStatic(folder: string): Promise<AppPlan | undefined> {
  const declared = /^root:\s*(\S+)/m.exec((await readOptional(join(folder, 'Staticfile'))) ?? '')?.[1]
  if (declared !== undefined) return { provider: 'staticfile', steps: [], start: { directory: declared } }
  if (await isFile(join(folder, 'index.html'))) return { provider: 'staticfile', steps: [], start: { directory: '.' } }
  if (await isFile(join(folder, 'public', 'index.html'))) {
    return { provider: 'staticfile', steps: [], start: { directory: 'public' } }
  }
  return undefined
}

async function detectShell(folder: string): Promise<AppPlan | undefined> {
  if (!(await isFile(join(folder, 'start.sh')))) return undefined
  return { provider: 'shell', steps: [], start: { command: 'sh start.sh' } }
}

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function isFile(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isFile() ?? false
}
