import { DeployError } from '../core/errors.ts'
import type { Tool } from './session.ts'

/** How a service is built and run. What is unset is left to the platform on creation and unchanged on update. */
export interface ServiceSettings {
  buildPack?: string | undefined
  buildCommand?: string | undefined
  startCommand?: string | undefined
  publishDirectory?: string | undefined
  rootDirectory?: string | undefined
  dockerfilePath?: string | undefined
  port?: number | undefined
  memory?: string | undefined
  vcpus?: string | undefined
  region?: string | undefined
  env?: Readonly<Record<string, string>> | undefined
  destroyTimeoutSeconds?: number | undefined
}

/** Arguments we want to pass, in our own words; {@link shapeArguments} writes them the way the tool declares them. */
export interface WantedArguments extends ServiceSettings {
  name?: string
  project?: string | undefined
  workspace?: string | undefined
  repo?: string | undefined
  branch?: string | undefined
  includeEnv?: boolean | undefined
  deployLogLines?: number | undefined
  runtimeLogLines?: number | undefined
  domain?: string | undefined
  type?: string | undefined
  size?: string | undefined
  zone?: string | undefined
  recordId?: string | undefined
  content?: string | undefined
  ttl?: number | undefined
  template?: string | undefined
  instanceId?: string | undefined
  timeRange?: string | undefined
}

/** Arguments whose absence from a tool's schema is no loss. */
export const refinements: ReadonlySet<string> = new Set<keyof WantedArguments>([
  'includeEnv',
  'deployLogLines',
  'runtimeLogLines',
  'timeRange',
])

interface Property {
  type?: string | string[]
  enum?: unknown[]
  default?: unknown
  items?: { properties?: Record<string, Property>; enum?: unknown[] }
  anyOf?: Property[]
  oneOf?: Property[]
}

type Shaper = (value: never, property: Property) => unknown
type Spelling = readonly [property: string, shape?: Shaper]

const enumerated: Shaper = (value: string, property) => nearestEnum(value, property)

// Per argument: the property names under which servers declare it, best first, each with the shape it takes there. Whatever
// is not named here is declared in snake_case.
const spellings: Partial<Readonly<Record<keyof WantedArguments, readonly Spelling[]>>> = {
  name: [['name'], ['repo']],
  workspace: [['workspace_slug'], ['workspace']],
  region: [['region'], ['regions', (value: string) => [value]]],
  port: [['port'], ['ports', (value: number, property) => [declaredOf(property, value)]]],
  memory: [['memory', enumerated]],
  vcpus: [
    ['vcpus', enumerated],
    ['cpu', enumerated],
  ],
  env: [
    [
      'env_vars',
      (value: Record<string, string>, property) =>
        accepts(property, 'object') ? value : Object.entries(value).map(([key, text]) => ({ key, value: text })),
    ],
  ],
  recordId: [['record_id'], ['id']],
  instanceId: [['id'], ['instance_id'], ['template_instance_id']],
}

/** `createService` → `create service`, `create_service`, `create-service`. */
export function separated(word: string, separator: string): string {
  return word.replace(/[A-Z]/g, (letter) => separator + letter.toLowerCase())
}

/** A number is a text where a schema takes nothing but texts. */
function typed(value: unknown, property: Property): unknown {
  const asText = accepts(property, 'string') && !accepts(property, 'integer') && !accepts(property, 'number')
  return typeof value === 'number' && asText ? String(value) : value
}

/**
 * Writes arguments the way a tool's `inputSchema` declares them: its names, its types (`port` as a number, a text or
 * `ports[]`; variables as a list or an object; `1Gi` where the list says `1024Mi`).
 * @returns beside them those that it does not declare, which are not sent
 */
export function shapeArguments(tool: Tool, wanted: WantedArguments) {
  const args: Record<string, unknown> = {}
  const undeclared: string[] = []
  for (const [key, value] of Object.entries(wanted) as [keyof WantedArguments, unknown][]) {
    if (value === undefined) continue
    const declared = declaredAs(tool, key)
    if (declared) args[declared.name] = declared.shape(value as never, declared.property)
    else undeclared.push(key)
  }
  return { args, undeclared }
}

