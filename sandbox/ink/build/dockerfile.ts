import { existsSync } from 'node:fs'
import { cp, mkdir, readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, posix } from 'node:path'
import type { ServiceConfig } from '../services.ts'
import { BuildFailure, type BuildTools, type Image, insideFolder } from './image.ts'

interface Instruction {
  readonly keyword: string
  readonly text: string
}

/** A stage; its file system is a folder beside the source (within it, copying the source would copy the copy). */
interface Stage {
  readonly name: string
  readonly root: string
  /** Where `COPY` takes from: the source, or another stage. */
  readonly source: string
  readonly env: Record<string, string>
  workingDirectory: string
  command: string | undefined
  entrypoint: string | undefined
}

/**
 * Interprets a Dockerfile without a container engine: `FROM` starts a stage on this machine's own tools, `WORKDIR`, `COPY`,
 * `ADD`, `RUN`, `ENV`, `ARG`, `EXPOSE`, `CMD` and `ENTRYPOINT` do what they say below a folder that stands for the root.
 * Commands run on this machine, with paths of the image led to that folder. What would install packages on the machine, and
 * other instructions, are refused rather than skipped.
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
  const instructions = parseInstructions(text)
  const stages: Stage[] = []
  for (const [index, instruction] of instructions.entries()) {
    tools.log(`#${index + 5} [${index + 1}/${instructions.length}] ${instruction.keyword} ${instruction.text}`)
    const stage = stages.at(-1)
    if (instruction.keyword === 'FROM') stages.push(await openStage(instruction.text, source, stages))
    else if (stage) await carryOut(stage, stages, instruction, tools)
  }
  const stage = stages.at(-1)
  if (stage === undefined) throw new BuildFailure('failed to solve: no build stage in current context')
  const command =
    config.startCommand ||
    [stage.entrypoint, stage.command].flatMap((part) => (part === undefined ? [] : inStage(stage, part))).join(' ')
  if (command === '')
    throw new BuildFailure('no CMD or ENTRYPOINT in the Dockerfile, and the sandbox knows no base image’s')
  const places = ['usr/local/bin', 'usr/local/python/bin'].map((place) => join(stage.root, place)).join(':')
  return {
    kind: 'process',
    command: `PATH="${places}:$PATH"; ${command}`,
    workingDirectory: stagePath(stage, stage.workingDirectory),
    env: environmentOf(stage),
  }
}

/** `FROM image AS name`; an image may be a stage before. */
async function openStage(text: string, source: string, before: readonly Stage[]): Promise<Stage> {
  const [, image = '', name = String(before.length)] = /^(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?$/i.exec(text) ?? []
  const base = before.find((stage) => stage.name === image)
  const root = join(source, '..', `stage-${before.length}`)
  if (base) await cp(base.root, root, { recursive: true })
  else await mkdir(root, { recursive: true })
  const { env = {}, workingDirectory = '/', command, entrypoint } = base ?? {}
  return { name, root, source, env: { ...env }, workingDirectory, command, entrypoint }
}

/**
 * A command with paths of the image made relative, so that they lead into the stage wherever it lies: those that are there, or
 * whose directory is, and those that begin with what this machine does not have.
 */
function inStage({ root, workingDirectory }: Stage, command: string): string {
  return command.replaceAll(/(?<=^|[\s'"=:])\/[\w.-][\w./-]*/g, (path) => {
    const [, top = ''] = path.split('/')
    const isOfImage = [path, dirname(path)].some((one) => one !== '/' && existsSync(join(root, one)))
    return isOfImage || !existsSync(`/${top}`) ? `./${posix.relative(workingDirectory, path)}` : path
  })
}

/** What package managers install for all of an image goes into the stage, and not onto this machine. */
function environmentOf({ root, env }: Stage): Record<string, string> {
  const modules = join(root, 'usr/local/python')
  return { PIP_TARGET: modules, PYTHONPATH: modules, npm_config_prefix: join(root, 'usr/local'), ...env }
}

const installers = /\b(?:apt|apt-get|apk|yum|dnf|microdnf|zypper)\s+(?:\S+\s+)*?(?:add|install|update|upgrade)\b/

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

async function carryOut(
  stage: Stage,
  all: readonly Stage[],
  { keyword, text }: Instruction,
  tools: BuildTools,
): Promise<void> {
  switch (keyword) {
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
      return copyIn(stage, all, text)
    case 'RUN':
      if (installers.test(text))
        throw new BuildFailure(`the sandbox builds with the tools of this machine and installs none: RUN ${text}`)
      return tools.run(
        inStage(stage, commandLine(text)),
        stagePath(stage, stage.workingDirectory),
        environmentOf(stage),
      )
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

async function copyIn(into: Stage, all: readonly Stage[], text: string): Promise<void> {
  const words = text.split(/\s+/)
  const from = words.find((word) => word.startsWith('--from='))?.slice('--from='.length)
  const source =
    from === undefined ? into.source : all.find(({ name }, index) => [name, `${index}`].includes(from))?.root
  if (source === undefined) throw new BuildFailure(`the sandbox has no stage ${from} to COPY from, and pulls no images`)
  const stage = { ...into, source }
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
