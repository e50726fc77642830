import {
  Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parse,
  parseDocument,
  type Scalar,
} from 'yaml'
import { errorMessage } from '../../core/errors.ts'
import { didYouMean, shown } from '../../core/format.ts'
import { environmentNameProblem } from '../names.ts'
import { watchedPaths } from '../paths.ts'
import { settingTable } from '../setting-table.ts'
import { anyService, fileKeys, ofPreviews, ownKey, type SettingName } from '../settings.ts'
import { branch as branchType, type Given } from '../values.ts'
import { isMark, variableName } from '../variables.ts'
import {
  describeProblem,
  type FileProblem,
  type FileService,
  type FileVariable,
  type FileVariables,
  type NamedEnvironment,
  noVariables,
  parseTemplate,
  placeOfProblem,
  referencesOf,
  wiringProblems,
} from './references.ts'

/** What may stand right below a place; `*` for any name. */
function namesBelow(place: string): string[] {
  const start = place === '' ? '' : `${place}.`
  const below = fileKeys.filter(({ key }) => key.startsWith(start))
  return [...new Set(below.map(({ key }) => key.slice(start.length).replace(/\..*/, '')))]
}

// A service without previews says `preview: false`, and `staging: develop` is short for `staging: { branch: develop }`.
const switchPlace = `${anyService}preview`
const branchPlace = 'environments.*'

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
const mostProblems = 50

/** Reads `ink.yml`, or says everything that is wrong with it, each with its place. Any text at all may be given. */
export function parseInkFile(text: string, path: string): ParsedFile {
  const refused = (why: string): ParsedFile => ({ ok: false, problems: [{ line: 1, column: 1, text: why }] })
  if (text.length > longestCharacters) return refused(`is longer than ${longestCharacters} characters`)
  try {
    return new Reader(path).read(text)
  } catch (error) {
    // The library gives up on what is nested too deeply.
    return refused(`is not valid YAML: ${errorMessage(error)}`)
  }
}

class Reader {
  readonly #path: string
  readonly #lines = new LineCounter()
  readonly #problems: FileProblem[] = []
  readonly #values = new Map<string, Given>()
  readonly #variables = new Map<string, readonly Pair[]>()
  /** The keys that name services and environments. */
  readonly #names = new Map<string, unknown>()
  readonly #environments = new Map<string, unknown>()
  readonly #withoutPreviews = new Set<string>()

  constructor(path: string) {
    this.#path = path
  }

