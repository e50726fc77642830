/** A workflow command, as found in a line of output. */
export interface WorkflowCommand {
  readonly name: string
  /** Keys in lower case: the runner compares them without case. */
  readonly properties: ReadonlyMap<string, string>
  readonly data: string
}

/** Commands that the runner knows; anything else that looks like one is ordinary output. */
export const KNOWN_COMMANDS: readonly string[] = [
  'add-mask',
  'add-matcher',
  'add-path',
  'debug',
  'echo',
  'endgroup',
  'error',
  'group',
  'notice',
  'remove-matcher',
  'save-state',
  'set-env',
  'set-output',
  'stop-commands',
  'warning',
]

/**
 * Reads a command out of a line exactly where the runner would: `::name k=v,k=v::data` after optional white space, or the
 * legacy `##[name k=v;k=v]data` anywhere in the line. Source: actions/runner, `ActionCommand`.
 *
 * @param extra - the token that ends `stop-commands`, which counts as a command while it is awaited
 */
export function parseCommand(line: string, extra?: string): WorkflowCommand | undefined {
  const known = (name: string) =>
    KNOWN_COMMANDS.includes(name.toLowerCase()) || (extra !== undefined && name.toLowerCase() === extra.toLowerCase())
  return parseCurrent(line.trimStart(), known) ?? parseLegacy(line, known)
}

function parseCurrent(line: string, known: (name: string) => boolean): WorkflowCommand | undefined {
  if (!line.startsWith('::')) return undefined
  const end = line.indexOf('::', 2)
  if (end < 0) return undefined
  const { name, properties } = splitHead(line.slice(2, end))
  if (!known(name)) return undefined
  return {
    name,
    properties: readProperties(properties.trim(), ',', PROPERTY_ESCAPES),
    data: unescapeText(line.slice(end + 2), DATA_ESCAPES),
  }
}

function parseLegacy(line: string, known: (name: string) => boolean): WorkflowCommand | undefined {
  const start = line.indexOf('##[')
  const end = start < 0 ? -1 : line.indexOf(']', start)
  if (end < 0) return undefined
  const { name, properties } = splitHead(line.slice(start + 3, end))
  if (!known(name)) return undefined
  return {
    name,
    properties: readProperties(properties, ';', LEGACY_ESCAPES),
    data: unescapeText(line.slice(end + 1), LEGACY_ESCAPES),
  }
}

function splitHead(head: string): { readonly name: string; readonly properties: string } {
  const space = head.indexOf(' ')
  return space < 0 ? { name: head, properties: '' } : { name: head.slice(0, space), properties: head.slice(space + 1) }
}

type Escapes = readonly (readonly [escaped: string, character: string])[]

// `%25` comes last, so that `%250A` is the text `%0A` and not a line break.
const DATA_ESCAPES: Escapes = [
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%25', '%'],
]
const PROPERTY_ESCAPES: Escapes = [
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%3A', ':'],
  ['%2C', ','],
  ['%25', '%'],
]
const LEGACY_ESCAPES: Escapes = [
  ['%3B', ';'],
  ['%0D', '\r'],
  ['%0A', '\n'],
  ['%5D', ']'],
  ['%25', '%'],
]

function readProperties(text: string, separator: string, escapes: Escapes): ReadonlyMap<string, string> {
  const properties = new Map<string, string>()
  for (const pair of text.split(separator)) {
    const equals = pair.indexOf('=')
    const key = pair.slice(0, equals)
    const value = pair.slice(equals + 1)
    if (equals > 0 && value !== '') properties.set(key.toLowerCase(), unescapeText(value, escapes))
  }
  return properties
}

function unescapeText(text: string, escapes: Escapes): string {
  return escapes.reduce((result, [escaped, character]) => result.replaceAll(escaped, character), text)
}
