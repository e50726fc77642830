// Services by the files of a repository, and what each needs said to be built and to answer; each guess with its reason.

import type { ProductionPlan } from '../plan.ts'
import { configFile, directoryIn, type FileTree, type Found, manifestIn, nodeIn, siteIn } from './detect-node.ts'

export interface FoundService extends Found {
  readonly name: string
  /** Its directory; `.` for the root. */
  readonly root: string
}

/** All services of a repository: the one at its root, or those in its directories. */
export function detectServices(tree: FileTree): FoundService[] {
  const root = detectIn(tree, '.')
  const workspaces = isWorkspaceRoot(tree)
  if (root && !workspaces) return [{ ...root, name: 'web', root: '.' }]
  const found = foldersOf(tree).flatMap((folder) => {
    const service = detectIn(tree, folder)
    return service ? [{ ...service, name: '', root: folder }] : []
  })
  // What lies within a service belongs to it.
  const outermost = found.filter(({ root: folder }) => !found.some((other) => folder.startsWith(`${other.root}/`)))
  if (outermost.length === 0 && root) return [{ ...root, name: 'web', root: '.' }]
  return named(outermost)
}

/** The package that only holds others together is no service. */
function isWorkspaceRoot(tree: FileTree): boolean {
  return tree.paths.includes('pnpm-workspace.yaml') || manifestIn(tree)?.workspaces !== undefined
}

const deepest = 3
const passedOver = /(^|\/)(node_modules|\.[^/]*|tests?|examples?|fixtures|docs?|dist|build|vendor|__pycache__)(\/|$)/

function foldersOf({ paths }: FileTree): string[] {
  const folders = paths.flatMap((path) => {
    const parts = path.split('/').slice(0, -1)
    return parts.map((_part, index) => parts.slice(0, index + 1).join('/'))
  })
  return [...new Set(folders)].filter((one) => one.split('/').length <= deepest && !passedOver.test(one)).sort()
}

/** Names as `ink.yml` allows them, by the last part of the directory, or by all of it where two share that. */
function named(services: readonly FoundService[]): FoundService[] {
  const label = (text: string) => {
    const plain = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
    return plain.slice(0, 40).replaceAll(/^-+|-+$/g, '') || 'web'
  }
  const short = services.map(({ root }) => label(root.split('/').at(-1) ?? ''))
  return services.map((service, index) => {
    const shared = short.filter((name) => name === short[index]).length > 1
    return { ...service, name: shared ? label(service.root) : (short[index] ?? 'web') }
  })
}

/** What one directory has, whatever lies around it. */
export function detectIn(tree: FileTree, folder: string): Found | undefined {
  const directory = directoryIn(tree, folder)
  for (const look of [dockerfileIn, nodeIn, pythonIn, goIn, rubyIn, staticIn]) {
    const found = look(directory, folder)
    if (found) return found
  }
  return undefined
}

function dockerfileIn(tree: FileTree): Found | undefined {
  const text = tree.read('Dockerfile')
  if (text === undefined) return undefined
  const port = /^EXPOSE\s+(\d{1,5})/im.exec(text)?.[1]
  return {
    kind: 'an image of your own',
    settings: { 'build.pack': 'dockerfile', ...(port === undefined ? {} : { port }) },
    reasons: ['there is a Dockerfile', ...(port === undefined ? [] : [`it exposes port ${port}`])],
  }
}

/** Where an app of Python is looked for. */
const pythonFiles = ['main.py', 'app.py', 'server.py', 'wsgi.py', 'app/main.py', 'src/main.py', 'app/__init__.py']
const toldBy =
  /^(?:package\.json|angular\.json|Dockerfile|requirements\.txt|pyproject\.toml|Pipfile|Gemfile|mkdocs\.yml|index\.html)$/

/** Whether the contents of a file in the directory of a service decide anything. */
export function decides(name: string): boolean {
  return toldBy.test(name) || configFile.test(name) || pythonFiles.includes(name)
}

