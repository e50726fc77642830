import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { basename, isAbsolute, join } from 'node:path'
import type { ServiceConfig } from '../services.ts'
import { BuildFailure, type BuildTools, type Image, insideFolder } from './image.ts'

interface Instruction {
  readonly keyword: string
  readonly text: string
}

/** State of the one stage that is imitated; its file system is a folder beside the source (within it, copying the source would copy the copy). */
interface Stage {
  readonly root: string
  readonly source: string
  readonly env: Record<string, string>
  workingDirectory: string
  command: string | undefined
  entrypoint: string | undefined
}

/**
 * Interprets a Dockerfile without a container engine: `FROM` starts a stage on this machine's own tools, `WORKDIR`, `COPY`,
 * `ADD`, `RUN`, `ENV`, `ARG`, `EXPOSE`, `CMD` and `ENTRYPOINT` do what they say below a folder that stands for the root.
 * An absolute path within a `RUN` command means this machine's, and other instructions are refused rather than skipped.
 */
export async function buildDockerfile(
  config: ServiceConfig,
  source: string,
  tools: BuildTools,
): Promise<Image['serve']> {
  const path = config.dockerfilePath || 'Dockerfile'
  const text = await readFile(insideFolder(source, path), 'utf8').catch(() => {
    tools.log(`ERROR: failed to read dockerfile: open ${path}: no such file or directory`)
    throw new BuildFailure(`failed to solve: failed to read dockerfile: open ${path}: no such file or directory`)
  })
  const stage: Stage = {
    root: join(source, '..', 'rootfs'),
    source,
    env: {},
    workingDirectory: '/',
    command: undefined,
    entrypoint: undefined,
  }
  await mkdir(stage.root, { recursive: true })
  const instructions = parseInstructions(text)
  for (const [index, instruction] of instructions.entries()) {
    tools.log(`#${index + 5} [${index + 1}/${instructions.length}] ${instruction.keyword} ${instruction.text}`)
    await carryOut(stage, instruction, tools)
  }
  const command =
    config.startCommand || [stage.entrypoint, stage.command].filter((part) => part !== undefined).join(' ')
  if (command === '')
    throw new BuildFailure('no CMD or ENTRYPOINT in the Dockerfile, and the sandbox knows no base image’s')
  return { kind: 'process', command, workingDirectory: stagePath(stage, stage.workingDirectory), env: stage.env }
}

function parseInstructions(text: string): Instruction[] {
  return text
    .replaceAll(/^\s*#.*$/gm, '')
    .replaceAll(/\\\r?\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map((line) => {
      const space = line.search(/\s/)
      const keyword = (space < 0 ? line : line.slice(0, space)).toUpperCase()
      return { keyword, text: space < 0 ? '' : line.slice(space).trim() }
    })
}

async function carryOut(stage: Stage, { keyword, text }: Instruction, tools: BuildTools): Promise<void> {
  switch (keyword) {
    case 'FROM':
    case 'EXPOSE':
    case 'LABEL':
    case 'USER':
    case 'ARG':
      return
    case 'WORKDIR':
      stage.workingDirectory = isAbsolute(text) ? text : join(stage.workingDirectory, text)
      await mkdir(stagePath(stage, stage.workingDirectory), { recursive: true })
      return
    case 'ENV':
      Object.assign(stage.env, parseEnv(text))
      return
    case 'COPY':
    case 'ADD':
      return copyIn(stage, text)
    case 'RUN':
      return tools.run(commandLine(text), stagePath(stage, stage.workingDirectory), stage.env)
    case 'CMD':
      stage.command = commandLine(text)
      return
    case 'ENTRYPOINT':
      stage.entrypoint = commandLine(text)
      return
    default:
      throw new BuildFailure(`the sandbox cannot carry out the Dockerfile instruction ${keyword}`)
  }
}

function stagePath(stage: Stage, path: string): string {
  return insideFolder(stage.root, join(stage.root, path))
}

async function copyIn(stage: Stage, text: string): Promise<void> {
  const words = text.split(/\s+/)
  if (words.some((word) => word.startsWith('--from=')))
    throw new BuildFailure('the sandbox cannot COPY from another stage')
  const paths = words.filter((word) => !word.startsWith('--'))
  const target = paths.at(-1) ?? '.'
  const base = isAbsolute(target) ? target : join(stage.workingDirectory, target)
  const intoFolder = target.endsWith('/') || target === '.' || paths.length > 2
  for (const path of paths.slice(0, -1)) {
    const sources = path.includes('*') ? await matchingNames(stage.source, path) : [path]
    for (const name of sources) await copyOne(stage, name, base, intoFolder || path.includes('*'))
  }
}

async function copyOne(stage: Stage, path: string, base: string, intoFolder: boolean): Promise<void> {
  const from = insideFolder(stage.source, join(stage.source, path))
  const found = await stat(from).catch(() => undefined)
  if (found === undefined) throw new BuildFailure(`failed to calculate checksum of ref: "/${path}": not found`)
  // Docker copies what a folder contains, not the folder.
  const to = stagePath(stage, !found.isDirectory() && intoFolder ? join(base, basename(path)) : base)
  await cp(from, to, { recursive: true })
}

async function matchingNames(folder: string, pattern: string): Promise<string[]> {
  const expression = new RegExp(`^${pattern.replace(/^\.\//, '').split('*').map(escapeForRegExp).join('.*')}$`)
  return (await readdir(folder)).filter((name) => expression.test(name))
}

const escapeForRegExp = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

function parseEnv(text: string): Record<string, string> {
  if (!text.includes('=')) {
    const space = text.search(/\s/)
    return { [text.slice(0, space)]: text.slice(space).trim() }
  }
  const pairs = [...text.matchAll(/([A-Za-z_]\w*)=("([^"]*)"|'([^']*)'|\S*)/g)]
  return Object.fromEntries(pairs.map(([, key = '', raw = '', double, single]) => [key, double ?? single ?? raw]))
}

/** A command in either of Docker's two forms: a JSON list of words, or a line for the shell. */
function commandLine(text: string): string {
  if (!text.startsWith('[')) return text
  const words = JSON.parse(text) as string[]
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ')
}
