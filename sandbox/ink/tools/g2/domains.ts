import { type JsonSchema, nullableListOf, objectSchema } from '../../mcp/schema.ts'
import type { Arguments, Tool } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import { g1DomainTools } from '../g1/domains.ts'
import { requireWorkspace, workspaceArgument } from './account.ts'

/** What generation 2 calls the domain tools of generation 1. */
const NAMES: Readonly<Record<string, string>> = {
  add_custom_domain: 'domain_add',
  remove_custom_domain: 'domain_remove',
  list_delegations: 'dns_list_zones',
  add_dns_record: 'dns_add_record',
  delete_dns_record: 'dns_delete_record',
  list_dns_records: 'dns_list_records',
}

/** The domain tools of generation 2: other names, a workspace, and results in camelCase. */
export function g2DomainTools(core: PlatformCore): Tool[] {
  return g1DomainTools(core).map((tool) => ({
    ...tool,
    name: NAMES[tool.name] ?? tool.name,
    input: withWorkspace(tool.input),
    output: camelSchema(tool.output),
    async run(args: Arguments, account) {
      requireWorkspace(args, account)
      return camelKeys(await tool.run(args, account)) as Record<string, unknown>
    },
  }))
}

function withWorkspace(input: JsonSchema): JsonSchema {
  const { properties } = objectSchema(workspaceArgument)
  return { ...input, properties: { ...input.properties, ...properties } }
}

const camel = (name: string) => name.replaceAll(/_([a-z])/g, (_match, letter: string) => letter.toUpperCase())

function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [camel(name), camelKeys(member)]))
}

function camelSchema(schema: JsonSchema): JsonSchema {
  const properties = Object.entries(schema.properties ?? {}).map(([name, member]) => [camel(name), camelSchema(member)])
  return {
    ...schema,
    ...(schema.properties === undefined ? {} : { properties: Object.fromEntries(properties) }),
    ...(schema.required === undefined ? {} : { required: schema.required.map(camel) }),
    ...(schema.items === undefined ? {} : nullableListOf(camelSchema(schema.items))),
  }
}