function pythonIn(tree: FileTree): Found | undefined {
  const needs = ['requirements.txt', 'pyproject.toml', 'Pipfile']
    .map((name) => tree.read(name))
    .filter((text) => text !== undefined)
    .join('\n')
    .toLowerCase()
  if (needs === '') return undefined
  const gunicorn = /\bgunicorn\b/.test(needs)
  if (tree.paths.includes('mkdocs.yml') && /\bmkdocs\b/.test(needs)) {
    const out = /^site_dir:\s*['"]?([\w./-]+)/m.exec(tree.read('mkdocs.yml') ?? '')?.[1] ?? 'site'
    return siteOf('a MkDocs site', 'mkdocs build', out, 'there is mkdocs.yml')
  }
  if (tree.paths.includes('manage.py')) return djangoIn(tree, gunicorn)
  for (const file of pythonFiles) {
    const text = tree.read(file) ?? ''
    const [, app, framework] = /^(\w+)\s*(?::[^=\n]+)?=\s*(FastAPI|Flask)\(/m.exec(text) ?? []
    if (app === undefined) continue
    const module = file.replace(/(\/__init__)?\.py$/, '').replaceAll('/', '.')
    const answersAtRoot = new RegExp(`@${app}\\.(get|route)\\(\\s*["']/["']`).test(text)
    const reasons = [`${file} makes a ${framework} app called ${app}`]
    if (framework === 'FastAPI') {
      const settings = { start: `uvicorn ${module}:${app} --host 0.0.0.0 --port $PORT` }
      if (answersAtRoot) return { kind: 'a FastAPI app', settings, reasons }
      reasons.push('it does not answer at /, so its documentation at /docs is asked for')
      return { kind: 'a FastAPI app', settings: { ...settings, 'health.path': '/docs' }, reasons }
    }
    const start = gunicorn
      ? `gunicorn ${module}:${app} --bind 0.0.0.0:$PORT`
      : `flask --app ${module}:${app} run --host 0.0.0.0 --port $PORT`
    return { kind: 'a Flask app', settings: { start }, reasons }
  }
  return undefined
}

function djangoIn(tree: FileTree, gunicorn: boolean): Found {
  const wsgi = tree.paths.find((name) => /(^|\/)wsgi\.py$/.test(name))
  const module = wsgi?.replace(/\.py$/, '').replaceAll('/', '.') ?? ''
  const start =
    gunicorn && /^[\w.]+$/.test(module)
      ? `gunicorn ${module} --bind 0.0.0.0:$PORT`
      : 'python manage.py runserver 0.0.0.0:$PORT'
  return { kind: 'a Django app', settings: { start }, reasons: ['there is manage.py'] }
}

function rubyIn(tree: FileTree): Found | undefined {
  if (!/^\s*gem ['"](?:jekyll|github-pages)['"]/m.test(tree.read('Gemfile') ?? '')) return undefined
  return siteOf('a Jekyll site', 'bundle exec jekyll build', '_site', 'the Gemfile has Jekyll')
}

function siteOf(kind: string, command: string, publish: string, reason: string): Found {
  const settings = { 'build.pack': 'railpack', 'build.command': command, 'build.publish': publish }
  return { kind, settings, reasons: [`${reason}, and what the build leaves in ${publish} is served`] }
}

function goIn(tree: FileTree): Found | undefined {
  if (!tree.paths.includes('go.mod')) return undefined
  return { kind: 'a Go program', settings: {}, reasons: ['there is go.mod'] }
}

function staticIn(tree: FileTree, folder: string): Found | undefined {
  // Directories with such names hold what a program or a build makes of them.
  if (!tree.paths.includes('index.html') || /(^|\/)(src|templates|public|static)$/.test(folder)) return undefined
  return {
    kind: 'a static site',
    settings: { 'build.pack': 'static' },
    reasons: ['there is index.html and nothing else'],
  }
}

/** How a service is created that nothing is said of, where its files leave no doubt. */
export type DetectedBuild = NonNullable<ReturnType<typeof detectBuild>>

/** Whether anybody has said how the service is to be built or started; then nothing is detected. */
export function isBuildSaid(plan: Pick<ProductionPlan, 'build' | 'directory' | 'variables'>): boolean {
  const { buildPack, buildCommand, startCommand, publishDirectory, dockerfilePath } = plan.build
  const said = [buildPack, buildCommand, startCommand, publishDirectory, dockerfilePath, plan.directory]
  const names = [...plan.variables.keys()]
  // Such variables configure the builder itself.
  return said.some((one) => one !== undefined) || names.some((name) => /^(RAIL|NIX)PACKS?_/.test(name))
}

/** Those files of a directory by whose contents anything is decided: few, however large the tree is. */
export function decidingFiles(paths: ReadonlySet<string>, folder: string): string[] {
  const start = folder === '.' ? '' : `${folder}/`
  return [...paths].filter((path) => path.startsWith(start) && decides(path.slice(start.length)))
}

/** They say how to build, or what to start, without a setting. */
const builderFiles = ['Procfile', 'railpack.json', 'railpack.toml', 'nixpacks.toml', 'Staticfile']
const serverFiles = ['server', 'index', 'main', 'app'].flatMap((name) => [`${name}.js`, `${name}.mjs`, `${name}.ts`])

/** The settings that a directory's files call for: those of a Dockerfile, or of an app that is but files once it is built. */
export function detectBuild(tree: FileTree, folder: string) {
  const directory = directoryIn(tree, folder)
  if (builderFiles.some((name) => directory.paths.includes(name))) return undefined
  const { settings = {}, reasons: [reason] = [] } = detectIn(tree, folder) ?? {}
  const { 'build.pack': buildPack, 'build.command': buildCommand, 'build.publish': publishDirectory } = settings
  if (buildPack === undefined) return undefined
  if (buildPack !== 'dockerfile' && (publishDirectory === undefined || !leavesNoDoubt(directory))) return undefined
  const said = [
    `pack: ${buildPack}`,
    ...(publishDirectory === undefined ? [] : [`command: ${buildCommand}`, `publish: ${publishDirectory}`]),
  ].join(', ')
  return {
    settings: { buildPack, buildCommand, publishDirectory },
    sentence: `Nothing says how to build it, and ${reason}: created with \`build: { ${said} }\`, which stays until ink.yml says otherwise.`,
  }
}

/** Whether a site is built as its tool does as a rule, and nothing beside it looks like a server. */
function leavesNoDoubt(tree: FileTree): boolean {
  // What the page loads runs in browsers.
  const page = tree.read('index.html') ?? ''
  const hasServer = serverFiles.some((name) => tree.paths.includes(name) && !page.includes(name))
  return !hasServer && !isWorkspaceRoot(tree) && siteIn(tree)?.usual === true
}

/** What to set so that it starts, for a failure that may come of its not being set. */
export function startAdvice(tree: FileTree, folder: string): string | undefined {
  const { settings = {}, reasons: [reason] = [] } = detectIn(tree, folder) ?? {}
  const { start, 'build.publish': publish, 'health.path': path } = settings
  if (publish !== undefined)
    return `The build leaves \`${publish}/\`; set \`build: { publish: ${publish} }\` in ink.yml to have it served (${reason}).`
  if (start === undefined) return undefined
  const health = path === undefined ? '' : ` and \`health: { path: ${path} }\``
  return `Set \`start: ${start}\`${health} in ink.yml (${reason}).`
}
