import { Secret } from '../core/secret.ts'
import { parseAutoscale } from './autoscale.ts'
import { parseDnsRecords } from './dns.ts'
import { parseServiceName } from './names.ts'
import { parseGlobs } from './paths.ts'
import * as values from './values.ts'
import { parseDatabaseVariables, parseVariables } from './variables.ts'

/** A part of a JSON Schema (draft 2020-12). */
export type Schema = Readonly<Record<string, unknown>>

/** What a setting may hold. */
export interface ValueType<T> {
  /** Reads the text that was given; never called for an empty one. */
  readonly parse: (text: string) => values.Read<T>
  /** The same for editors, as a value in `ink.yml`. What it lets pass, `parse` may still refuse. */
  readonly schema: Schema
  /** A value that no message may show. */
  readonly secret?: true
}

const text: Schema = { type: 'string' }
const lines: Schema = { type: 'array', items: text }
const amount: Schema = { type: 'number', minimum: 0 }

export const flag: ValueType<boolean> = { parse: values.parseBoolean, schema: { type: 'boolean' } }
export const memory: ValueType<string> = {
  parse: values.parseMemory,
  schema: { enum: values.memorySizesMi.flatMap((size) => [`${size}Mi`, ...(size < 1024 ? [] : [`${size / 1024}Gi`])]) },
}
export const vcpus: ValueType<string> = {
  parse: values.parseVcpus,
  schema: { enum: values.vcpuSizes.flatMap((size) => [size, Number(size)]) },
}
export const autoscale = { parse: parseAutoscale, schema: text }
export const rate: ValueType<number> = { parse: values.parseRate, schema: amount }
export const dollars: ValueType<number> = { parse: values.parseDollars, schema: amount }
export const dollarLimit: ValueType<number> = {
  parse: (given) => values.parseDollars(given, 'more than 0'),
  schema: amount,
}
export const path: ValueType<string> = { parse: values.parseRelativePath, schema: text }
export const healthPath: ValueType<string> = {
  parse: (given) => (given === 'none' || given === 'mcp' ? { value: given } : values.parseHealthPath(given)),
  schema: { anyOf: [{ enum: ['none', 'mcp'] }, { type: 'string', pattern: '^/' }] },
}
export const answerText: ValueType<string> = { parse: values.parseAnswerText, schema: text }
export const statuses = { parse: values.parseStatuses, schema: { type: ['string', 'integer'] } }
export const domain: ValueType<string> = { parse: values.parseDomain, schema: text }
export const previewDomain: ValueType<string> = {
  parse: values.parsePreviewDomain,
  schema: { type: 'string', pattern: '\\{number\\}' },
}
export const globs = { parse: parseGlobs, schema: lines }
export const branch: ValueType<string> = { parse: values.parseBranch, schema: text }
export const commit: ValueType<string> = { parse: values.parseCommitSha, schema: text }
export const name: ValueType<string> = { parse: values.parseName, schema: text }
export const serviceLabel: ValueType<string> = { parse: parseServiceName, schema: text }
export const line: ValueType<string> = { parse: values.parseLine, schema: text }
export const markdown: ValueType<string> = { parse: values.parseMarkdown, schema: text }
export const shellCommand: ValueType<string> = { parse: values.parseShellCommand, schema: text }
export const endpoint: ValueType<string> = { parse: values.parseEndpoint, schema: text }

export const variables = {
  parse: parseVariables,
  schema: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  secret: true,
} as const
export const databaseVariables = {
  parse: parseDatabaseVariables,
  schema: { type: 'object', additionalProperties: text },
}
export const dnsRecords = {
  parse: parseDnsRecords,
  schema: { type: 'array', items: { type: 'object', required: ['zone', 'name', 'type', 'content'] } },
}

export const apiKey: ValueType<Secret> = {
  parse: (given) =>
    values.looksLikeApiKey(given)
      ? { value: new Secret(given) }
      : { allowed: 'an ml.ink API key, which starts with dk_ and has no spaces in it' },
  schema: text,
  secret: true,
}
export const token: ValueType<Secret> = {
  parse: (given) => ({ value: new Secret(given) }),
  schema: text,
  secret: true,
}

/** One of a few words. */
export function choice<const T extends string>(choices: readonly T[]): ValueType<T> {
  return { parse: (given) => values.parseChoice(given, choices), schema: { enum: choices } }
}

/** A whole number; both ends are allowed. */
export function integer(from: number, to: number): ValueType<number> {
  return {
    parse: (given) => values.parseInteger(given, { from, to }),
    schema: { type: 'integer', minimum: from, maximum: to },
  }
}

/** A duration with its unit, of a second at least. In milliseconds. */
export function duration(longest: values.Duration): ValueType<number> {
  return {
    parse: (given) => values.parseDuration(given, longest),
    schema: { type: 'string', pattern: '^\\d{1,6}(\\.\\d{1,3})?\\s?[smhd]$' },
  }
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
