import type { ProductionPlan } from '../plan.ts'
import { decides, detectIn } from './detect.ts'
import { manifestAt, siteIn } from './detect-node.ts'
import { at, type FileTree, has } from './file-tree.ts'

/** How a service is created that nothing is said of, where its files leave no doubt. */
export interface DetectedBuild {
  readonly settings: {
    readonly buildPack: string
    readonly buildCommand?: string | undefined
    readonly publishDirectory?: string | undefined
  }
  /** Why, and what: for log and summary. */
  readonly sentence: string
}

/** Whether anybody has said how the service is to be built or started; then nothing is detected. */
export function isBuildSaid({
  build,
  directory,
  variables,
}: Pick<ProductionPlan, 'build' | 'directory' | 'variables'>) {
  const { buildPack, buildCommand, startCommand, publishDirectory, dockerfilePath } = build
  const said = [buildPack, buildCommand, startCommand, publishDirectory, dockerfilePath, directory]
  // Such variables configure the builder itself.
  return said.some((one) => one !== undefined) || [...variables.keys()].some((name) => /^(RAIL|NIX)PACKS?_/.test(name))
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
export function detectBuild(tree: FileTree, folder: string): DetectedBuild | undefined {
  if (builderFiles.some((name) => has(tree, folder, name))) return undefined
  const { settings = {}, reasons: [reason] = [] } = detectIn(tree, folder) ?? {}
  const { 'build.pack': buildPack, 'build.command': buildCommand, 'build.publish': publishDirectory } = settings
  if (buildPack === undefined) return undefined
  if (buildPack !== 'dockerfile' && (publishDirectory === undefined || !leavesNoDoubt(tree, folder))) return undefined
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
function leavesNoDoubt(tree: FileTree, folder: string): boolean {
  // What the page loads runs in browsers.
  const page = tree.read(at(folder, 'index.html')) ?? ''
  const servers = serverFiles.filter((name) => !page.includes(name))
  const beside = [...servers, 'pnpm-workspace.yaml'].some((name) => has(tree, folder, name))
  return !beside && manifestAt(tree, folder)?.workspaces === undefined && siteIn(tree, folder)?.usual === true
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
