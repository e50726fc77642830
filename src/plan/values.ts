import { domainToASCII } from 'node:url'
import { isLoopback } from '../core/http.ts'

/**
 * A value that was understood; or what would have been allowed, the end of a sentence that begins with "must be"; or,
 * for a text of many lines, what is wrong with which of them.
 */
export type Parsed<T> = { readonly value: T } | { readonly allowed: string }
export type Read<T> = Parsed<T> | { readonly value: T; readonly problems: readonly ValueProblem[] }

export interface ValueProblem {
  /** `line 3`, `entry 2`; undefined where it is the whole. */
  readonly at: string | undefined
  /** One sentence. Never a value, nor a line's text, where these may be secret. */
  readonly text: string
}

/** A part of a JSON Schema (draft 2020-12). */
export type Schema = Readonly<Record<string, unknown>>

/** What a setting may hold. */
export interface ValueType<T, R extends Read<T> = Read<T>> {
  /** Reads the text that was given; never called for an empty one. */
  readonly parse: (text: string) => R
  /** The same for editors, as a value in `ink.yml`. What it lets pass, `parse` may still refuse. */
  readonly schema: Schema
  /** A value that no message may show. */
  readonly secret?: true
}

/** A setting that is one value. */
type Single<T> = ValueType<T, Parsed<T>>

export const anyText: Schema = { type: 'string' }

/** Texts of a form that stay as they are. */
function form(pattern: RegExp, allowed: string): Single<string> {
  return { schema: anyText, parse: (text) => (pattern.test(text) ? { value: text } : { allowed }) }
}

/** One of a few words. */
export function choice<const T extends string>(choices: readonly T[]): Single<T> {
  return {
    schema: { enum: choices },
    parse: (text) => {
      const value = choices.find((one) => one === text)
      return value === undefined ? { allowed: listed(choices) } : { value }
    },
  }
}

function listed(choices: readonly string[]): string {
  return `one of ${choices.join(', ')}`
}

/** As in YAML's core schema, and as the runner's own `getBooleanInput` has it. */
export const flag: Single<boolean> = {
  schema: { type: 'boolean' },
  parse: (text) =>
    /^(true|True|TRUE|false|False|FALSE)$/.test(text) ? { value: /^t/i.test(text) } : { allowed: 'true or false' },
}

/** A whole number; both ends are allowed. */
export function integer(from: number, to: number): Single<number> {
  return {
    schema: { type: 'integer', minimum: from, maximum: to },
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
      return value >= from && value <= to ? { value } : { allowed: `a whole number from ${from} to ${to}` }
    },
  }
}

/** An amount of dollars with so many decimals at most. */
function money(decimals: number, least: number, allowed: string): Single<number> {
  const figure = new RegExp(`^\\d{1,6}(\\.\\d{1,${decimals}})?$`)
  return {
    schema: { type: 'number', minimum: 0 },
    parse: (text) => (figure.test(text) && Number(text) >= least ? { value: Number(text) } : { allowed }),
  }
}

export const rate = money(12, 0, 'an amount in dollars such as 0.000393, or 0 to hide estimates')
export const dollars = money(4, 0, 'an amount in dollars such as 2.50, or 0 for none')
export const dollarLimit = money(4, 0.0001, 'an amount in dollars such as 2.50, more than 0')

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `15m`, `1h`, `7d`, in milliseconds. A number without unit is refused because its unit would be a guess. */
export function duration(longest: `${number}${keyof typeof unitsMs}`): Single<number> {
  return {
    schema: { type: 'string', pattern: '^\\d{1,6}(\\.\\d{1,3})?\\s?[smhd]$' },
    parse: (text) => {
      const value = milliseconds(text)
      return value >= 1000 && value <= milliseconds(longest)
        ? { value }
        : { allowed: `a duration with its unit, such as 90s, 15m or 1h, from 1s to ${longest}` }
    },
  }
}

function milliseconds(text: string): number {
  const [, figure, unit] = /^(\d{1,6}(?:\.\d{1,3})?)\s?([smhd])$/.exec(text) ?? []
  return unit === undefined ? Number.NaN : Number(figure) * unitsMs[unit as keyof typeof unitsMs]
}

/** A duration as a setting has it: `90s`, `15m`, `7d`, in the largest unit that divides it without remainder. */
export function shortDuration(durationMs: number): string {
  const unit = (['d', 'h', 'm'] as const).find((name) => durationMs % unitsMs[name] === 0) ?? 's'
  return `${durationMs / unitsMs[unit]}${unit}`
}

/** The memory sizes of all generations, in MiB, the smallest first. */
export const memorySizesMi: readonly number[] = [128, 256, 512, 1024, 2048, 4096]

/** The sizes that the platform's generations offer, as it writes them; whole gibibytes are understood as well. */
export const memory: Single<string> = {
  schema: { enum: memorySizesMi.flatMap((size) => [`${size}Mi`, ...(size < 1024 ? [] : [`${size / 1024}Gi`])]) },
  parse: (text) => {
    const [, size, unit] = /^(\d{1,5})(Mi|Gi)$/.exec(text) ?? []
    const sizeMi = Number(size) * (unit === 'Gi' ? 1024 : 1)
    return memorySizesMi.includes(sizeMi)
      ? { value: `${sizeMi}Mi` }
      : { allowed: listed(memorySizesMi.map((one) => `${one}Mi`)) }
  },
}

/** The numbers of vCPUs of all generations, the smallest first. */
export const vcpuSizes: readonly string[] = ['0.1', '0.25', '0.5', '1', '2', '4']

export const vcpus: Single<string> = {
  schema: { enum: vcpuSizes.flatMap((size) => [size, Number(size)]) },
  parse: (text) => {
    const value = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? String(Number(text)) : ''
    return vcpuSizes.includes(value) ? { value } : { allowed: listed(vcpuSizes) }
  },
}