function declaredAs(tool: Tool, argument: keyof WantedArguments) {
  const properties = tool.inputSchema.properties ?? {}
  const known: readonly Spelling[] = spellings[argument] ?? [[separated(argument, '_')]]
  const spelling = known.find(([name]) => Object.hasOwn(properties, name))
  if (!spelling) return undefined
  const [name, shape = typed] = spelling
  const property: unknown = properties[name]
  return { name, shape, property: (typeof property === 'object' && property !== null ? property : {}) as Property }
}

/** Values that a server would refuse, and what it allows instead. */
export type RefusedArgument = ReturnType<typeof refusedArguments>[number]

/** The values that a tool's schema allows for an argument; undefined where it sets no list. */
export function allowedValues(tool: Tool, argument: keyof WantedArguments): readonly string[] | undefined {
  const declared = declaredAs(tool, argument)
  if (!declared) return undefined
  const allowed = enumeration(declared.property).map(String)
  return allowed.length > 0 ? allowed : undefined
}

/** What a server takes for an argument that is not given, as the tool's schema declares it. */
export function defaultValue(tool: Tool | undefined, argument: keyof WantedArguments): string | undefined {
  const value = tool && declaredAs(tool, argument)?.property.default
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** All values that a tool's schema does not allow, in whatever unit they are written. Asks nobody. */
export function refusedArguments(tool: Tool, wanted: WantedArguments) {
  return (Object.keys(wanted) as (keyof WantedArguments)[]).flatMap((argument) => {
    const value = wanted[argument]
    const declared = declaredAs(tool, argument)
    const allowed = allowedValues(tool, argument)
    if (!declared || !allowed || value === undefined) return []
    const sent = [declared.shape(value as never, declared.property)].flat().map(String)
    return sent.every((one) => allowed.includes(one)) ? [] : [{ argument, value: String(value), allowed }]
  })
}

/** The error for values that a server does not allow: every setting with its value and what it may be. */
export function argumentsRefused(refused: readonly RefusedArgument[]): DeployError {
  const lines = refused.map(({ argument, value, allowed }) => {
    return `\`${separated(argument, '-')}\` is “${value}”, and this ml.ink server allows ${allowed.join(', ')}`
  })
  return new DeployError(lines.join('; '), { hint: 'Nothing was changed. Set one of the values that are allowed.' })
}

function accepts(property: Property, type: string): boolean {
  return alternatives(property).some((one) => (Array.isArray(one.type) ? one.type.includes(type) : one.type === type))
}

/** Some servers write `integer or nothing` as a choice between schemas. */
function alternatives(property: Property): Property[] {
  const others = [property.anyOf, property.oneOf].flatMap((some) => (Array.isArray(some) ? some : []))
  return [property, ...others.filter((one) => typeof one === 'object' && one !== null)]
}

/** The values of a schema's list, or of its items' where a list of values is wanted. */
function enumeration(property: Property): readonly unknown[] {
  const own = alternatives(property).flatMap((one) => (Array.isArray(one.enum) ? one.enum : []))
  const items = Array.isArray(property.items?.enum) ? property.items.enum : []
  return (own.length > 0 ? own : items).filter((one) => one !== null)
}

/** One port in what the list's items declare; all of it where they declare nothing. */
function declaredOf(property: Property, value: number): Record<string, unknown> {
  const declared = alternatives(property).find(({ items }) => items?.properties)?.items?.properties
  const port = declared?.port === undefined ? value : typed(value, declared.port)
  const whole = { name: 'http', port, protocol: 'http', visibility: 'public' }
  if (!declared) return whole
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name in declared))
}

/** Finds the enumeration's own spelling of a size: `1Gi` is `1024Mi`, `1` is `1.0`. An unknown value goes as it is: the platform's refusal lists what it takes. */
function nearestEnum(value: string, property: Property): unknown {
  const allowed = enumeration(property)
  const listed = allowed.find((one) => one === value) ?? allowed.find((one) => amount(String(one)) === amount(value))
  if (listed !== undefined) return listed
  if (accepts(property, 'number')) return Number(value)
  // Where no list says how a size is written: in mebibytes, as every generation writes it.
  return /gi?b?$/i.test(value) ? `${amount(value)}Mi` : value
}

/** A size as a number: mebibytes for memory, plain for cores. */
function amount(size: string): number {
  const [, figure, unit] = /^([\d.]+)\s*([MG][iB]?|)$/i.exec(size) ?? []
  return Number(figure) * (/^g/i.test(unit ?? '') ? 1024 : 1)
}
