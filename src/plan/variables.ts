import { hasSecretName, Secret } from '../core/secret.ts'
import type { RepositoryName } from './context.ts'
import { environmentName } from './names.ts'
import { anyText, type ValueProblem } from './values.ts'

/** Environment variables by name. Their values are hidden because no value is ever printed, secret or not. */
export type Variables = ReadonlyMap<string, Secret>

/** The name of a service's own mark, by which everything of this action's is told from what is a stranger's. */
export const marks = {
  managedBy: 'INK_MANAGED_BY',
  repository: 'INK_GIT_REPOSITORY',
  /** GitHub's number for the repository, which stays when it is renamed or transferred. */
  repositoryId: 'INK_GIT_REPOSITORY_ID',
  /** What the repository was called when its services got their names, where that is not what it is called now. */
  formerRepository: 'INK_GIT_FORMER_REPOSITORY',
  pullRequest: 'INK_GIT_PULL_REQUEST',
  /** The service's name in an `ink.yml` that has several. */
  service: 'INK_SERVICE',
  /** The path of that file, where it is not `ink.yml`: what another file describes is none of this one's. */
  config: 'INK_CONFIG',
  environment: 'INK_ENVIRONMENT',
  /** The branch whose environment this is, where the file names one; only such services have it. */
  environmentBranch: 'INK_ENVIRONMENT_BRANCH',
  commit: 'INK_GIT_COMMIT_SHA',
  ref: 'INK_GIT_REF',
} as const

/** Whether a variable is this action's own, whose value nobody else may set. */
export function isMark(name: string): boolean {
  return Object.values<string>(marks).includes(name)
}

export const managedBy = 'ink-deploy'

/** The environment that the file names for a service of it; undefined for production and previews. */
export function namedEnvironmentOf(env: Readonly<Record<string, string>>): string | undefined {
  return env[marks.environmentBranch] === undefined ? undefined : env[marks.environment]
}

/** The former name that the marks of a service of ours tell; undefined when it is the present one. */
export function formerRepositoryOf(env: Readonly<Record<string, string>>, present: string): RepositoryName | undefined {
  const told = env[marks.formerRepository] ?? env[marks.repository] ?? ''
  const [owner = '', name = ''] = told.split('/')
  return owner !== '' && name !== '' && told.toLowerCase() !== present.toLowerCase() ? { owner, name } : undefined
}

/** The value of `INK_CONFIG` for a path of the settings; undefined for the usual one. */
export function configMark(path: string): string | undefined {
  return path === 'ink.yml' ? undefined : path
}

/**
 * The marks of ownership, and with `git` the facts about the commit. Marks come without being asked for: without them
 * nothing could be told from a stranger's, and so nothing could be removed.
 * @param of `named` is the environment that the file names
 */
export function markVariables(
  of: { repository: string; sha: string; ref: string; pullRequest: number | undefined } & {
    readonly [name in 'repositoryId' | 'named' | 'service' | 'config']?: string | undefined
  },
  git: boolean,
): Variables {
  const { named } = of
  const values: Readonly<Record<string, string | undefined>> = {
    [marks.managedBy]: managedBy,
    [marks.repository]: of.repository,
    [marks.repositoryId]: of.repositoryId,
    [marks.pullRequest]: of.pullRequest?.toString(),
    [marks.service]: of.service,
    [marks.config]: of.config,
    [marks.environmentBranch]: named === undefined ? undefined : of.ref,
    [marks.environment]: git || named !== undefined ? environmentName(of.pullRequest, named) : undefined,
    [marks.commit]: git ? of.sha : undefined,
    [marks.ref]: git ? of.ref : undefined,
  }
  const given = Object.entries(values).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return new Map(given.map(([name, value]) => [name, new Secret(value)]))
}

/**
 * Reads `KEY=VALUE` lines with the quoting of dotenv, and refuses what different tools read differently: what dotenv
 * would drop, cut off or keep by surprise. Takes time in proportion to the text.
 */
export function parseVariables(given: string) {
  const text = given.replace(/\r\n?/g, '\n')
  const value = new Map<string, Secret>()
  const problems: ValueProblem[] = []
  for (let start = 0, line = 1; start < text.length; ) {
    const statement = statementAt(text, start)
    if ('problem' in statement) problems.push({ at: `line ${line}`, text: statement.problem })
    else if ('name' in statement) value.set(statement.name, new Secret(statement.value))
    line += text.slice(start, statement.end).split('\n').length - 1
    start = statement.end
  }
  return { value, problems }
}

export const variables = {
  parse: parseVariables,
  schema: { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } },
  secret: true,
} as const

/** A statement reaches to the end of its line, or of the line in which its quoted value ends. Blank lines say nothing. */
type Statement = { readonly end: number } & (
  | { readonly name: string; readonly value: string }
  | { readonly problem: string }
  | object
)

/** What a variable may be called. */
export const variableName = /^[A-Za-z_]\w*$/
const assignment = /^[^\S\n]*(?:export[^\S\n]+)?([^=\s]+)[^\S\n]*=[^\S\n]*/

