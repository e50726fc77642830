import { domainToASCII } from 'node:url'

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

/** Both ends included. */
export interface StatusRange {
  readonly from: number
  readonly to: number
}

export function parseChoice<T extends string>(text: string, choices: readonly T[]): Parsed<T> {
  const found = choices.find((choice) => choice === text)
  return found === undefined ? { allowed: listed(choices) } : { value: found }
}

/** As in YAML's core schema, and as the runner's own `getBooleanInput` has it. */
export function parseBoolean(text: string): Parsed<boolean> {
  if (/^(true|True|TRUE)$/.test(text)) return { value: true }
  if (/^(false|False|FALSE)$/.test(text)) return { value: false }
  return { allowed: 'true or false' }
}

export function parseInteger(text: string, range: { from: number; to: number }): Parsed<number> {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  return value >= range.from && value <= range.to
    ? { value }
    : { allowed: `a whole number from ${range.from} to ${range.to}` }
}

/** A rate in dollars. */
export function parseRate(text: string): Parsed<number> {
  return /^\d{1,6}(\.\d{1,12})?$/.test(text)
    ? { value: Number(text) }
    : { allowed: 'an amount in dollars such as 0.000393, or 0 to hide estimates' }
}

/** An amount of dollars. */
export function parseDollars(text: string, atLeast: 'any' | 'more than 0' = 'any'): Parsed<number> {
  const value = /^\d{1,6}(\.\d{1,4})?$/.test(text) ? Number(text) : Number.NaN
  return value > 0 || (value === 0 && atLeast === 'any')
    ? { value }
    : { allowed: `an amount in dollars such as 2.50${atLeast === 'any' ? ', or 0 for none' : ', more than 0'}` }
}

const unitsMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
export type Duration = `${number}${keyof typeof unitsMs}`

/** `90s`, `15m`, `1h`, `7d`, in milliseconds. A number without unit is refused because its unit would be a guess. */
export function parseDuration(text: string, longest: Duration): Parsed<number> {
  const valueMs = milliseconds(text)
  return valueMs >= 1000 && valueMs <= milliseconds(longest)
    ? { value: valueMs }
    : { allowed: `a duration with its unit, such as 90s, 15m or 1h, from 1s to ${longest}` }
}

function milliseconds(text: string): number {
  const [, amount, unit] = /^(\d{1,6}(?:\.\d{1,3})?)\s?([smhd])$/.exec(text) ?? []
  return unit === undefined ? Number.NaN : Number(amount) * unitsMs[unit as keyof typeof unitsMs]
}

/** A duration as a setting has it: `90s`, `15m`, `7d`, in the largest unit that divides it without remainder. */
export function shortDuration(durationMs: number): string {
  const unit = (['d', 'h', 'm'] as const).find((name) => durationMs % unitsMs[name] === 0) ?? 's'
  return `${durationMs / unitsMs[unit]}${unit}`
}

/** The memory sizes of all generations, in MiB, the smallest first. */
export const memorySizesMi: readonly number[] = [128, 256, 512, 1024, 2048, 4096]

/** The sizes that the platform's generations offer, as it writes them; whole gibibytes are understood as well. */
export function parseMemory(text: string): Parsed<string> {
  const match = /^(\d{1,5})(Mi|Gi)$/.exec(text)
  const sizeMi = match === null ? Number.NaN : Number(match[1]) * (match[2] === 'Gi' ? 1024 : 1)
  return memorySizesMi.includes(sizeMi)
    ? { value: `${sizeMi}Mi` }
    : { allowed: listed(memorySizesMi.map((size) => `${size}Mi`)) }
}

/** The numbers of vCPUs of all generations, the smallest first. */
export const vcpuSizes: readonly string[] = ['0.1', '0.25', '0.5', '1', '2', '4']

export function parseVcpus(text: string): Parsed<string> {
  const value = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? String(Number(text)) : ''
  return vcpuSizes.includes(value) ? { value } : { allowed: listed(vcpuSizes) }
}

/** A path inside the repository, with `/` between its parts and none at its end. */
export function parseRelativePath(text: string): Parsed<string> {
  const parts = text.split('/')
  const bad = /^[/~]|^[A-Za-z]:|\\|[\0-\x1f\x7f]/.test(text) || parts.includes('..')
  if (bad) return { allowed: "a path relative to the repository's root, with / between its parts and without .." }
  return { value: parts.filter((part) => part !== '' && part !== '.').join('/') || '.' }
}