/** A path inside the repository, with `/` between its parts and none at its end. */
export const path: Single<string> = {
  schema: anyText,
  parse: (text) => {
    const parts = text.split('/')
    const bad = /^[/~]|^[A-Za-z]:|\\|[\0-\x1f\x7f]/.test(text) || parts.includes('..')
    if (bad) return { allowed: "a path relative to the repository's root, with / between its parts and without .." }
    return { value: parts.filter((part) => part !== '' && part !== '.').join('/') || '.' }
  },
}

/** A path on the deployed service. `//` would name another host once it is resolved against the service's URL. */
export const healthPath: Single<string> = {
  ...form(
    /^(none|mcp|\/(?![/\\])[^\s\\#\0-\x1f\x7f]*)$/,
    'a path that starts with one /, or none to turn the check off, or mcp for an MCP server',
  ),
  schema: { anyOf: [{ enum: ['none', 'mcp'] }, { type: 'string', pattern: '^/' }] },
}

/** A text to be found in an answer. A placeholder that nobody fills would never be found. */
export const answerText = form(
  /^(?!.*\{(?!sha\})[A-Za-z][\w-]*\})[^\0-\x1f\x7f]{0,500}$/,
  'one line of text of at most 500 characters, in which {sha} is the only placeholder',
)

/** Both ends included. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

/** `200`, `200-399`, `200,204,300-308`. */
export const statuses: Single<readonly StatusRange[]> = {
  schema: { type: ['string', 'integer'] },
  parse: (text) => {
    const ranges = text.split(',').map((part): StatusRange | undefined => {
      const [, from, to = from] = /^\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*$/.exec(part) ?? []
      const range = { from: Number(from), to: Number(to) }
      return range.from >= 100 && range.to <= 599 && range.from <= range.to ? range : undefined
    })
    return ranges.every((range) => range !== undefined)
      ? { value: ranges }
      : { allowed: 'HTTP statuses and ranges from 100 to 599, such as 200-399 or 200,204' }
  },
}

/** A host name of at least two labels, in lower case; international names in their ASCII form. */
export const domain: Single<string> = {
  schema: anyText,
  parse: (text) => {
    const value =
      text.length > 253 || /[\s/:@?#*%]/.test(text) ? '' : domainToASCII(text.replace(/\.$/, '')).toLowerCase()
    const labels = value.split('.')
    const good =
      value.length <= 253 &&
      labels.length >= 2 &&
      labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
      !/^\d+$/.test(labels.at(-1) ?? '')
    return good ? { value } : { allowed: 'a host name such as app.example.com, without scheme, port or path' }
  },
}

const anyNumber = '999999999'

/**
 * A host name with `{number}` in its first label, where the longest number of a pull request has room. What is below that
 * label is a zone at ml.ink, which is the same for all pull requests.
 */
export const previewDomain: Single<string> = {
  schema: { type: 'string', pattern: '\\{number\\}' },
  parse: (text) => {
    const parsed = domain.parse(text.replaceAll('{number}', anyNumber))
    return 'value' in parsed && /^[^.]*\{number\}[^.]*\.[^{]*$/.test(text)
      ? { value: parsed.value.replaceAll(anyNumber, '{number}') }
      : { allowed: 'a host name with {number} in its first label alone, such as pr-{number}-preview.example.com' }
  },
}

/** A branch's short name, by the rules that `git check-ref-format` enforces and people trip over. */
export const branch: Single<string> = {
  schema: anyText,
  parse: (text) => {
    const value = text.replace(/^refs\/heads\//, '')
    const bad = /^$|[\s~^:?*[\\\0-\x1f\x7f]|\.\.|@\{|^[-/]|\/$|\/\/|\.$|\.lock$|(^|\/)\./.test(value)
    return bad ? { allowed: 'the name of a branch, such as main' } : { value }
  },
}

/** A commit, whole or abbreviated as far as git abbreviates. */
export const commit: Single<string> = {
  schema: anyText,
  parse: (text) => form(/^[0-9a-f]{7,64}$/, 'a commit SHA of at least 7 hexadecimal digits').parse(text.toLowerCase()),
}

/** A word that the platform uses as a name: project, workspace, region. */
export const name = form(
  /^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$/,
  'a name of letters, digits, dots, hyphens and underscores',
)

/** Without control characters: a label. */
export const line = form(/^[^\0-\x1f\x7f]*$/, 'one line of text')

/** Markdown that stands in a comment of ours, whose own marks are HTML comments. */
export const markdown = form(
  /^(?![\s\S]*(?:<!--|-->))[^\0-\x08\x0b-\x1f\x7f]{0,2000}$/,
  'Markdown of at most 2000 characters without HTML comments',
)

/** A command that the platform hands to a shell: lines and tabs are fine there, NUL is not. */
export const shellCommand = form(/^[^\0]*$/, 'a command')

/** An MCP endpoint. Plain http is for the loopback interface only: the key travels in a header. */
export const endpoint: Single<string> = {
  schema: anyText,
  parse: (text) => {
    const allowed = 'an https URL without credentials or fragment; http only for localhost'
    if (!URL.canParse(text)) return { allowed }
    const url = new URL(text)
    const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
    return secure && !url.username && !url.password && !url.hash ? { value: text } : { allowed }
  },
}

/** Whether a text can be an API key of ml.ink. Its length is the platform's business. */
export function looksLikeApiKey(text: string): boolean {
  return /^dk_\S+$/.test(text)
}

/** Where ml.ink listens. */
export const defaultEndpoint = 'https://mcp.ml.ink/mcp'