function statementAt(text: string, start: number): Statement {
  const end = lineEnd(text, start)
  const line = text.slice(start, end)
  if (/^\s*(#|$)/.test(line)) return { end }
  const [head = '', name] = assignment.exec(line) ?? []
  if (name === undefined)
    return { end, problem: 'there is no =; each line is KEY=VALUE, and a value of several lines is put in quotes' }
  if (!variableName.test(name))
    return { end, problem: 'the name before = may have letters, digits and _, and starts with no digit' }
  const quote = /^['"`]/.exec(line.slice(head.length))?.[0]
  if (quote !== undefined) return { name, ...quotedValue(text, start + head.length + 1, quote) }
  return { end, name, ...plainValue(line, head.length) }
}

/** The value between quotes, of which the first is just before `start`. */
function quotedValue(text: string, start: number, quote: string) {
  const close = closingQuote(text, start, quote)
  if (close === -1) return { end: lineEnd(text, start), problem: 'the quote is not closed' }
  const end = lineEnd(text, close)
  if (!/^\s*(#|$)/.test(text.slice(close + 1, end))) {
    const ways = 'put the value in quotes that do not stand in it, or in double quotes with \\" for each of its own'
    return { end, problem: `there is text after the closing quote; ${ways}` }
  }
  const value = text.slice(start, close)
  if (quote !== '"') return { end, value }
  if (value.includes('\\\\')) {
    const ways = "in single quotes everything stands as it is: 'a\\b' has one, and 'a\\\\b' two"
    return { end, problem: `two backslashes in double quotes are one to some tools and two to others; ${ways}` }
  }
  const meant: Readonly<Record<string, string>> = { '\\n': '\n', '\\r': '\r', '\\"': '"' }
  return { end, value: value.replaceAll(/\\[nr"]/g, (pair) => meant[pair] ?? pair) }
}

/** Only double quotes can be escaped: in the others a backslash is a backslash. */
function closingQuote(text: string, start: number, quote: string): number {
  let close = text.indexOf(quote, start)
  while (quote === '"' && close !== -1 && text[close - 1] === '\\' && close > start && text[close - 2] !== '\\')
    close = text.indexOf(quote, close + 1)
  return close
}

function plainValue(line: string, start: number) {
  const hash = line.indexOf('#', start)
  if (hash === -1) return { value: line.slice(start).trim() }
  const isRemark = /\s/.test(line[hash - 1] ?? '') && /^#(\s|#|$)/.test(line.slice(hash, hash + 2))
  if (isRemark) return { value: line.slice(start, hash).trim() }
  const ways = 'put the value in quotes, or, if a comment is meant, a space before and after the #'
  return { problem: `the # would start a comment and cut the value off; ${ways}` }
}

/** Where the line that holds a position ends, its line break included. */
function lineEnd(text: string, position: number): number {
  const end = text.indexOf('\n', position)
  return end === -1 ? text.length : end + 1
}

/**
 * The variables that a service should have. A secret that is not there is an empty string to a workflow (a fork, a typing
 * mistake, an environment without it), so an empty value under a name of secrets never replaces one that is live.
 * @param live what the service has; undefined for a new one
 */
export function layVariables(
  live: Readonly<Record<string, string>> | undefined,
  wanted: Variables,
  strategy: 'merge' | 'replace',
): Record<string, string> {
  const kept = keptSecrets(live, wanted).map((name) => [name, live?.[name] ?? ''])
  const given = [...wanted].map(([name, secret]) => [name, secret.reveal()])
  return { ...(strategy === 'merge' ? live : undefined), ...Object.fromEntries(given), ...Object.fromEntries(kept) }
}

/** The names under which the live value stays, because the one that was given is empty. */
export function keptSecrets(live: Readonly<Record<string, string>> | undefined, wanted: Variables): string[] {
  return emptyNames(wanted).filter((name) => hasSecretName(name) && Boolean(live?.[name]))
}

export function emptyNames(variables: Variables): string[] {
  return [...variables].filter(([, value]) => value.reveal() === '').map(([name]) => name)
}

/** A variable that one of a database's outputs is put into. */
export interface DatabaseVariable {
  readonly at: string
  readonly name: string
  readonly output: string
}

/** Reads `VARIABLE=output` lines. Which outputs there are depends on the database. */
export function parseDatabaseVariables(text: string) {
  const value: DatabaseVariable[] = []
  const problems: ValueProblem[] = []
  const names = new Set<string>()
  for (const [index, line] of text.split('\n').entries()) {
    const [, name = '', output = ''] = /^([^=]*)=(.*)$/.exec(line.trim()) ?? []
    if (/^\s*(#|$)/.test(line)) continue
    const at = `line ${index + 1}`
    const variable = { at, name: name.trimEnd(), output: output.trimStart() }
    const problem = databaseProblem(variable, names)
    if (problem === undefined) value.push(variable)
    else problems.push({ at, text: problem })
    names.add(variable.name)
  }
  return { value, problems }
}

export const databaseVariables = {
  parse: parseDatabaseVariables,
  schema: { type: 'object', additionalProperties: anyText },
}

function databaseProblem({ name, output }: DatabaseVariable, before: ReadonlySet<string>): string | undefined {
  if (!variableName.test(name))
    return 'must be VARIABLE=output, such as DB_URL=url; a variable has letters, digits and _, and starts with no digit'
  if (isMark(name)) return `${name} is a mark of this action and cannot be used`
  if (!/^[A-Za-z][\w-]{0,99}$/.test(output))
    return `after = must be url or the key of an output, but is ${JSON.stringify(output.slice(0, 80))}`
  return before.has(name) ? `${name} is there twice` : undefined
}
