import type * as z from 'zod'
import { DeployError } from '../core/errors.ts'
import { PlatformError, ToolError, type ToolFailure } from './errors.ts'
import { readResult } from './results.ts'
import type { Session, Tool } from './session.ts'

/**
 * What we want done, and under which names the generations of ml.ink's servers offer it. The first name that a server
 * lists wins. Source: tool lists of the public server (G1), of the current one (G2) and of documentation pages.
 */
const names = {
  createService: ['create_service', 'service_create'],
  listServices: ['list_services', 'service_list'],
  getService: ['get_service', 'service_get'],
  updateService: ['update_service', 'service_update'],
  deleteService: ['delete_service', 'service_delete'],
  createRepository: ['create_repo', 'repo_create'],
  getGitToken: ['get_git_token', 'repo_get_token', 'get_git_push_token'],
  createDatabase: ['create_resource'],
  listDatabases: ['list_resources'],
  getDatabase: ['get_resource'],
  deleteDatabase: ['delete_resource'],
  deployTemplate: ['template_deploy'],
  listTemplateInstances: ['template_instance_list'],
  getTemplateInstance: ['template_instance_get'],
  listVolumes: ['volume_list'],
  deleteVolume: ['volume_delete'],
  addDomain: ['add_custom_domain', 'domain_add'],
  removeDomain: ['remove_custom_domain', 'domain_remove'],
  addDnsRecord: ['add_dns_record', 'dns_add_record'],
  deleteDnsRecord: ['delete_dns_record', 'dns_delete_record'],
  listDnsRecords: ['list_dns_records', 'dns_list_records'],
  listZones: ['list_delegations', 'dns_list_zones'],
  listProjects: ['list_projects', 'project_list'],
  listWorkspaces: ['list_workspaces', 'workspace_list'],
  whoami: ['whoami'],
  checkCredits: ['check_credits'],
  serviceMetrics: ['service_metrics', 'get_service_metrics'],
  accountLimits: ['resource_limits', 'get_resource_limits'],
} as const satisfies Record<string, readonly [string, ...string[]]>

/** One thing that ml.ink can do for us, whatever its server calls it. */
export type Purpose = keyof typeof names

/** Every purpose with its names, in the order in which they are looked for. @internal */
export const toolNames: Readonly<Record<Purpose, readonly string[]>> = names

/** The tools of one server, by purpose. */
export type Catalogue = ReturnType<typeof openCatalogue>

/** Resolves every purpose from a server's `tools/list`. */
export function openCatalogue(tools: readonly Tool[]) {
  const byName = new Map(tools.map((tool) => [tool.name, tool]))
  const find = (purpose: Purpose): Tool | undefined =>
    names[purpose].map((name) => byName.get(name)).find((tool) => tool !== undefined)
  return {
    find,
    /** @throws PlatformError `missing-tool` when the server offers nothing for this purpose */
    need: (purpose: Purpose): Tool => {
      const tool = find(purpose)
      if (tool) return tool
      const what = `no tool to ${separated(purpose, ' ')} (looked for ${names[purpose].join(', ')})`
      throw new PlatformError('missing-tool', `This ml.ink server offers ${what}`)
    },
  }
}

type Call = <T>(purpose: Purpose, wanted: WantedArguments, schema: z.ZodType<T>, signal: AbortSignal) => Promise<T>

/** Calls tools: names, arguments and results are those of whatever generation the server is. */
export type Caller = ReturnType<typeof openCaller>

/** @param scope goes with every call of a tool that takes it */
export function openCaller(
  session: Session,
  catalogue: Catalogue,
  scope: Pick<WantedArguments, 'project' | 'workspace'>,
  warning: (text: string) => void,
) {
  const warned = new Set<string>()
  const calling =
    (repeatable: boolean): Call =>
    async (purpose, wanted, schema, signal) => {
      const tool = catalogue.need(purpose)
      const { args, undeclared } = shapeArguments(tool, { ...wanted, ...scope })
      for (const missing of undeclared) {
        if (!(missing in wanted) || refinements.has(missing)) continue
        const text = `This ml.ink server’s ${tool.name} takes no “${missing}”; the platform’s own value is used instead.`
        if (!warned.has(text)) warning(text)
        warned.add(text)
      }
      return readResult(schema, await session.call(tool.name, args, { repeatable, signal }), tool.name)
    }
  return {
    /** For what does no more when asked twice than when asked once: reading, deleting, and making what is there already. */
    repeatable: calling(true),
    /** For what must not be carried out twice. */
    once: calling(false),
  }
}

