import { domainToASCII } from 'node:url'
import ms, { type StringValue } from 'ms'
import picomatch from 'picomatch'
import type { StatusRange } from './settings.ts'

/** A value that was understood, or what would have been allowed: the end of a sentence that begins with "must be". */
export type Parsed<T> = { readonly value: T } | { readonly allowed: string }

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

/** `90s`, `15m`, `1h`, `7d`, in milliseconds. A number without unit is refused because its unit would be a guess. */
export function parseDuration(text: string, longest: StringValue): Parsed<number> {
  const valueMs = /^\d{1,6}(\.\d{1,3})?\s?(s|m|h|d)$/.test(text) ? ms(text as StringValue) : Number.NaN
  return valueMs >= 1000 && valueMs <= ms(longest)
    ? { value: valueMs }
    : { allowed: `a duration with its unit, such as 90s, 15m or 1h, from 1s to ${longest}` }
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
  const value = /[\s/:@?#*%]/.test(text) ? '' : domainToASCII(text.replace(/\.$/, '')).toLowerCase()
  const labels = value.split('.')
  const good =
    value.length <= 253 &&
    labels.length >= 2 &&
    labels.every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) &&
    !/^\d+$/.test(labels.at(-1) ?? '')
  return good ? { value } : { allowed: 'a host name such as app.example.com, without scheme, port or path' }
}

const anyNumber = '999999999'

/** A host name with `{number}` in it, where the longest number of a pull request has room. */
export function parsePreviewDomain(text: string): Parsed<string> {
  const parsed = parseDomain(text.replaceAll('{number}', anyNumber))
  return 'value' in parsed && text.includes('{number}')
    ? { value: parsed.value.replaceAll(anyNumber, '{number}') }
    : { allowed: 'a host name with {number} in it, such as pr-{number}.preview.example.com' }
}

/** Globs, one a line; `!` takes back what an earlier line matched, as in a workflow's own `paths`. */
export function parseGlobs(text: string): Parsed<readonly string[]> {
  const allowed = 'globs relative to the root, one a line, such as src/** or !**/*.md, at least one of them without !'
  const globs = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const good = globs.every(isGlob) && globs.some((glob) => !glob.startsWith('!'))
  return good ? { value: globs } : { allowed }
}

function isGlob(glob: string): boolean {
  const pattern = glob.replace(/^!/, '')
  if (pattern === '' || /^[/!]|^\.\.?\/|(^|\/)\.\.(\/|$)|\\$/.test(pattern)) return false
  try {
    // Without this option an unclosed bracket would silently match nothing.
    picomatch.makeRe(pattern, { strictBrackets: true })
    return true
  } catch {
    return false
  }
}

/** A branch's short name, by the rules that `git check-ref-format` enforces and people trip over. */
export function parseBranch(text: string): Parsed<string> {
  const value = text.replace(/^refs\/heads\//, '')
  const bad = /[\s~^:?*[\\\0-\x1f\x7f]|\.\.|@\{|^[-/]|\/$|\/\/|\.$|\.lock$|(^|\/)\./.test(value) || value === ''
  return bad ? { allowed: 'the name of a branch, such as main' } : { value }
}

/** A commit, whole or abbreviated as far as git abbreviates. */
export function parseCommit(text: string): Parsed<string> {
  const value = text.toLowerCase()
  return /^[0-9a-f]{7,64}$/.test(value) ? { value } : { allowed: 'a commit SHA of at least 7 hexadecimal digits' }
}

/** A word that the platform uses as a name: project, workspace, region. */
export function parseName(text: string): Parsed<string> {
  return /^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$/.test(text)
    ? { value: text }
    : { allowed: 'a name of letters, digits, dots, hyphens and underscores' }
}

/** The name of a repository on the platform; `ink/` before it, as the platform writes it, is taken off. */
export function parseRepositoryName(text: string): Parsed<string> {
  const value = text.replace(/^ink\//, '')
  return /^[A-Za-z0-9._-]{1,100}$/.test(value) && !/^\.+$/.test(value)
    ? { value }
    : { allowed: "a repository's name on ml.ink such as my-app, not a URL" }
}

/** One line of text without control characters: a label, a command. */
export function parseLine(text: string): Parsed<string> {
  return /[\0-\x1f\x7f]/.test(text) ? { allowed: 'one line of text' } : { value: text }
}

/** A command that the platform hands to a shell: lines and tabs are fine there, NUL is not. */
export function parseShellCommand(text: string): Parsed<string> {
  return text.includes('\0') ? { allowed: 'a command' } : { value: text }
}

function listed(choices: readonly string[]): string {
  return `one of ${choices.join(', ')}`
}
