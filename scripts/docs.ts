import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { recommendedWorkflow } from '../src/login/repository.ts'
import { outputs, settingTable } from '../src/plan/setting-table.ts'
import { fileKeys, inputNames } from '../src/plan/settings.ts'
import type { Schema } from '../src/plan/values.ts'
import { hostileTables } from './hostile.ts'
import { behavioursOf, faultRows } from './sandbox-facts.ts'

/**
 * Writes what is made of something else: `action.yml`, `action-types.yml` and `ink.schema.json` from the table of settings, inputs, keys and
 * outputs in the README from the same, its workflow from the one that `ink-deploy login` writes, what the sandbox imitates in
 * docs/sandbox.md from its faults and tests. With `--check` it only compares.
 */

/** The description of the action that GitHub reads. */
export function actionYaml(): string {
  const inputs = inputNames.map((name) => {
    const { description, fallback } = settingTable[name]
    // The one default that only the runner can give.
    const value = name === 'github-token' ? githubToken : fallback
    return [name, value === '' ? { description } : { description, default: value }]
  })
  const described = {
    name: 'Ink Deploy',
    description:
      'Puts a repository on ml.ink, with production on the main branch and a live preview for every pull request',
    author: 'Ink Deploy contributors',
    branding: { icon: 'upload-cloud', color: 'purple' },
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(Object.entries(outputs).map(([name, description]) => [name, { description }])),
    runs: { using: 'node24', main: 'dist/main/index.js', post: 'dist/post/index.js', 'post-if': 'always()' },
  }
  return `# Made by \`npm run docs\` from the table of settings in src/plan.\n${stringify(described, { lineWidth: 0 })}`
}

/** The types of inputs and outputs, for tools that check workflows or generate code for them. */
export function actionTypes(): string {
  const inputs = inputNames.map((name) => [name, typeOf(settingTable[name].type.schema)])
  const described = {
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(Object.keys(outputs).map((name) => [name, { type: 'string' }])),
  }
  const head = '# Made by `npm run docs`; see https://github.com/typesafegithub/github-actions-typing.\n'
  return `${head}${stringify(described, { lineWidth: 0 })}`
}

function typeOf({ type, enum: values }: Schema): Readonly<Record<string, unknown>> {
  if (type === 'boolean') return { type: 'boolean' }
  if (type === 'number') return { type: 'float' }
  if (type === 'integer') return { type: 'integer' }
  const isChoice = Array.isArray(values) && values.every((value) => typeof value === 'string')
  return isChoice ? { type: 'enum', 'allowed-values': values } : { type: 'string' }
}

// biome-ignore lint/suspicious/noTemplateCurlyInString: an expression for the runner
const githubToken = '${{ github.token }}'

/** The JSON Schema by which editors complete and check `ink.yml`. */
export function settingsSchema(): string {
  const root: SchemaNode = { type: 'object', additionalProperties: false, properties: {} }
  for (const { key, setting } of fileKeys) {
    const { type, description, fallback } = settingTable[setting]
    const path = key.split('.')
    const last = path.pop() ?? ''
    const parent = path.reduce(childOf, root)
    const value = fallback === '' ? {} : { default: literal(fallback) }
    parent.properties = { ...parent.properties, [last]: { description, ...value, ...type.schema } }
  }
  const services = childOf(childOf(root, 'services'), '*').properties ?? {}
  const none = {
    description: 'false: pull requests have none of this service, and use the address of production’s',
    type: 'boolean',
  }
  services.preview = { anyOf: [none, services.preview] }
  const environments = childOf(root, 'environments') as { additionalProperties: unknown }
  environments.additionalProperties = {
    anyOf: [
      { description: settingTable['environment-branch'].description, type: 'string' },
      { ...childOf(environments as SchemaNode, '*'), required: ['branch'] },
    ],
  }
  const head = { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'Settings of Ink Deploy (ink.yml)' }
  return `${JSON.stringify({ ...head, ...root }, undefined, 2)}\n`
}

/** `false` and `1` are values of their own in YAML and JSON. */
function literal(text: string): unknown {
  return /^(true|false|\d+(\.\d+)?)$/.test(text) ? JSON.parse(text) : text
}

interface SchemaNode {
  type: 'object'
  additionalProperties: SchemaNode | false
  properties?: Record<string, unknown>
}