/** What a call yields, or undefined when the platform says that there is no such thing. */
export async function unlessMissing<T>(missing: ToolFailure, answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof ToolError && error.reason === missing) return undefined
    throw error
  }
}

type Texts<K extends string> = { [key in K]?: string | undefined }
type Figures<K extends string> = { [key in K]?: number | undefined }

/** How a service is built and run. What is unset is left to the platform on creation and unchanged on update. */
export type ServiceSettings = Texts<'buildPack' | 'buildCommand' | 'startCommand' | 'publishDirectory'> &
  Texts<'rootDirectory' | 'dockerfilePath' | 'memory' | 'vcpus' | 'region'> &
  Figures<'port' | 'destroyTimeoutSeconds'> & { env?: Readonly<Record<string, string>> | undefined }

/** Arguments we want to pass, in our own words; {@link shapeArguments} writes them the way the tool declares them. */
export type WantedArguments = ServiceSettings &
  Texts<'name' | 'project' | 'workspace' | 'repo' | 'branch' | 'domain' | 'type' | 'size' | 'zone' | 'recordId'> &
  Texts<'content' | 'template' | 'instanceId' | 'timeRange'> &
  Figures<'deployLogLines' | 'runtimeLogLines' | 'ttl'> & { includeEnv?: boolean | undefined }

/** Arguments whose absence from a tool's schema is no loss. */
const refinements: ReadonlySet<string> = new Set(['includeEnv', 'deployLogLines', 'runtimeLogLines', 'timeRange'])

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

// Per argument: the property names under which servers declare it, best first, each with the shape it takes there. Whatever
// is not named here is declared in snake_case.
const spellings: Partial<Readonly<Record<keyof WantedArguments, readonly Spelling[]>>> = {
  name: [['name'], ['repo']],
  workspace: [['workspace_slug'], ['workspace']],
  region: [['region'], ['regions', (value: string) => [value]]],
  port: [['port'], ['ports', (value: number, property) => [declaredOf(property, value)]]],
  memory: [['memory', nearestEnum]],
  vcpus: [
    ['vcpus', nearestEnum],
    ['cpu', nearestEnum],
  ],
  env: [['env_vars', objectOrPairs]],
  recordId: [['record_id'], ['id']],
  instanceId: [['id'], ['instance_id'], ['template_instance_id']],
}

/** `createService` → `create service`, `create_service`, `create-service`. */
function separated(word: string, separator: string): string {
  return word.replace(/[A-Z]/g, (letter) => separator + letter.toLowerCase())
}

function objectOrPairs(value: Record<string, string>, property: Property): unknown {
  return accepts(property, 'object') ? value : Object.entries(value).map(([key, text]) => ({ key, value: text }))
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

function declaredAs(tool: Tool | undefined, argument: keyof WantedArguments) {
  const properties = tool?.inputSchema.properties ?? {}
  const known: readonly Spelling[] = spellings[argument] ?? [[separated(argument, '_')]]
  const spelling = known.find(([name]) => Object.hasOwn(properties, name))
  if (!spelling) return undefined
  const [name, shape = typed] = spelling
  const property: unknown = properties[name]
  return { name, shape, property: (typeof property === 'object' && property !== null ? property : {}) as Property }
}

/** The values that a tool's schema allows for an argument; undefined where it sets no list. */
export function allowedValues(tool: Tool | undefined, argument: keyof WantedArguments): readonly string[] | undefined {
  const allowed = enumeration(declaredAs(tool, argument)?.property ?? {}).map(String)
  return allowed.length > 0 ? allowed : undefined
}

/** What a server takes for an argument that is not given, as the tool's schema declares it. */
export function defaultValue(tool: Tool | undefined, argument: keyof WantedArguments): string | undefined {
  const value = declaredAs(tool, argument)?.property.default
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

/** All values that a tool's schema does not allow, in whatever unit they are written. Asks nobody. */
export function refusedArguments(tool: Tool | undefined, wanted: WantedArguments) {
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
export function argumentsRefused(refused: ReturnType<typeof refusedArguments>): DeployError {
  const lines = refused.map(
    ({ argument, value, allowed }) =>
      `\`${separated(argument, '-')}\` is “${value}”, and this ml.ink server allows ${allowed.join(', ')}`,
  )
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