/** A path on the deployed service. `//` would name another host once it is resolved against the service's URL. */
export function parseHealthPath(text: string): Parsed<string> {
  return /^\/(?![/\\])[^\s\\#\0-\x1f\x7f]*$/.test(text)
    ? { value: text }
    : { allowed: 'a path that starts with one /, or none to turn the check off, or mcp for an MCP server' }
}

/** A text to be found in an answer. A placeholder that nobody fills would never be found. */
export function parseAnswerText(text: string): Parsed<string> {
  const unknown = text.match(/\{[A-Za-z][\w-]*\}/g)?.some((placeholder) => placeholder !== '{sha}')
  return unknown || text.length > 500 || /[\0-\x1f\x7f]/.test(text)
    ? { allowed: 'one line of text of at most 500 characters, in which {sha} is the only placeholder' }
    : { value: text }
}

/** `200`, `200-399`, `200,204,300-308`. */
export function parseStatuses(text: string): Parsed<readonly StatusRange[]> {
  const ranges = text.split(',').map((part): StatusRange | undefined => {
    const match = /^\s*(\d{3})(?:\s*-\s*(\d{3}))?\s*$/.exec(part)
    if (!match) return undefined
    const from = Number(match[1])
    const to = Number(match[2] ?? match[1])
    return from >= 100 && to <= 599 && from <= to ? { from, to } : undefined
  })
  return ranges.every((range) => range !== undefined)
    ? { value: ranges }
    : { allowed: 'HTTP statuses and ranges from 100 to 599, such as 200-399 or 200,204' }
}

/** A host name of at least two labels, in lower case; international names in their ASCII form. */
export function parseDomain(text: string): Parsed<string> {
  const value =
    text.length > 253 || /[\s/:@?#*%]/.test(text) ? '' : domainToASCII(text.replace(/\.$/, '')).toLowerCase()
  const labels = value.split('.')
  const good =
    value.length <= 253 &&
    labels.length >= 2 &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  return good ? { value } : { allowed: 'a host name such as app.example.com, without scheme, port or path' }
}

const anyNumber = '999999999'

/**
 * A host name with `{number}` in its first label, where the longest number of a pull request has room. What is below that
 * label is a zone at ml.ink, which is the same for all pull requests.
 */
export function parsePreviewDomain(text: string): Parsed<string> {
  const parsed = parseDomain(text.replaceAll('{number}', anyNumber))
  return 'value' in parsed && /^[^.]*\{number\}[^.]*\.[^{]*$/.test(text)
    ? { value: parsed.value.replaceAll(anyNumber, '{number}') }
    : { allowed: 'a host name with {number} in its first label alone, such as pr-{number}-preview.example.com' }
}

/** A branch's short name, by the rules that `git check-ref-format` enforces and people trip over. */
export function parseBranch(text: string): Parsed<string> {
  const value = text.replace(/^refs\/heads\//, '')
  const bad = /[\s~^:?*[\\\0-\x1f\x7f]|\.\.|@\{|^[-/]|\/$|\/\/|\.$|\.lock$|(^|\/)\./.test(value) || value === ''
  return bad ? { allowed: 'the name of a branch, such as main' } : { value }
}

/** A commit, whole or abbreviated as far as git abbreviates. */
export function parseCommitSha(text: string): Parsed<string> {
  const value = text.toLowerCase()
  return /^[0-9a-f]{7,64}$/.test(value) ? { value } : { allowed: 'a commit SHA of at least 7 hexadecimal digits' }
}

/** A word that the platform uses as a name: project, workspace, region. */
export function parseName(text: string): Parsed<string> {
  return /^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$/.test(text)
    ? { value: text }
    : { allowed: 'a name of letters, digits, dots, hyphens and underscores' }
}

/** One line of text without control characters: a label, a command. */
export function parseLine(text: string): Parsed<string> {
  return /[\0-\x1f\x7f]/.test(text) ? { allowed: 'one line of text' } : { value: text }
}

/** Markdown that stands in a comment of ours, whose own marks are HTML comments. */
export function parseMarkdown(text: string): Parsed<string> {
  return text.length > 2000 || /<!--|-->|[\0-\x08\x0b-\x1f\x7f]/.test(text)
    ? { allowed: 'Markdown of at most 2000 characters without HTML comments' }
    : { value: text }
}

/** A command that the platform hands to a shell: lines and tabs are fine there, NUL is not. */
export function parseShellCommand(text: string): Parsed<string> {
  return text.includes('\0') ? { allowed: 'a command' } : { value: text }
}

function listed(choices: readonly string[]): string {
  return `one of ${choices.join(', ')}`
}

/** An MCP endpoint. Plain http is for the loopback interface only: the key travels in a header. */
export function parseEndpoint(text: string): Parsed<string> {
  const allowed = 'an https URL without credentials or fragment; http only for localhost'
  if (!URL.canParse(text)) return { allowed }
  const url = new URL(text)
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
  return secure && !url.username && !url.password && !url.hash ? { value: text } : { allowed }
}

/** Whether a host name of a URL leads to this machine alone. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** Whether a text can be an API key of ml.ink. Its length is the platform's business. */
export function looksLikeApiKey(text: string): boolean {
  return /^dk_\S+$/.test(text)
}

/** Where ml.ink listens. */
export const defaultEndpoint = 'https://mcp.ml.ink/mcp'
