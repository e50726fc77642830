import { jsonIn } from '../../core/http.ts'

/** A repository, or a directory of it, as far as it is looked at: paths with `/`, relative to its root. */
export interface FileTree {
  readonly paths: readonly string[]
  /** Undefined for what is not there. */
  readonly read: (path: string) => string | undefined
}

/** What a directory has that runs. */
export interface Found {
  /** What it is, for people: `a Vite app`. */
  readonly kind: string
  /** Settings by their keys below a service of `ink.yml`, such as `build.publish`. */
  readonly settings: Readonly<Record<string, string>>
  /** Why these settings, each a sentence. */
  readonly reasons: readonly string[]
}

function at(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`
}

/** A directory of a tree, as one of its own. */
export function directoryIn({ paths, read }: FileTree, folder: string): FileTree {
  const start = at(folder, '')
  const below = paths.flatMap((path) => (path.startsWith(start) ? [path.slice(start.length)] : []))
  return { paths: below, read: (name) => read(at(folder, name)) }
}

/** An object that was parsed, by its keys; an empty one for anything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

type Manifest = NonNullable<ReturnType<typeof manifestIn>>

/** What is asked of a package.json; undefined where there is none that can be read. */
export function manifestIn(tree: FileTree) {
  const manifest = jsonIn(tree.read('package.json') ?? '')
  if (manifest === undefined) return undefined
  const { scripts, dependencies, devDependencies, main, workspaces } = recordOf(manifest)
  const packages = [dependencies, devDependencies].flatMap((some) => Object.keys(recordOf(some)))
  return { scripts: recordOf(scripts), packages: new Set(packages), main, workspaces }
}

/** Where a tool that is configured says how it builds, in any of the languages that it reads. */
export const configFile =
  /^(?:\.eleventy|(?:astro|eleventy|next|quasar|react-router|svelte|vite|vue)\.config)\.[cm]?[jt]s$/

/** A tool that can leave a directory of plain files behind. */
interface SiteTool {
  readonly name: string
  readonly label: string
  readonly build: string
  /** The directory that it leaves, or how to find out; undefined where it leaves a program, or it is not known. */
  readonly out: string | ((known: Known) => string | undefined)
  /** It is a framework that is built to be a server as well: what it leaves depends on what is said in its files. */
  readonly depends?: true
  /** Its command is not what `npm run build` is for. */
  readonly apart?: true
}

interface Known {
  /** The configuration files, one after the other. */
  readonly config: string
  readonly angular: string
  /** The directory that the command is told to build; empty without. */
  readonly told: string
}

const vitePressOutput = ({ told }: Known) => at(told || '.', '.vitepress/dist')
const exported = ({ config }: Known) => (/\boutput\s*:\s*['"]export['"]/.test(config) ? 'out' : undefined)
const singlePage = ({ config }: Known) => (/\bssr\s*:\s*false\b/.test(config) ? 'build/client' : undefined)

const quasarBuild = 'quasar build(?!\\s+(?:-m|--mode)\\b)'

/** Output directories as each tool's own documentation has them; those first that build upon others. */
const siteTools: readonly SiteTool[] = [
  { name: 'next', label: 'a Next.js export', build: 'next build', out: exported, depends: true },
  { name: 'nuxt', label: 'a Nuxt site', build: 'nux[ti] generate', out: '.output/public', depends: true, apart: true },
  { name: '@sveltejs/adapter-static', label: 'a SvelteKit site', build: 'vite build', out: 'build', depends: true },
  {
    name: '@react-router/dev',
    label: 'a React Router app',
    build: 'react-router build',
    out: singlePage,
    depends: true,
  },
  { name: '@remix-run/dev', label: 'a Remix app', build: 'remix vite:build', out: singlePage, depends: true },
  { name: '@angular/cli', label: 'an Angular app', build: 'ng build', out: angularOutput, depends: true },
  { name: 'astro', label: 'an Astro site', build: 'astro build', out: 'dist' },
  { name: 'react-scripts', label: 'a Create React App', build: 'react-scripts build', out: 'build' },
  { name: '@docusaurus/core', label: 'a Docusaurus site', build: 'docusaurus build', out: 'build' },
  { name: 'vitepress', label: 'a VitePress site', build: 'vitepress build', out: vitePressOutput },
  { name: 'gatsby', label: 'a Gatsby site', build: 'gatsby build', out: 'public' },
  { name: '@vue/cli-service', label: 'a Vue CLI app', build: 'vue-cli-service build', out: 'dist' },
  { name: '@quasar/app-vite', label: 'a Quasar app', build: quasarBuild, out: 'dist/spa' },
  { name: '@quasar/app-webpack', label: 'a Quasar app', build: quasarBuild, out: 'dist/spa' },
  { name: 'ember-cli', label: 'an Ember app', build: 'ember build', out: 'dist' },
  { name: '@11ty/eleventy', label: 'an Eleventy site', build: 'eleventy', out: '_site' },
  { name: 'parcel', label: 'a Parcel app', build: 'parcel build', out: 'dist' },
  { name: 'vite', label: 'a Vite app', build: 'vite build', out: 'dist' },
  { name: 'storybook', label: 'a Storybook', build: 'storybook build', out: 'storybook-static', apart: true },
]

/**
 * What the build of the one application in `angular.json` leaves for browsers: its newer builders have a directory for it below
 * the output path, which is named after the project where nothing is said.
 * Source: angular.dev, "Angular workspace configuration"; angular-cli, `packages/angular/build/src/builders/application`.
 */
function angularOutput({ angular }: Known): string | undefined {
  const applications = Object.entries(recordOf(recordOf(jsonIn(angular)).projects)).filter(
    ([, project]) => recordOf(project).projectType !== 'library',
  )
  const [name, project] = applications[0] ?? []
  const { architect, targets = architect } = recordOf(project)
  const { builder, options } = recordOf(recordOf(targets).build)
  if (applications.length > 1 || typeof builder !== 'string') return undefined
  const { outputPath = `dist/${name}`, outputMode, ssr = false } = recordOf(options)
  if (outputMode === 'server' || (ssr !== false && outputMode === undefined)) return undefined
  const { base = outputPath, browser = builder.endsWith(':application') ? 'browser' : '' } = recordOf(outputPath)
  return [base, browser].flatMap((part) => (typeof part === 'string' && part ? part.replace(/\/$/, '') : [])).join('/')
}

/** Programs that wait for requests, and frameworks that are built to be one. */
const programs = /^(?:express|fastify|koa|hono|@nestjs\/core|@astrojs\/(?:node|vercel|netlify|cloudflare))$/
const frameworks = /^(?:next|nuxt|@sveltejs\/kit|@(?:remix-run|react-router)\/node|@angular\/ssr)$/
/** Started for development, unless it is told where to listen. */
const develops =
  /^(?:npx )?(?:@11ty\/)?(?:vite|astro|react-scripts|ng|vitepress|docusaurus|gatsby|vue-cli-service|quasar|ember|eleventy|parcel|storybook)\b(?!.*(?:\bPORT\b|--host))/
/** What the templates of frameworks start, whatever the app is built to be. */
const serves = /^(?:next|react-router-serve|remix-serve)\b/

/**
 * The app in a directory that is but files once built: the script that builds it, the directory that it leaves, and whether
 * nothing says that it may be built elsewhere (`usual`). Undefined for a program, and for what nothing builds.
 */
export function siteIn(tree: FileTree) {
  const { scripts = {}, packages = new Set<string>() }: Partial<Manifest> = manifestIn(tree) ?? {}
  const tool = siteTools.find(({ name }) => packages.has(name))
  if (!tool || [...packages].some((name) => programs.test(name) || (!tool.depends && frameworks.test(name))))
    return undefined
  const start = startIn(scripts)
  if (start !== undefined && !(tool.depends && serves.test(start))) return undefined
  const command = new RegExp(`(?<![\\w-])${tool.build}(?=$|[\\s&;|"'])\\s*([\\w./][\\w./-]*)?`)
  const builds = Object.entries(scripts).flatMap(([name, text]) =>
    typeof text === 'string' && command.test(text) && !/--(?:serve|watch)\b/.test(text) ? [{ name, text }] : [],
  )
  const own = builds.find(({ name }) => name === 'build') ?? builds[0]
  const script = typeof scripts.build === 'string' && !tool.apart ? 'build' : own?.name
  const [, told = ''] = command.exec(own?.text ?? '') ?? []
  const config = configIn(tree)
  const angular = tree.read('angular.json') ?? ''
  const out = typeof tool.out === 'string' ? tool.out : tool.out({ config, told, angular })
  // They come from the repository, and go into commands and messages.
  if (![script, out].every((text) => text !== undefined && /^(?!.*\.\.)[\w.@][\w.@:/-]*$/.test(text))) return undefined
  const usual =
    own !== undefined &&
    (told === '' || tool.out === vitePressOutput) &&
    !redirected.test(config) &&
    !builds.some(({ text }) => elsewhere.test(text))
  return { name: tool.name, label: tool.label, script: `${script}`, out: `${out}`, usual }
}

/** How it is started, other than for development. */
function startIn({ start }: Manifest['scripts']): string | undefined {
  return typeof start === 'string' && !develops.test(start.trim()) ? start.trim() : undefined
}

const elsewhere = /\s(?:--(?:out-?dir|dist-dir|dest|config|root|ssr)\b|--output(?:-path)?(?=[\s=])|-[co]\b)/i
const redirected =
  /\b(?:outDir|distDir|outputDir|buildDirectory|root|lib|dir)\s*:|\bssr\s*:\s*(?!false\b)|\bpages\s*:\s*['"]|\boutput\s*:\s*['"](?!export['"]|static['"])/

function configIn(tree: FileTree): string {
  const files = tree.paths.filter((name) => configFile.test(name))
  return files.map((name) => tree.read(name) ?? '').join('\n')
}

/** What a package.json has to be started or served. */
export function nodeIn(tree: FileTree): Found | undefined {
  const manifest = manifestIn(tree)
  if (!manifest) return undefined
  const { scripts, packages, main } = manifest
  const site = siteIn(tree)
  if (site) {
    const build = { 'build.command': `${managerIn(tree)} run ${site.script}`, 'build.publish': site.out }
    const reason = `package.json has ${site.name} and no server, so what the build leaves in ${site.out} is served`
    return { kind: site.label, settings: { 'build.pack': 'railpack', ...build }, reasons: [reason] }
  }
  const start = startIn(scripts)
  const server = [...packages].find((name) => programs.test(name) || frameworks.test(name))
  const rendered = Object.keys(scripts).find((name) => /^serve:ssr[\w:-]*$/.test(name))
  if (start !== undefined || server !== undefined)
    return {
      kind: server === undefined ? 'a Node.js program' : `a Node.js program with ${server}`,
      settings: start === undefined && rendered !== undefined ? { start: `${managerIn(tree)} run ${rendered}` } : {},
      reasons: [start === undefined ? `package.json has ${server}` : `package.json starts it with “${start}”`],
    }
  const file = ['server.js', 'index.js', ...(typeof main === 'string' ? [main] : [])].find((one) =>
    tree.paths.includes(one),
  )
  if (file === undefined || (file === main && typeof scripts.build === 'string')) return undefined
  return {
    kind: 'a Node.js program',
    settings: { start: `node ${file}` },
    reasons: [`package.json has no start script, and there is ${file}`],
  }
}

/** Builders install the package manager whose lock file is there, and perhaps no other. */
function managerIn(tree: FileTree): string {
  const locks = { 'pnpm-lock.yaml': 'pnpm', 'yarn.lock': 'yarn', 'bun.lock': 'bun', 'bun.lockb': 'bun' }
  return Object.entries(locks).find(([lock]) => tree.paths.includes(lock))?.[1] ?? 'npm'
}
