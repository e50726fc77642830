import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument, type Scalar } from 'yaml'
import { errorMessage } from '../../core/errors.ts'
import { environmentNameProblem } from '../names.ts'
import { settingTable } from '../setting-table.ts'
import type { Given, SettingName } from '../settings.ts'
import { parseBranch } from '../values.ts'
import { isMark } from '../variables.ts'
import { describeNearest, isShorthand, isSwitch, type KeyNode, keysBelowService, keyTree } from './keys.ts'
import { nameOf, offsetOf, textOf } from './nodes.ts'
import { describeProblem, type FileProblem, placeOfProblem } from './problems.ts'
import {
  type FileService,
  type FileVariable,
  type FileVariables,
  type NamedEnvironment,
  parseTemplate,
  referencesOf,
} from './references.ts'
import { circleIn, wiresOfPreviews } from './wiring.ts'

/** `ink.yml`, read: every key is known, and every value is of the right shape. What the values say is checked with the settings. */
export interface InkFile {
  readonly path: string
  readonly services: readonly FileService[]
  readonly environments: readonly NamedEnvironment[]
  /** What the file says of a setting: for one service, for previews or for production. */
  written(setting: SettingName, service: string | undefined, environment: 'preview' | 'production'): Given | undefined
}

export type ParsedFile =
  | { readonly ok: true; readonly file: InkFile }
  | { readonly ok: false; readonly problems: readonly FileProblem[] }

const longestCharacters = 200_000
const most = 50

/** Reads `ink.yml`, or says everything that is wrong with it, each with its place. Any text at all may be given. */
export function parseInkFile(text: string, path: string): ParsedFile {
  if (text.length > longestCharacters)
    return { ok: false, problems: [{ line: 1, column: 1, text: `is longer than ${longestCharacters} characters` }] }
  const reader = new Reader(path)
  try {
    return reader.read(text)
  } catch (error) {
    // The library gives up on what is nested too deeply.
    return { ok: false, problems: [{ line: 1, column: 1, text: `is not valid YAML: ${errorMessage(error)}` }] }
  }
}

type Key = readonly string[]

class Reader {
  readonly #path: string
  readonly #lines = new LineCounter()
  readonly #problems: FileProblem[] = []
  readonly #values = new Map<string, Given>()
  readonly #variables = new Map<string, { readonly pair: Pair; readonly key: Key; readonly name: string }[]>()
  readonly #names = new Map<string, string>()
  readonly #environments = new Map<string, number>()
  readonly #offsets = new Map<string, number>()
  readonly #withoutPreviews = new Set<string>()

  constructor(path: string) {
    this.#path = path
  }