/** The part of a schema below another one; `*` stands for any name. */
function childOf(parent: SchemaNode, part: string): SchemaNode {
  const empty: SchemaNode = { type: 'object', additionalProperties: false, properties: {} }
  if (part === '*') {
    if (parent.additionalProperties === false) parent.additionalProperties = empty
    return parent.additionalProperties
  }
  parent.properties ??= {}
  parent.properties[part] ??= empty
  return parent.properties[part] as SchemaNode
}

const actionFile = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() })),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
})

/**
 * The README with its tables brought in step with the action's description.
 * @throws Error when the README lacks the markers between which a table belongs
 */
export function withTables(readme: string, actionYaml: string): string {
  const { inputs, outputs } = actionFile.parse(parse(actionYaml))
  const inputRows = Object.entries(inputs).map(([name, input]) => [code(name), shown(input.default), input.description])
  const outputRows = Object.entries(outputs).map(([name, output]) => [code(name), output.description])
  const withInputs = replaced(readme, 'inputs', table(['Input', 'Default', 'Meaning'], inputRows))
  return replaced(withInputs, 'outputs', table(['Output', 'Meaning'], outputRows))
}

/** The README with every key of `ink.yml`. */
export function withKeys(readme: string): string {
  const rows = fileKeys.map(({ key, setting }) => {
    const { description, fallback } = settingTable[setting]
    return [code(key.replace('*', 'NAME')), fallback === '' ? '' : code(fallback), description]
  })
  return replaced(readme, 'keys', table(['Key', 'Default', 'Meaning'], rows))
}

/** The README with the workflow that the command line writes as well. */
export function withWorkflow(readme: string): string {
  return replaced(readme, 'workflow', `\`\`\`yaml\n${recommendedWorkflow()}\`\`\``)
}

function replaced(text: string, name: string, content: string): string {
  const start = `<!-- ${name} -->`
  const end = `<!-- /${name} -->`
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`there is no ${start} … ${end} to put the table between`)
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** A pipe ends a cell, and `<owner>` outside of code would be taken for HTML. */
function escaped(cell: string): string {
  return cell
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '&lt;')))
    .join('')
    .replaceAll('|', '\\|')
}

function shown(value: string | undefined): string {
  return value === undefined ? '' : code(value)
}

function code(text: string): string {
  return `\`${text}\``
}

/** The sandbox's page with its tables brought in step with its faults and tests. */
export function withSandboxTables(page: string): string {
  const withFaults = replaced(page, 'faults', table(['Fault', 'What happens'], faultRows()))
  return replaced(withFaults, 'behaviours', table(['Where', 'What is pinned', 'Test'], behavioursOf(root)))
}

/** The page on security with what came of the attacks. */
export function withHostileTables(page: string): string {
  const { attacks, servers } = hostileTables()
  const withAttacks = replaced(page, 'attacks', table(['What is attacked', 'Test', 'Attacks', 'Held'], attacks))
  return replaced(withAttacks, 'servers', table(['Against', 'Time (limit 6 s)', 'Peak (limit 200 MB)'], servers))
}

const root = fileURLToPath(new URL('..', import.meta.url))
const documents: readonly { readonly path: string; readonly made: (text: string) => string }[] = [
  { path: 'action.yml', made: actionYaml },
  { path: 'action-types.yml', made: actionTypes },
  { path: 'ink.schema.json', made: settingsSchema },
  { path: 'README.md', made: (text) => withWorkflow(withKeys(withTables(text, actionYaml()))) },
  { path: 'docs/sandbox.md', made: withSandboxTables },
  { path: 'docs/security.md', made: withHostileTables },
]

function main(argv: readonly string[]): number {
  const stale = documents.filter(({ path, made }) => {
    const text = existsSync(`${root}/${path}`) ? readFileSync(`${root}/${path}`, 'utf8') : ''
    const wanted = made(text)
    if (wanted === text) return false
    if (!argv.includes('--check')) writeFileSync(`${root}/${path}`, wanted)
    return true
  })
  if (!argv.includes('--check') || stale.length === 0) return 0
  console.error(
    `Not in step with what they are made of: ${stale.map(({ path }) => path).join(', ')}. Run: npm run docs`,
  )
  return 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2))