  read(text: string): ParsedFile {
    const document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, stringKeys: true })
    for (const { pos, message } of [...document.errors, ...document.warnings])
      this.#problems.push({ ...this.#at(pos[0]), text: `is not valid YAML: ${message}` })
    if (this.#problems.length > 0) return this.#refused()
    const { contents: root } = document
    if (isMap(root)) this.#mapping(root, '', [])
    else if (root !== null)
      this.#problem(root, 'must be a mapping with the keys services, previews, environments and prices')
    const services = [...this.#names].map(([name, key]): FileService => {
      const of = (part: string) => this.#readVariables(`services.${name}.${part}`)
      const variables = { shared: of('env'), preview: of('preview.env'), production: of('production.env') }
      const hasPreviews = !this.#withoutPreviews.has(name)
      return { name, label: this.#label(key, `services.${name}`), hasPreviews, variables }
    })
    this.#problems.push(...wiringProblems(services, this.#path))
    const environments = this.#readEnvironments()
    if (this.#problems.length > 0) return this.#refused()
    return { ok: true, file: { path: this.#path, services, environments, written: this.#written } }
  }

  readonly #written: InkFile['written'] = (setting, service, environment) => {
    const own = ownKey(setting)
    if (own === undefined) return this.#values.get(settingTable[setting].key ?? '')
    if (service === undefined) return undefined
    const value = (key: string) => this.#values.get(`services.${service}.${key}`)
    if (setting === 'paths') return watchedPaths(this.#path, value('root'), value(own), this.#names.size > 1)
    const isOwn = environment === 'preview' && ofPreviews.includes(setting)
    return (isOwn ? value(`preview.${own}`) : undefined) ?? value(own)
  }

  #refused(): ParsedFile {
    const problems = this.#problems.toSorted((a, b) => a.line - b.line || a.column - b.column)
    return { ok: false, problems: problems.slice(0, mostProblems) }
  }

  /** @param place what the key is in the list of all, with `*` for each name */
  #mapping(node: Node, place: string, key: readonly string[]): void {
    const names = namesBelow(place)
    if (!isMap(node)) {
      const or = place === switchPlace ? 'false, or ' : place === branchPlace ? 'a branch, or ' : ''
      this.#problem(node, `${key.join('.')} must be ${or}a mapping with ${names.join(', ')}`)
      return
    }
    for (const pair of node.items) {
      const name = nameOf(pair)
      if (place === 'services') this.#named(pair, name)
      if (place === 'environments') this.#environments.set(name, pair.key)
      const step = names[0] === '*' ? '*' : name
      if (names.includes(step)) this.#entry(pair, place === '' ? step : `${place}.${step}`, [...key, name])
      else this.#unknown(pair, name, names, key)
    }
  }

  #named(pair: Pair, name: string): void {
    this.#names.set(name, pair.key)
    if (/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(name) && !/-pr-\d+$|^pr-\d+$/.test(name)) return
    this.#problem(
      pair.key,
      `services: a name has a to z, 0 to 9 and hyphens, at most 40, and is no preview’s (pr-<number>), but is ${shown(name)}`,
    )
  }

  #unknown(pair: Pair, name: string, names: readonly string[], key: readonly string[]): void {
    // One that is spelled like it, or where a setting of that name belongs.
    const home = fileKeys.find(({ key: path, setting }) => setting === name || path.split('.').at(-1) === name)
    const near = didYouMean(name, names) || (home ? `; it belongs to ${home.key.replace('*', 'NAME')}` : '')
    const where = key.length === 0 ? 'here' : `in ${key.join('.')}`
    this.#problem(pair.key, `there is no key ${shown(name)} ${where}${near} (allowed: ${names.join(', ')})`)
  }

  #entry(pair: Pair, place: string, key: readonly string[]): void {
    const value = pair.value as Node | null
    const label = key.join('.')
    const setting = fileKeys.find((one) => one.key === place)?.setting
    if (isAlias(value)) this.#problem(value, `${label}: aliases (*name) are not followed; write it out`)
    else if (value === null || (isScalar(value) && (value.value === null || value.value === '')))
      this.#problem(pair.key, `${label}: has no value`)
    else if (place === switchPlace && isScalar(value) && typeof value.value === 'boolean') {
      if (!value.value) this.#withoutPreviews.add(key[1] ?? '')
    } else if (place === branchPlace && isScalar(value)) this.#setting(value, 'environment-branch', `${label}.branch`)
    else if (setting === undefined) this.#mapping(value, place, key)
    else if (!['env', 'preview-env', 'production-env', 'environment-env'].includes(setting))
      this.#setting(value, setting, label)
    // They may refer to services, so they are read once all of these are known.
    else if (isMap(value)) this.#variables.set(label, value.items)
    else this.#problem(value, `${label}: must be a mapping of variables to values`)
  }

  #setting(value: Node, setting: SettingName, label: string): void {
    const text = this.#text(value, settingTable[setting].type.schema, label)
    if (text !== undefined) this.#values.set(label, { text, label: this.#label(value, label) })
  }

  /** A value as the text that a workflow would give; lists become lines. */
  #text(value: Node, schema: Readonly<Record<string, unknown>>, label: string): string | undefined {
    if (isScalar(value)) return textOf(value)
    if (schema.type === 'array' && isSeq(value)) {
      const { items } = schema as { items?: { type?: unknown } }
      if (items?.type === 'object') return JSON.stringify(value.toJSON())
      if (value.items.every((item) => isScalar(item) && !textOf(item).includes('\n')))
        return value.items.map((item) => textOf(item as Scalar)).join('\n')
    }
    if (schema.type === 'object' && isMap(value) && value.items.every((item) => isScalar(item.value)))
      return value.items.map((item) => `${nameOf(item)}=${textOf(item.value as Scalar)}`).join('\n')
    const kinds: Readonly<Record<string, string>> = { array: 'a list', object: 'a mapping of names to values' }
    this.#problem(value, `${label}: must be ${kinds[String(schema.type)] ?? 'a single value'}`)
    return undefined
  }

  #readEnvironments(): NamedEnvironment[] {
    const branches = new Map<string, string>()
    return [...this.#environments].map(([name, key]) => {
      const at = `environments.${name}`
      const wrong = environmentNameProblem(name)
      if (wrong) this.#problem(key, `${at}: ${wrong}`)
      const given = this.#values.get(`${at}.branch`)
      const parsed = branchType.parse(given?.text ?? '')
      const branch = 'value' in parsed ? parsed.value : ''
      const other = branches.get(branch)
      if (given === undefined) this.#problem(key, `${at}: lacks its branch; write ${name}: BRANCH`)
      else if ('allowed' in parsed)
        this.#problemAt(given.label, `must be ${parsed.allowed}, but is ${shown(given.text)}`)
      else if (other !== undefined) this.#problemAt(given.label, `${branch} goes to ${other} already`)
      branches.set(branch, name)
      const shared = this.#readVariables(`${at}.env`)
      return { name, branch, label: given?.label ?? '', variables: { ...noVariables, shared } }
    })
  }

  #readVariables(label: string): FileVariables {
    const read = new Map<string, FileVariable>()
    for (const pair of this.#variables.get(label) ?? []) {
      const value = pair.value as Node | null
      const name = nameOf(pair)
      const at = `${label}.${name}`
      if (!variableName.test(name))
        this.#problem(pair.key, `${at}: a variable has letters, digits and _, and starts with no digit`)
      else if (isMark(name)) this.#problem(pair.key, `${at}: is a mark of this action and cannot be set`)
      if (!isScalar(value) || value.value === null) {
        this.#problem(value ?? pair.key, `${at}: must be a single value; write "" for an empty one`)
        continue
      }
      const { template, problems } = parseTemplate(textOf(value), [...this.#names.keys()])
      for (const problem of problems) this.#problem(value, `${at}: ${problem}`)
      if (label.startsWith('environments.') && referencesOf(template).some(({ kind }) => kind === 'service'))
        this.#problem(value, `${at}: is for all services, and cannot refer to one; services.NAME.env can`)
      read.set(name, { template, label: this.#label(value, at) })
    }
    return read
  }

  #label(node: unknown, key: string): string {
    return describeProblem({ ...this.#at(offsetOf(node)), text: key }, this.#path)
  }

  #problem(node: unknown, text: string): void {
    this.#problems.push({ ...this.#at(offsetOf(node)), text })
  }

  /** The same for what a label of {@link #label} is about. */
  #problemAt(label: string, what: string): void {
    const place = placeOfProblem(label, this.#path)
    if (place) this.#problems.push({ ...place, text: `${place.text}: ${what}` })
  }

  #at(offset: number) {
    const { line, col } = this.#lines.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
}

/** Where a node begins, in characters; 0 for what is none. */
function offsetOf(node: unknown): number {
  return isNode(node) ? (node.range?.[0] ?? 0) : 0
}

/** The name of a pair; empty where its key is not a scalar. */
function nameOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : ''
}

/** A scalar as it was written, for numbers: `1.0` is not `1`, and `007` no seven. */
function textOf(node: Scalar): string {
  return typeof node.value === 'number' && node.source !== undefined ? node.source : String(node.value)
}

/** Settings that are given as text, as `ink.yml` has them. */
export function fileTextOf(given: Partial<Readonly<Record<SettingName, string>>>): string {
  const document = new Document({})
  for (const [name, text] of Object.entries(given) as [SettingName, string][]) {
    const { key = name, type } = settingTable[name]
    document.setIn(key.replace('*', 'web').split('.'), valueFrom(text, type.schema))
  }
  return document.toString()
}

/** A text as the value that YAML would have in its place. What makes no sense stays a text, and is refused where it is read. */
function valueFrom(text: string, { type, items }: Readonly<Record<string, unknown>>): unknown {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (type === 'array' && (items as { type?: unknown }).type === 'string') return lines
  if (type === 'object')
    return Object.fromEntries(lines.map((line) => [line.replace(/=.*/, ''), line.replace(/^[^=]*=?/, '')]))
  if (type === 'string' || type === undefined) return text
  try {
    return parse(text)
  } catch {
    return text
  }
}