  read(text: string): ParsedFile {
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true })
    for (const { pos, message } of [...document.errors, ...document.warnings])
      this.#problem(pos[0], `is not valid YAML: ${message}`)
    if (this.#problems.length > 0) return this.#refused()
    const root = document.contents
    if (root !== null && !isMap(root))
      this.#problem(offsetOf(root), 'must be a mapping with the keys services, previews, environments and prices')
    if (isMap(root)) this.#mapping(root, keyTree, [])
    const services = [...this.#names].map(([name, label]) => this.#service(name, label))
    for (const { service, output, label } of wiresOfPreviews(services))
      if (output.startsWith('database.') && this.#withoutPreviews.has(service))
        this.#problemAt(
          label,
          `${service} has no previews (preview: false), and a preview must not use production’s database; its url and host are there for all`,
        )
    const circle = circleIn(services)
    if (circle)
      this.#problem(
        this.#offsets.get(circle[0] ?? '') ?? 0,
        `services wait for each other in a circle: ${circle.join(' → ')}`,
      )
    const environments = this.#readEnvironments()
    if (this.#problems.length > 0) return this.#refused()
    const written: InkFile['written'] = (setting, service, environment) => this.#written(setting, service, environment)
    return { ok: true, file: { path: this.#path, services, environments, written } }
  }

  #written(setting: SettingName, service: string | undefined, environment: 'preview' | 'production') {
    const keys = keysBelowService(setting)
    if (keys === undefined) return this.#values.get(settingTable[setting].key ?? '')
    if (service === undefined) return undefined
    const value = (key: string | undefined) => this.#values.get(`services.${service}.${key}`)
    if (setting === 'paths') return this.#watched(value('root'), value(keys.own))
    return (environment === 'preview' ? value(keys.preview) : undefined) ?? value(keys.own)
  }

  /** What counts as a change: what `watch` names, and beside it the service's own directory and this file. */
  #watched(directory: Given | undefined, watch: Given | undefined): Given | undefined {
    // Of several services each has its own directory; of a single one all else may matter as well.
    if (watch === undefined && (directory === undefined || this.#names.size < 2)) return undefined
    const plain = directory?.text.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
    const own = plain === undefined || plain === '.' ? [] : [`${plain}/**`]
    if (watch === undefined && own.length === 0) return undefined
    const globs = [this.#path, ...own].map((path) => path.replaceAll(/[?[\]{}!\\]/g, '\\$&'))
    const lines = watch ? [...globs, watch.text] : globs
    return { text: lines.join('\n'), label: (watch ?? directory)?.label ?? this.#path }
  }

  #refused(): ParsedFile {
    const problems = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
    return { ok: false, problems: problems.slice(0, most) }
  }

  #mapping(node: Node, known: KeyNode, key: Key): void {
    if (!isMap(node)) {
      const or = isSwitch(key) ? 'false, or ' : isShorthand(key) ? 'a branch, or ' : ''
      this.#problem(
        offsetOf(node),
        `${key.join('.')} must be ${or}a mapping with ${[...known.below.keys()].join(', ')}`,
      )
      return
    }
    const any = known.below.get('*')
    for (const pair of node.items) {
      const name = nameOf(pair)
      const below = any ?? known.below.get(name)
      if (any && key.join('.') === 'services') this.#named(pair, name)
      if (any && key.join('.') === 'environments') this.#environments.set(name, offsetOf(pair.key))
      if (below) this.#entry(pair, below, [...key, name])
      else this.#unknown(pair, name, known, key)
    }
  }

  #named(pair: Pair, name: string): void {
    this.#names.set(name, this.#label(pair.key, `services.${name}`))
    this.#offsets.set(name, offsetOf(pair.key))
    if (/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name) && !/-pr-\d+$|^pr-\d+$/.test(name)) return
    this.#problem(
      offsetOf(pair.key),
      `services: a name has a to z, 0 to 9 and hyphens, at most 40, and is no preview’s (pr-<number>), but is ${shown(name)}`,
    )
  }

  #unknown(pair: Pair, name: string, known: KeyNode, key: Key): void {
    const names = [...known.below.keys()]
    const near = describeNearest(name, names)
    const where = key.length === 0 ? 'here' : `in ${key.join('.')}`
    this.#problem(
      offsetOf(pair.key),
      `there is no key ${shown(name)} ${where}${near ? `; ${near}` : ''} (allowed: ${names.join(', ')})`,
    )
  }

  #entry(pair: Pair, known: KeyNode, key: Key): void {
    const value = pair.value as Node | null
    const label = key.join('.')
    if (isAlias(value)) this.#problem(offsetOf(value), `${label}: aliases (*name) are not followed; write it out`)
    else if (value === null || (isScalar(value) && (value.value === null || value.value === '')))
      this.#problem(offsetOf(pair.key), `${label}: has no value`)
    else if (isSwitch(key) && isScalar(value) && typeof value.value === 'boolean') {
      if (!value.value) this.#withoutPreviews.add(key[1] ?? '')
    } else if (isShorthand(key) && isScalar(value)) this.#setting(value, 'environment-branch', `${label}.branch`)
    else if (known.setting === undefined) this.#mapping(value, known, key)
    else if (['env', 'preview-env', 'production-env', 'environment-env'].includes(known.setting))
      this.#collect(value, key)
    else this.#setting(value, known.setting, label)
  }

  #setting(value: Node, setting: SettingName, label: string): void {
    const text = this.#text(value, settingTable[setting].type.schema, label)
    if (text !== undefined) this.#values.set(label, { text, label: this.#label(value, label) })
  }

  /** A value as the text that a workflow would give; lists become lines. */
  #text(value: Node, schema: Readonly<Record<string, unknown>>, label: string): string | undefined {
    if (isScalar(value)) return textOf(value)
    const refuse = (what: string) => this.#problem(offsetOf(value), `${label}: must be ${what}`)
    if (schema.type === 'array' && isSeq(value)) {
      const { items } = schema as { items?: { type?: unknown } }
      if (items?.type === 'object') return JSON.stringify(value.toJSON())
      if (value.items.every((item) => isScalar(item) && !textOf(item).includes('\n')))
        return value.items.map((item) => textOf(item as Scalar)).join('\n')
    }
    if (schema.type === 'object' && isMap(value) && value.items.every((item) => isScalar(item.value)))
      return value.items.map((item) => `${nameOf(item)}=${textOf(item.value as Scalar)}`).join('\n')
    if (schema.type === 'array') refuse('a list')
    else if (schema.type === 'object') refuse('a mapping of names to values')
    else refuse('a single value')
    return undefined
  }

  /** Variables are read once the names of all services are known, which they may refer to. */
  #collect(node: Node, key: Key): void {
    const label = key.join('.')
    if (isMap(node))
      this.#variables.set(
        label,
        node.items.map((pair) => ({ pair, key: [...key, nameOf(pair)], name: nameOf(pair) })),
      )
    else this.#problem(offsetOf(node), `${label}: must be a mapping of variables to values`)
  }

  #service(name: string, label: string): FileService {
    const of = (part: string) => this.#readVariables(`services.${name}.${part}`)
    return {
      name,
      label,
      hasPreviews: !this.#withoutPreviews.has(name),
      variables: { shared: of('env'), preview: of('preview.env'), production: of('production.env') },
    }
  }

  #readEnvironments(): NamedEnvironment[] {
    const branches = new Map<string, string>()
    return [...this.#environments].map(([name, offset]) => {
      const at = `environments.${name}`
      const wrong = environmentNameProblem(name)
      if (wrong) this.#problem(offset, `${at}: ${wrong}`)
      const given = this.#values.get(`${at}.branch`)
      const parsed = parseBranch(given?.text ?? '')
      const branch = 'value' in parsed ? parsed.value : ''
      const other = branches.get(branch)
      if (given === undefined) this.#problem(offset, `${at}: lacks its branch; write ${name}: BRANCH`)
      else if (branch === '')
        this.#problemAt(
          given.label,
          `must be ${'allowed' in parsed ? parsed.allowed : 'a branch'}, but is ${shown(given.text)}`,
        )
      else if (other !== undefined) this.#problemAt(given.label, `${branch} goes to ${other} already`)
      branches.set(branch, name)
      return { name, branch, label: given?.label ?? '', variables: this.#readVariables(`${at}.env`) }
    })
  }

  #readVariables(label: string): FileVariables {
    const read = new Map<string, FileVariable>()
    for (const { pair, key, name } of this.#variables.get(label) ?? []) {
      const value = pair.value as Node | null
      const at = key.join('.')
      if (!/^[A-Za-z_]\w*$/.test(name))
        this.#problem(offsetOf(pair.key), `${at}: a variable has letters, digits and _, and starts with no digit`)
      else if (isMark(name)) this.#problem(offsetOf(pair.key), `${at}: is a mark of this action and cannot be set`)
      if (!isScalar(value) || value.value === null) {
        this.#problem(offsetOf(value ?? pair.key), `${at}: must be a single value; write "" for an empty one`)
        continue
      }
      const { template, problems } = parseTemplate(textOf(value), [...this.#names.keys()])
      for (const problem of problems) this.#problem(offsetOf(value), `${at}: ${problem}`)
      if (key[0] === 'environments' && referencesOf(template).some(({ kind }) => kind === 'service'))
        this.#problem(offsetOf(value), `${at}: is for all services, and cannot refer to one; services.NAME.env can`)
      read.set(name, { template, label: this.#label(value, at) })
    }
    return read
  }

  #label(node: unknown, key: string): string {
    return describeProblem({ ...this.#at(offsetOf(node)), text: key }, this.#path)
  }

  #problem(offset: number, text: string): void {
    this.#problems.push({ ...this.#at(offset), text })
  }

  /** The same for what a label of {@link #label} is about. */
  #problemAt(label: string, what: string): void {
    const place = placeOfProblem(label, this.#path)
    if (place) this.#problems.push({ ...place, text: `${place.text}: ${what}` })
  }

  #at(offset: number): { readonly line: number; readonly column: number } {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
}
