/**
 * Finds the services of a repository by the files that lie in it, and what each needs said so that it can be built and
 * answers. It knows paths and reads a few files; it guesses nothing that it cannot give a reason for.
 */
import { configFile, manifestAt, nodeIn } from './detect-node.ts'
import { at, type FileTree, type Found, has } from './file-tree.ts'

/** Something that runs. */
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
  return tree.paths.includes('pnpm-workspace.yaml') || manifestAt(tree, '.')?.workspaces !== undefined
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
  const label = (text: string) =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .slice(0, 40)
      .replaceAll(/^-+|-+$/g, '') || 'web'
  const short = services.map(({ root }) => label(root.split('/').at(-1) ?? ''))
  return services.map((service, index) => {
    const shared = short.filter((name) => name === short[index]).length > 1
    return { ...service, name: shared ? label(service.root) : (short[index] ?? 'web') }
  })
}

/** What one directory has, whatever lies around it. */
export function detectIn(tree: FileTree, folder: string): Found | undefined {
  return (
    dockerfileIn(tree, folder) ??
    nodeIn(tree, folder) ??
    pythonIn(tree, folder) ??
    goIn(tree, folder) ??
    rubyIn(tree, folder) ??
    staticIn(tree, folder)
  )
}

function dockerfileIn(tree: FileTree, folder: string): Found | undefined {
  const text = tree.read(at(folder, 'Dockerfile'))
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

function pythonIn(tree: FileTree, folder: string): Found | undefined {
  const needs = ['requirements.txt', 'pyproject.toml', 'Pipfile']
    .map((name) => tree.read(at(folder, name)))
    .filter((text) => text !== undefined)
    .join('\n')
    .toLowerCase()
  if (needs === '') return undefined
  const gunicorn = /\bgunicorn\b/.test(needs)
  if (has(tree, folder, 'mkdocs.yml') && /\bmkdocs\b/.test(needs)) {
    const out = /^site_dir:\s*['"]?([\w./-]+)/m.exec(tree.read(at(folder, 'mkdocs.yml')) ?? '')?.[1] ?? 'site'
    return siteOf('a MkDocs site', 'mkdocs build', out, 'there is mkdocs.yml')
  }
  if (has(tree, folder, 'manage.py')) return djangoIn(tree, folder, gunicorn)
  for (const file of pythonFiles) {
    const text = tree.read(at(folder, file)) ?? ''
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

function djangoIn(tree: FileTree, folder: string, gunicorn: boolean): Found {
  const wsgi = tree.paths.find(
    (path) => path.startsWith(folder === '.' ? '' : `${folder}/`) && path.endsWith('/wsgi.py'),
  )
  const module = wsgi
    ?.slice(folder === '.' ? 0 : folder.length + 1)
    .replace(/\.py$/, '')
    .replaceAll('/', '.')
  const start =
    gunicorn && /^[\w.]+$/.test(module ?? '')
      ? `gunicorn ${module} --bind 0.0.0.0:$PORT`
      : 'python manage.py runserver 0.0.0.0:$PORT'
  return { kind: 'a Django app', settings: { start }, reasons: ['there is manage.py'] }
}

function rubyIn(tree: FileTree, folder: string): Found | undefined {
  if (!/^\s*gem ['"](?:jekyll|github-pages)['"]/m.test(tree.read(at(folder, 'Gemfile')) ?? '')) return undefined
  return siteOf('a Jekyll site', 'bundle exec jekyll build', '_site', 'the Gemfile has Jekyll')
}

function siteOf(kind: string, command: string, publish: string, reason: string): Found {
  const settings = { 'build.pack': 'railpack', 'build.command': command, 'build.publish': publish }
  return { kind, settings, reasons: [`${reason}, and what the build leaves in ${publish} is served`] }
}

function goIn(tree: FileTree, folder: string): Found | undefined {
  if (!has(tree, folder, 'go.mod')) return undefined
  return { kind: 'a Go program', settings: {}, reasons: ['there is go.mod'] }
}

function staticIn(tree: FileTree, folder: string): Found | undefined {
  // Directories with such names hold what a program or a build makes of them.
  if (!has(tree, folder, 'index.html') || /(^|\/)(src|templates|public|static)$/.test(folder)) return undefined
  return {
    kind: 'a static site',
    settings: { 'build.pack': 'static' },
    reasons: ['there is index.html and nothing else'],
  }
}

/** `ink.yml` with these services. Values stand in quotes where YAML could read them as something else. */
export function inkFileOf(services: readonly FoundService[]): string {
  const lines = services.flatMap(({ name, root, kind, settings }) => {
    const given = { ...(root === '.' ? {} : { root }), ...settings }
    if (Object.keys(given).length === 0) return [`  ${name}: {} # ${kind}: ml.ink finds out the rest`]
    return [`  ${name}: # ${kind}`, ...nested(given, '    ')]
  })
  return [`# yaml-language-server: $schema=${schemaUrl}`, 'services:', ...lines, ''].join('\n')
}

const schemaUrl = 'https://raw.githubusercontent.com/OWNER/ink-deploy/v1/ink.schema.json'

function nested(settings: Readonly<Record<string, string>>, indent: string): string[] {
  const groups = new Map<string, Record<string, string>>()
  const lines: string[] = []
  for (const [key, value] of Object.entries(settings)) {
    const [group = '', below] = key.split('.')
    if (below === undefined) lines.push(`${indent}${key}: ${scalar(value)}`)
    else groups.set(group, { ...groups.get(group), [below]: value })
  }
  for (const [group, below] of groups) {
    const pairs = Object.entries(below).map(([key, value]) => `${key}: ${scalar(value)}`)
    lines.push(`${indent}${group}: { ${pairs.join(', ')} }`)
  }
  return lines
}

function scalar(value: string): string {
  return /^[A-Za-z./][\w./ -]*$/.test(value) && !/^(true|false|null|yes|no|on|off)$/i.test(value)
    ? value
    : /^\d{1,5}$/.test(value)
      ? value
      : JSON.stringify(value)
}
