/** The part of JSON Schema that the platform's tools are described with. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly enum?: readonly string[]
  readonly default?: string | number | boolean
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: JsonSchema
}

type Details = Omit<JsonSchema, 'type' | 'description'>

export const text = (description: string, rest: Details = {}): JsonSchema => ({ type: 'string', description, ...rest })

export const integer = (description: string, rest: Details = {}): JsonSchema => ({
  type: 'integer',
  description,
  ...rest,
})

export const flag = (description: string): JsonSchema => ({ type: 'boolean', description, default: false })

export const listOf = (items: JsonSchema): JsonSchema => ({ type: 'array', items })

/** What may also be `null`, as the platform's server describes an optional field of a result. */
export const nullable = (schema: JsonSchema): JsonSchema => ({ ...schema, type: ['null', String(schema.type)] })

/** A list as later servers describe it: `null` is what their language sends for an empty one. */
export const nullableListOf = (items: JsonSchema): JsonSchema => nullable(listOf(items))

/** An object schema that allows nothing but its properties; names ending in `?` are optional. */
export function objectSchema(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const entries = Object.entries(properties)
  const required = entries.filter(([name]) => !name.endsWith('?')).map(([name]) => name)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
    ...(required.length === 0 ? {} : { required }),
    additionalProperties: false,
  }
}

/**
 * The first thing that is wrong with a value, in the words of the validator that the platform uses; undefined when nothing is.
 *
 * @param path - JSON pointer of the schema, empty for the root
 */
export function violation(schema: JsonSchema, value: unknown, path = ''): string | undefined {
  const types = schema.type === undefined ? undefined : [schema.type].flat()
  const actual = typeOf(value)
  if (types !== undefined && !types.some((type) => type === actual || (type === 'number' && actual === 'integer'))) {
    const wanted = types.length === 1 ? `want "${types[0]}"` : `want one of "${types.join(', ')}"`
    return `type: ${printed(value)} has type "${actual}", ${wanted}`
  }
  if (schema.enum !== undefined && !schema.enum.some((allowed) => allowed === value)) {
    return `enum: ${printed(value)} does not equal any of: [${schema.enum.join(' ')}]`
  }
  if (Array.isArray(value) && schema.items !== undefined) {
    for (const item of value) {
      const problem = within(schema.items, item, `${path}/items`)
      if (problem !== undefined) return problem
    }
  }
  return actual === 'object' ? objectViolation(schema, value as Record<string, unknown>, path) : undefined
}

function objectViolation(schema: JsonSchema, value: Record<string, unknown>, path: string): string | undefined {
  for (const [name, declared] of Object.entries(schema.properties ?? {})) {
    if (value[name] === undefined) continue
    const problem = within(declared, value[name], `${path}/properties/${name}`)
    if (problem !== undefined) return problem
  }
  const quoted = (names: readonly string[]) => `[${names.map((name) => JSON.stringify(name)).join(' ')}]`
  const undeclared = Object.keys(value).filter((name) => !Object.hasOwn(schema.properties ?? {}, name))
  if (schema.additionalProperties === false && undeclared.length > 0) {
    return `unexpected additional properties ${quoted(undeclared)}`
  }
  const missing = (schema.required ?? []).filter((name) => value[name] === undefined)
  return missing.length > 0 ? `required: missing properties: ${quoted(missing)}` : undefined
}

function within(schema: JsonSchema, value: unknown, path: string): string | undefined {
  const problem = violation(schema, value, path)
  return problem === undefined ? undefined : `validating ${path}: ${problem}`
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** A value as the platform's language prints it. */
function printed(value: unknown): string {
  if (value === null) return '<invalid reflect.Value>'
  if (Array.isArray(value)) return `[${value.map(printed).join(' ')}]`
  if (typeof value !== 'object') return String(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `map[${members.map(([key, member]) => `${key}:${printed(member)}`).join(' ')}]`
}

/** The result that the platform's server puts beside the text of a failure: every required field at its zero value. */
export function emptyResult(schema: JsonSchema): Record<string, unknown> {
  const entries = (schema.required ?? []).map((name) => [name, emptyValue(schema.properties?.[name])])
  return Object.fromEntries(entries)
}

function emptyValue(schema: JsonSchema | undefined): unknown {
  const types = [schema?.type ?? 'string'].flat()
  if (types.includes('null') || types.includes('array')) return null
  if (types.includes('string')) return ''
  if (types.includes('boolean')) return false
  if (types.includes('object') && schema !== undefined) return emptyResult(schema)
  return 0
}
