import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DeployError } from '../core/errors.ts'
import { recommendedWorkflow, WORKFLOW_PATH } from '../login/repository.ts'
import { decides, detectServices, type FoundService } from '../plan/file/detect.ts'
import type { FileTree } from '../plan/file/detect-node.ts'
import { type Command, onOff, readOptions } from './command.ts'

const USAGE = `Usage: ink-deploy init [options] [DIRECTORY]

Looks at a repository (package.json, workspaces, Dockerfiles, Python, Go, static files), says what it found and why, and
writes ink.yml and ${WORKFLOW_PATH}. What is there already stays as it is.

  --branch NAME      the branch that goes to production (default: that of origin, or the one that is checked out)
  --print            show what would be written, and write nothing
  --help             show this
`

/** `ink-deploy init`. */
export const initCommand: Command = {
  summary: 'look at a repository, and write ink.yml and the workflow',
  async run(args, host) {
    const options = { branch: { type: 'string' }, print: onOff } as const
    const { values, operand } = readOptions(args, { command: 'init', options, operand: 'DIRECTORY' })
    if (values.help) return void host.stdout.write(USAGE)
    const folder = operand ?? host.cwd()
    const services = detectServices(await readTree(folder))
    if (services.length === 0)
      throw new DeployError(`nothing that can be deployed was found in ${folder}`, {
        hint: 'Looked for package.json, Dockerfile, requirements.txt, pyproject.toml, go.mod, Gemfile and index.html, three directories deep.',
      })
    const say = (text: string) => void host.stdout.write(`${text}\n`)
    for (const line of services.flatMap(foundLines)) say(line)
    const branch = values.branch ?? (await branchOf(folder)) ?? 'main'
    const files = { 'ink.yml': inkFileOf(services), [WORKFLOW_PATH]: recommendedWorkflow(branch) }
    for (const [path, text] of Object.entries(files)) {
      const written = values.print ? 'shown' : await writeNew(join(folder, path), text)
      if (written === 'there') say(`\n${path} is there already and stays as it is. It would be:\n\n${indented(text)}`)
      else if (written === 'shown') say(`\n${path} would be:\n\n${indented(text)}`)
      else say(`\nWrote ${path}`)
    }
    if (!values.print)
      say(
        '\nNext: save an API key of ml.ink as the secret INK_API_KEY (ink-deploy login makes and saves one), commit, and push.',
      )
  },
}

function foundLines({ name, root, kind, reasons }: FoundService): string[] {
  return [`Found ${name}${root === '.' ? '' : ` in ${root}`}: ${kind}`, ...reasons.map((reason) => `  ${reason}`)]
}

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^(?=.)/gm, '  ')
}

// Enough for any repository that is written by hand; what is installed or built is not looked at.
const mostFiles = 20_000
const deepest = 5
const skipped = new Set(['node_modules', 'vendor', '__pycache__', 'venv', 'target'])
/** No more of a file is read than a person would write. */
const mostCharacters = 500_000

/** Whether it decides anything, whichever of its directories is that of a service. */
function isRead(path: string): boolean {
  return decides(path.split('/').slice(-1).join('/')) || decides(path.split('/').slice(-2).join('/'))
}

/** @throws DeployError when the directory cannot be read */
async function readTree(folder: string): Promise<FileTree> {
  const paths: string[] = []
  const contents = new Map<string, string>()
  const visit = async (place: string, depth: number): Promise<void> => {
    const entries = await readdir(join(folder, place), { withFileTypes: true })
    for (const entry of entries) {
      const path = place === '' ? entry.name : `${place}/${entry.name}`
      if (entry.isDirectory() && depth < deepest && !entry.name.startsWith('.') && !skipped.has(entry.name))
        await visit(path, depth + 1)
      if (!entry.isFile() || paths.length >= mostFiles) continue
      paths.push(path)
      if (isRead(path)) contents.set(path, (await readFile(join(folder, path), 'utf8')).slice(0, mostCharacters))
    }
  }
  try {
    await visit('', 0)
  } catch (cause) {
    throw new DeployError(`${folder} could not be read`, { cause, hint: 'Name the directory of a repository.' })
  }
  return { paths: paths.sort(), read: (path) => contents.get(path) }
}

/** The default branch as a clone knows it; without one the branch that is checked out. */
async function branchOf(folder: string): Promise<string | undefined> {
  for (const name of ['refs/remotes/origin/HEAD', 'HEAD']) {
    const text = await readFile(join(folder, '.git', name), 'utf8').catch(() => '')
    const [, branch] = /^ref: refs\/(?:heads|remotes\/origin)\/(\S+)/.exec(text) ?? []
    if (branch !== undefined) return branch
  }
  return undefined
}

/** Writes a file that is not there yet; another program's that comes in between is left alone, too. */
async function writeNew(path: string, text: string): Promise<'written' | 'there'> {
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(path, text, { flag: 'wx' })
    return 'written'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'there'
    throw error
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
