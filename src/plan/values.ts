import { domainToASCII } from 'node:url'
import { isLoopback } from '../core/http.ts'
import { Secret } from '../core/secret.ts'

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

/** A setting as it was written somewhere: its text, and what to call it in a message. */
export interface Given {
  readonly text: string
  readonly label: string
}

/** A part of a JSON Schema (draft 2020-12). */
export type Schema = Readonly<Record<string, unknown>>

export interface ValueType<T, R extends Read<T> = Read<T>> {
  /** Reads the text that was given; never called for an empty one. */
  readonly parse: (text: string) => R
  /** The same for editors, as a value in `ink.yml`. What it lets pass, `parse` may still refuse. */
  readonly schema: Schema
  /** A value that no message may show. */
  readonly secret?: true
}

type Single<T> = ValueType<T, Parsed<T>>

export const anyText: Schema = { type: 'string' }

/** @param read the value; undefined for a text that is not allowed */
function single<T>(schema: Schema, allowed: string, read: (text: string) => T | undefined): Single<T> {
  const parse = (text: string) => {
    const value = read(text)
    return value === undefined ? { allowed } : { value }
  }
  return { schema, parse }
}

/** Texts of a form that stay as they are. */
function form(pattern: RegExp, allowed: string, schema = anyText): Single<string> {
  return single(schema, allowed, (text) => (pattern.test(text) ? text : undefined))
}

/** One of a few words. */
export function choice<const T extends string>(choices: readonly T[]): Single<T> {
  return single({ enum: choices }, listed(choices), (text) => choices.find((one) => one === text))
}

function listed(choices: readonly string[]): string {
  return `one of ${choices.join(', ')}`
}

/** As in YAML's core schema, and as the runner's own `getBooleanInput` has it. */
export const flag = single({ type: 'boolean' }, 'true or false', (text) =>
  /^(true|True|TRUE|false|False|FALSE)$/.test(text) ? /^t/i.test(text) : undefined,
)

/** A whole number; both ends are allowed. */
export function integer(from: number, to: number): Single<number> {
  const schema = { type: 'integer', minimum: from, maximum: to }
  return single(schema, `a whole number from ${from} to ${to}`, (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    return value >= from && value <= to ? value : undefined
  })
}

/** An amount of dollars with so many decimals at most. */
function money(decimals: number, least: number, allowed: string): Single<number> {
  const figure = new RegExp(`^\\d{1,6}(\\.\\d{1,${decimals}})?$`)
  return single({ type: 'number', minimum: 0 }, `an amount in dollars such as ${allowed}`, (text) =>
    figure.test(text) && Number(text) >= least ? Number(text) : undefined,
  )
}

export const rate = money(12, 0, '0.000393, or 0 to hide estimates')
export const dollars = money(4, 0, '2.50, or 0 for none')
export const dollarLimit = money(4, 0.0001, '2.50, more than 0')

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** `90s`, `15m`, `1h`, `7d`, in milliseconds. A number without unit is refused because its unit would be a guess. */
export function duration(longest: `${number}${keyof typeof unitsMs}`): Single<number> {
  const schema = { type: 'string', pattern: '^\\d{1,6}(\\.\\d{1,3})?\\s?[smhd]$' }
  return single(schema, `a duration with its unit, such as 90s, 15m or 1h, from 1s to ${longest}`, (text) => {
    const value = milliseconds(text)
    return value >= 1000 && value <= milliseconds(longest) ? value : undefined
  })
}

function milliseconds(text: string): number {
  const [, figure, unit] = /^(\d{1,6}(?:\.\d{1,3})?)\s?([smhd])$/.exec(text) ?? []
  return unit === undefined ? Number.NaN : Number(figure) * unitsMs[unit as keyof typeof unitsMs]
}

/** The memory sizes of all generations, in MiB, the smallest first. */
export const memorySizesMi: readonly number[] = [128, 256, 512, 1024, 2048, 4096]

/** The sizes that the platform's generations offer, as it writes them; whole gibibytes are understood as well. */
export const memory = single(
  { enum: memorySizesMi.flatMap((size) => [`${size}Mi`, ...(size < 1024 ? [] : [`${size / 1024}Gi`])]) },
  listed(memorySizesMi.map((size) => `${size}Mi`)),
  (text) => {
    const [, size, unit] = /^(\d{1,5})(Mi|Gi)$/.exec(text) ?? []
    const sizeMi = Number(size) * (unit === 'Gi' ? 1024 : 1)
    return memorySizesMi.includes(sizeMi) ? `${sizeMi}Mi` : undefined
  },
)

/** The numbers of vCPUs of all generations, the smallest first. */
export const vcpuSizes: readonly string[] = ['0.1', '0.25', '0.5', '1', '2', '4']

export const vcpus = single({ enum: vcpuSizes.flatMap((size) => [size, Number(size)]) }, listed(vcpuSizes), (text) => {
  const value = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? String(Number(text)) : ''
  return vcpuSizes.includes(value) ? value : undefined
})

