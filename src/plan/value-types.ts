import { Secret } from '../core/secret.ts'
import { parseAutoscale } from './autoscale.ts'
import { parseDnsRecords } from './dns.ts'
import { parseServiceName } from './names.ts'
import { parseGlobs } from './paths.ts'
import { anyText, looksLikeApiKey, type ValueType } from './values.ts'
import { parseDatabaseVariables, parseVariables } from './variables.ts'

export const autoscale = { parse: parseAutoscale, schema: anyText }
export const globs = { parse: parseGlobs, schema: { type: 'array', items: anyText } }
export const serviceLabel = { parse: parseServiceName, schema: anyText }
export const variables = {
  parse: parseVariables,
  schema: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  secret: true,
} as const
export const databaseVariables = {
  parse: parseDatabaseVariables,
  schema: { type: 'object', additionalProperties: anyText },
}
export const dnsRecords = {
  parse: parseDnsRecords,
  schema: { type: 'array', items: { type: 'object', required: ['zone', 'name', 'type', 'content'] } },
}

export const apiKey: ValueType<Secret> = {
  parse: (given) =>
    looksLikeApiKey(given)
      ? { value: new Secret(given) }
      : { allowed: 'an ml.ink API key, which starts with dk_ and has no spaces in it' },
  schema: anyText,
  secret: true,
}
export const token: ValueType<Secret> = {
  parse: (given) => ({ value: new Secret(given) }),
  schema: anyText,
  secret: true,
}

/** One row of the table of settings. */
export interface Setting<T> {
  readonly type: ValueType<NonNullable<T>>
  /** The text that counts where none is given; empty for a setting that need not have a value. */
  readonly fallback: string
  /** One line of Markdown, without a full stop: it stands in `action.yml`, in the README and in editors. */
  readonly description: string
  /** Where it may stand in `ink.yml`, `*` being the name of a service; undefined for what only a workflow may say. */
  readonly key: SettingKey | undefined
  /** Only here for its type: whether a value may be missing. */
  readonly value?: T
}

export type SettingKey = `${'services.*' | 'previews' | 'environments.*' | 'prices'}.${string}`

/** A setting that may be left out. */
export function optional<T>(type: ValueType<T>, description: string, key?: SettingKey): Setting<T | undefined> {
  return { type: type as ValueType<NonNullable<T>>, fallback: '', description, key }
}

/** A setting that always has a value. */
export function withDefault<T>(
  type: ValueType<T>,
  fallback: string,
  description: string,
  key?: SettingKey,
): Setting<T> {
  return { type: type as ValueType<NonNullable<T>>, fallback, description, key }
}
