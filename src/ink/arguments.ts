import type { Tool } from '@modelcontextprotocol/sdk/types.js'

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

interface Property {
  type?: string | string[]
  enum?: unknown[]
  items?: { properties?: Record<string, Property> }
  anyOf?: Property[]
  oneOf?: Property[]
}

type Shaper = (value: never, property: Property) => unknown

// Per wanted argument: the property names under which servers declare it, best first, each with the shape it takes there.
const asIs: Shaper = (value) => value
const typed: Shaper = (value: unknown, property) =>
  accepts(property, 'string') && !accepts(property, 'integer') && !accepts(property, 'number')
    ? String(value)
    : Number(value)
const enumerated: Shaper = (value: string, property) => nearestEnum(value, property)
const variables: Shaper = (value: Record<string, string>, property) =>
  accepts(property, 'object') ? value : Object.entries(value).map(([key, text]) => ({ key, value: text }))
const publicPort: Shaper = (value: number, property) => [declaredOf(property, value)]
const oneOf: Shaper = (value: unknown) => [value]

const spellings: Record<keyof WantedArguments, readonly (readonly [string, Shaper])[]> = {
  name: [
    ['name', asIs],
    ['repo', asIs],
  ],
  project: [['project', asIs]],
  workspace: [
    ['workspace_slug', asIs],
    ['workspace', asIs],
  ],
  repo: [['repo', asIs]],
  branch: [['branch', asIs]],
  region: [
    ['region', asIs],
    ['regions', oneOf],
  ],
  buildPack: [['build_pack', asIs]],
  buildCommand: [['build_command', asIs]],
  startCommand: [['start_command', asIs]],
  publishDirectory: [['publish_directory', asIs]],
  rootDirectory: [['root_directory', asIs]],
  dockerfilePath: [['dockerfile_path', asIs]],
  port: [
    ['port', typed],
    ['ports', publicPort],
  ],
  memory: [['memory', enumerated]],
  vcpus: [
    ['vcpus', enumerated],
    ['cpu', enumerated],
  ],
  env: [['env_vars', variables]],
  destroyTimeoutSeconds: [['destroy_timeout_seconds', typed]],
  includeEnv: [['include_env', asIs]],
  deployLogLines: [['deploy_log_lines', typed]],
  runtimeLogLines: [['runtime_log_lines', typed]],
  domain: [['domain', asIs]],
  type: [['type', asIs]],
  size: [['size', asIs]],
  zone: [['zone', asIs]],
  recordId: [
    ['record_id', asIs],
    ['id', asIs],
  ],
  content: [['content', asIs]],
  ttl: [['ttl', typed]],
  template: [['template', asIs]],
  instanceId: [
    ['id', asIs],
    ['instance_id', asIs],
    ['template_instance_id', asIs],
  ],
  timeRange: [['time_range', asIs]],
}

/** Arguments in the tool's own words, and those that it does not declare and that were therefore not sent. */
export interface ShapedArguments {
  args: Record<string, unknown>
  undeclared: string[]
}

/**
 * Writes arguments the way a tool's `inputSchema` declares them: its names, its types (`port` as a number, a text or
 * `ports[]`; variables as a list or an object; `1Gi` where the list says `1024Mi`). What it does not declare is not sent.
 */
export function shapeArguments(tool: Tool, wanted: WantedArguments): ShapedArguments {
  const properties = (tool.inputSchema.properties ?? {}) as Record<string, Property>
  const shaped: ShapedArguments = { args: {}, undeclared: [] }
  for (const [key, value] of Object.entries(wanted) as [keyof WantedArguments, unknown][]) {
    if (value === undefined) continue
    const spelling = spellings[key].find(([name]) => name in properties)
    if (!spelling) {
      shaped.undeclared.push(key)
      continue
    }
    const [name, shape] = spelling
    shaped.args[name] = shape(value as never, properties[name] ?? {})
  }
  return shaped
}

function accepts(property: Property, type: string): boolean {
  return alternatives(property).some((one) => (Array.isArray(one.type) ? one.type.includes(type) : one.type === type))
}

/** Some servers write `integer or nothing` as a choice between schemas. */
function alternatives(property: Property): Property[] {
  return [property, ...(property.anyOf ?? []), ...(property.oneOf ?? [])]
}

/** One port in what the list's items declare; all of it where they declare nothing. */
function declaredOf(property: Property, value: number): Record<string, unknown> {
  const declared = alternatives(property).find(({ items }) => items?.properties)?.items?.properties
  const port = declared?.port === undefined ? value : typed(value as never, declared.port)
  const whole = { name: 'http', port, protocol: 'http', visibility: 'public' }
  if (!declared) return whole
  return Object.fromEntries(Object.entries(whole).filter(([name]) => name in declared))
}

/** Finds the enumeration's own spelling of a size: `1Gi` is `1024Mi`, `1` is `1.0`. An unknown value goes as it is: the platform's refusal lists what it takes. */
function nearestEnum(value: string, property: Property): unknown {
  const allowed = alternatives(property).flatMap((one) => one.enum ?? [])
  return (
    allowed.find((one) => one === value) ??
    allowed.find((one) => amount(String(one)) === amount(value)) ??
    (accepts(property, 'number') ? Number(value) : plainest(value))
  )
}

/** Where no list says how a size is written: in mebibytes, as every generation writes it. */
function plainest(size: string): string {
  return /gi?b?$/i.test(size) ? `${amount(size)}Mi` : size
}

/** A size as a number: mebibytes for memory, plain for cores. */
function amount(size: string): number {
  const match = /^([\d.]+)\s*([MG][iB]?|)$/i.exec(size)
  const [, figure, unit] = match ?? []
  return Number(figure) * (/^g/i.test(unit ?? '') ? 1024 : 1)
}
