import type { Account } from '../accounts.ts'
import type { EnvVar } from '../services.ts'

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

export interface Tool {
  readonly name: string
  readonly description: string
  readonly input: JsonSchema
  readonly output: JsonSchema
  readonly run: (args: Arguments, account: Account) => Promise<Record<string, unknown>> | Record<string, unknown>
}

/** A failure that the platform reports as a tool result with `isError`, in these words. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
}

/**
 * Arguments of one call. Types and names are checked as the platform's schema validation does;
 * required values and enumerations are left to the handlers, whose own words are the documented ones.
 */
export interface Arguments {
  /** The text, or an empty one when it was not given: the platform's handlers do not tell these apart. */
  text(name: string): string
  integer(name: string): number | undefined
  flag(name: string): boolean
  envVars(name: string): EnvVar[]
  /** True when the argument was given; `null` is the platform's word for not given. */
  has(name: string): boolean
  raw(name: string): unknown
}

/** @throws ToolFailure when an argument is not declared, or of another type */
export function readArguments(schema: JsonSchema, values: Readonly<Record<string, unknown>>): Arguments {
  for (const [name, value] of Object.entries(values)) {
    const declared = schema.properties?.[name]
    if (declared === undefined) refuse(`validating root: unexpected additional properties ["${name}"]`)
    checkType(declared, value, `/properties/${name}`)
  }
  return {
    text: (name) => (values[name] as string | undefined) ?? '',
    integer: (name) => values[name] as number | undefined,
    flag: (name) => (values[name] as boolean | undefined) ?? false,
    envVars: (name) => (values[name] as EnvVar[] | undefined) ?? [],
    has: (name) => values[name] != null,
    raw: (name) => values[name],
  }
}

function refuse(text: string): never {
  throw new ToolFailure(`validating "arguments": ${text}`)
}

function checkType(schema: JsonSchema | undefined, value: unknown, path: string): void {
  const types = schema?.type === undefined ? undefined : [schema.type].flat()
  const actual = typeOf(value)
  if (types !== undefined && !types.some((type) => type === actual || (type === 'number' && actual === 'integer'))) {
    const wanted = types.length === 1 ? `want "${types[0]}"` : `want one of "${types.join(', ')}"`
    refuse(`validating root: validating ${path}: type: ${JSON.stringify(value)} has type "${actual}", ${wanted}`)
  }
  if (Array.isArray(value)) for (const item of value) checkType(schema?.items, item, `${path}/items`)
  if (actual === 'object' && schema?.properties !== undefined)
    checkObject(schema, value as Record<string, unknown>, path)
}

function checkObject(schema: JsonSchema, value: Record<string, unknown>, path: string): void {
  for (const [name, member] of Object.entries(value)) {
    if (schema.properties?.[name] === undefined) {
      refuse(`validating root: validating ${path}: unexpected additional properties ["${name}"]`)
    }
    checkType(schema.properties[name], member, `${path}/properties/${name}`)
  }
  const missing = schema.required?.filter((name) => value[name] === undefined) ?? []
  if (missing.length > 0)
    refuse(`validating root: validating ${path}: required: missing properties: ${JSON.stringify(missing)}`)
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}

/** The result that the platform's server puts beside the text of a failure: every required field, empty. */
export function emptyResult(schema: JsonSchema): Record<string, unknown> {
  const entries = (schema.required ?? []).map((name) => [name, emptyValue(schema.properties?.[name])])
  return Object.fromEntries(entries)
}

function emptyValue(schema: JsonSchema | undefined): unknown {
  const types = [schema?.type ?? 'string'].flat()
  if (types.includes('null')) return null
  if (types.includes('string')) return ''
  if (types.includes('boolean')) return false
  if (types.includes('object') && schema !== undefined) return emptyResult(schema)
  return 0
}

/** An object schema that allows nothing but its properties; names ending in `?` are optional. */
export function objectSchema(properties: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const entries = Object.entries(properties)
  return {
    type: 'object',
    properties: Object.fromEntries(entries.map(([name, schema]) => [name.replace(/\?$/, ''), schema])),
    required: entries.filter(([name]) => !name.endsWith('?')).map(([name]) => name),
    additionalProperties: false,
  }
}

export const text = (description: string, rest: Omit<JsonSchema, 'type' | 'description'> = {}): JsonSchema => ({
  type: 'string',
  description,
  ...rest,
})

export const integer = (description: string, rest: Omit<JsonSchema, 'type' | 'description'> = {}): JsonSchema => ({
  type: 'integer',
  description,
  ...rest,
})

export const flag = (description: string): JsonSchema => ({ type: 'boolean', description, default: false })

/** A list as the platform's server describes it: `null` is what its language sends for an empty one. */
export const listOf = (items: JsonSchema): JsonSchema => ({ type: ['null', 'array'], items })

/** The project that a call names; without one, the default project. */
export function projectOf(args: Arguments): string {
  return args.text('project') || 'default'
}