/** A path inside the repository, with `/` between its parts and none at its end. */
export const path = single(
  anyText,
  "a path relative to the repository's root, with / between its parts and without ..",
  (text) => {
    const parts = text.split('/')
    const bad = /^[/~]|^[A-Za-z]:|\\|[\0-\x1f\x7f]/.test(text) || parts.includes('..')
    return bad ? undefined : parts.filter((part) => part !== '' && part !== '.').join('/') || '.'
  },
)

/** A path on the deployed service. `//` would name another host once it is resolved against the service's URL. */
export const healthPath = form(
  /^(none|mcp|\/(?![/\\])[^\s\\#\0-\x1f\x7f]*)$/,
  'a path that starts with one /, or none to turn the check off, or mcp for an MCP server',
  { anyOf: [{ enum: ['none', 'mcp'] }, { type: 'string', pattern: '^/' }] },
)

/** A text to be found in an answer. A placeholder that nobody fills would never be found. */
export const answerText = form(
  /^(?!.*\{(?!sha\})[A-Za-z][\w-]*\})[^\0-\x1f\x7f]{0,500}$/,
  'one line of text of at most 500 characters, in which {sha} is the only placeholder',
)

/** Both ends included. */
export interface Bounds {
  readonly from: number
  readonly to: number
}

/** `200`, `200-399`, `200,204,300-308`. */
export const statuses = single(
  { type: ['string', 'integer'] },
  'HTTP statuses and ranges from 100 to 599, such as 200-399 or 200,204',
  (text): readonly Bounds[] | undefined => {
    const ranges = text.split(',').map((part) => {
      const [, from, to = from] = /^\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*$/.exec(part) ?? []
      return { from: Number(from), to: Number(to) }
    })
    return ranges.every(({ from, to }) => from >= 100 && to <= 599 && from <= to) ? ranges : undefined
  },
)

/** A host name of at least two labels, in lower case; international names in their ASCII form. */
export const domain = single(
  anyText,
  'a host name such as app.example.com, without scheme, port or path',
  (text): string | undefined => {
    const value =
      text.length > 253 || /[\s/:@?#*%]/.test(text) ? '' : domainToASCII(text.replace(/\.$/, '')).toLowerCase()
    const labels = value.split('.')
    const good =
      value.length <= 253 &&
      labels.length >= 2 &&
      labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
      !/^\d+$/.test(labels.at(-1) ?? '')
    return good ? value : undefined
  },
)

const anyNumber = '999999999'

/** A host name with `{number}` in its first label, with room for the longest: the zone is the same for all pull requests. */
export const previewDomain = single(
  { type: 'string', pattern: '\\{number\\}' },
  'a host name with {number} in its first label alone, such as pr-{number}-preview.example.com',
  (text) => {
    const parsed = domain.parse(text.replaceAll('{number}', anyNumber))
    const good = 'value' in parsed && /^[^.]*\{number\}[^.]*\.[^{]*$/.test(text)
    return good ? parsed.value.replaceAll(anyNumber, '{number}') : undefined
  },
)

/** A branch's short name, by the rules that `git check-ref-format` enforces and people trip over. */
export const branch = single(anyText, 'the name of a branch, such as main', (text) => {
  const value = text.replace(/^refs\/heads\//, '')
  const bad = /^$|[\s~^:?*[\\\0-\x1f\x7f]|\.\.|@\{|^[-/]|\/$|\/\/|\.$|\.lock$|(^|\/)\./.test(value)
  return bad ? undefined : value
})

/** A commit, whole or abbreviated as far as git abbreviates. */
export const commit = single(anyText, 'a commit SHA of at least 7 hexadecimal digits', (text) =>
  /^[0-9a-f]{7,64}$/i.test(text) ? text.toLowerCase() : undefined,
)

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

/** Where ml.ink listens. */
export const defaultEndpoint = 'https://mcp.ml.ink/mcp'

/** An MCP endpoint. Plain http is for the loopback interface only: the key travels in a header. */
export const endpoint = single(
  anyText,
  'an https URL without credentials or fragment; http only for localhost',
  (text) => {
    if (!URL.canParse(text)) return undefined
    const { protocol, hostname, username, password, hash } = new URL(text)
    const secure = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))
    return secure && !username && !password && !hash ? text : undefined
  },
)

/** Whether a text can be an API key of ml.ink. Its length is the platform's business. */
export function looksLikeApiKey(text: string): boolean {
  return /^dk_\S+$/.test(text)
}

export const apiKey: Single<Secret> = {
  ...single(anyText, 'an ml.ink API key, which starts with dk_ and has no spaces in it', (text) =>
    looksLikeApiKey(text) ? new Secret(text) : undefined,
  ),
  secret: true,
}
export const token: Single<Secret> = { ...single(anyText, '', (text) => new Secret(text)), secret: true }

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
