import { createHash } from 'node:crypto'
import damerauLevenshtein from 'damerau-levenshtein'
import type { Place, RepositoryName } from './context.ts'
import { anyText, type Parsed } from './values.ts'

const longestLabel = 63
// The platform allows 2 to 50 characters: a letter or digit, then those, hyphens and underscores (seen on its own server).
const longestDatabaseName = 50
const hashLength = 8

/** What GitHub's environment is called: `production`, `preview`, or as `ink.yml` names that of a branch. */
export function environmentName(pullRequest: number | undefined, named?: string): string {
  return named ?? (pullRequest === undefined ? 'production' : 'preview')
}

/** Why a name is none for an environment of a branch; undefined when it is one. No name may be taken for a preview's. */
export function environmentNameProblem(name: string): string | undefined {
  if (name === 'production' || name === 'preview') return `${name} is an environment of its own already`
  if (/^[a-z][a-z0-9-]{0,18}[a-z0-9]$/.test(name) && !/(^|-)pr-\d+$/.test(name)) return undefined
  return 'the name of an environment has a to z, 0 to 9 and hyphens, 2 to 20 of them, begins with a letter, and is no preview’s (pr-<number>)'
}

/**
 * The part of a branch's name that says what it is for: `production/acme-web`, `pr-12/acme-web-pr-12`, and
 * `env-staging/acme-web-staging` for an environment that the file names. A version is one of a service, and several
 * services of one repository share its branches.
 */
export function targetName(serviceName: string, pullRequest: number | undefined, named?: string): string {
  if (named !== undefined) return `env-${named}/${serviceName}`
  return `${pullRequest === undefined ? 'production' : `pr-${pullRequest}`}/${serviceName}`
}

/** What a target says. */
export function readTarget(target: string) {
  const [environment = '', serviceName = ''] = target.split('/')
  const [, number] = /^pr-(\d+)$/.exec(environment) ?? []
  return { pullRequest: number === undefined ? undefined : Number(number), serviceName }
}

/** The branch of one deployment, with the snapshot's suffix where its tree is not the commit's own. */
export function deploymentBranch(target: string, sourceSha: string, suffix?: string): string {
  return `ink/${target}/${sourceSha}${suffix ? `-${suffix}` : ''}`
}

/**
 * The branches that stand while the service of a preview is being removed, one for each removal. The platform does not tell
 * that a deletion is under way: until it is done the service looks as before, and can even be updated. So whoever deploys
 * the preview looks for them, before it begins and again once the URL answers. A run that came too early to see the mark is
 * seen by the removal, which asks whether the preview is wanted again *after* it has set its mark.
 */
export const removalMarks = 'ink/removing/'

/** The preview that a mark is of; undefined for other branches. */
export function markedPreview(branch: string) {
  const [serviceName = ''] = branch.startsWith(removalMarks) ? branch.slice(removalMarks.length).split('/') : []
  const [, number] = /-pr-([1-9]\d*)$/.exec(serviceName) ?? []
  return number === undefined ? undefined : { serviceName, pullRequest: Number(number) }
}

// 64 digits: repositories with SHA-256 object names.
const deploymentBranchName =
  /^ink\/((?:production|pr-[1-9]\d*|env-[a-z][a-z0-9-]{0,19})\/[a-z0-9-]{1,63})\/([0-9a-f]{40}|[0-9a-f]{64})(?:-([0-9a-f]{8}))?$/

export type DeploymentBranch = NonNullable<ReturnType<typeof parseDeploymentBranch>>

/**
 * Reads a short branch name; undefined when it is not a deployment's.
 * @returns `suffix` is there when the tree was not the commit's own
 */
export function parseDeploymentBranch(name: string) {
  const [, target = '', sourceSha, suffix] = deploymentBranchName.exec(name) ?? []
  return sourceSha === undefined ? undefined : { target, sourceSha, ...(suffix === undefined ? {} : { suffix }) }
}

/** The commit of the deployment that a service's branch stands for. */
export function commitOf(service: { readonly branch: string | undefined } | undefined): string | undefined {
  return service?.branch === undefined ? undefined : parseDeploymentBranch(service.branch)?.sourceSha
}

/** The name of the production service: the one that was asked for, else a made one. */
export function serviceName(service: string | undefined, repository: RepositoryName): string {
  return service ?? madeName(repository)
}

/**
 * The name that a repository's service gets where nobody gives one. No two repositories share a made name, and none looks
 * like another's preview. Of several in a file, the main one, called like the repository or `web`, has the name that a single
 * one has, so that a repository may grow; nothing else in the file can change a name.
 * @param key its name in a file that has several
 */
export function madeName(repository: RepositoryName, key?: string): string {
  const base = cutLabel(repositoryLabel(repository), '')
  return key === undefined || key === 'web' || key === labelOf(repository.name) ? base : cutLabel(base, `-${key}`)
}

/** The name of a service in an environment that the file names; undefined for production. */
export function nameIn(environment: string | undefined, service: string): string {
  return environment === undefined ? service : cutLabel(service, `-${environment}`)
}

/** The name of a service's preview; its own for production, without a number. */
export function previewName(service: string, pullRequest: number | undefined): string {
  return pullRequest === undefined ? service : cutLabel(service, `-pr-${pullRequest}`)
}

/** The pull request that a service's name stands for, if it is one of this service's previews. */
export function previewNumber(service: string, name: string): number | undefined {
  const [, digits] = /-pr-([1-9]\d{0,8})$/.exec(name) ?? []
  return digits !== undefined && previewName(service, Number(digits)) === name ? Number(digits) : undefined
}

/** Where on the platform, as far as it is not the usual place: `web-shop`, `acme/web-shop`; undefined for the usual one. */
export function placeName({ project, workspace }: Pick<Place, 'project' | 'workspace'>): string | undefined {
  if (workspace !== undefined) return `${workspace}/${project}`
  return project === 'default' ? undefined : project
}

/** The name of a service's database, no longer than the platform allows. */
export function databaseName(service: string): string {
  return cutLabel(service, '-db', longestDatabaseName)
}

/** A service's name as part of a host: a hyphen for whatever cannot stand in a DNS label, so that `@acme/web` is one. */
export function parseServiceName(text: string): Parsed<string> {
  const label = labelOf(text)
  if (label === '') return { allowed: 'a name with at least one letter or digit (a to z, 0 to 9)' }
  if (looksLikePreview(label)) return { allowed: 'a name that does not end in -pr-<number>, as those of previews do' }
  return { value: cutLabel(label, '') }
}

export const serviceLabel = { parse: parseServiceName, schema: anyText }

/** Owner and repository in one label; two hyphens where the owner has one, so that `a-b/c` and `a/b-c` stay apart. */
function repositoryLabel(repository: RepositoryName): string {
  const owner = repository.owner.toLowerCase()
  const name = repository.name.toLowerCase()
  const joined = `${owner}${owner.includes('-') ? '--' : '-'}${name}`
  // A name that needs more than that to be told from all others gets a hash. GitHub ignores case in both.
  const plain = /^[a-z0-9]+(-[a-z0-9]+)*$/
  if (plain.test(owner) && plain.test(name) && !looksLikePreview(joined)) return joined
  return withHash(labelOf(joined), `${owner}/${name}`, longestLabel)
}

function labelOf(text: string): string {
  const label = text.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-')
  const start = label.search(/[^-]/)
  let end = label.length
  while (end > start && label[end - 1] === '-') end--
  return start === -1 ? '' : label.slice(start, end)
}

function looksLikePreview(label: string): boolean {
  return /-pr-\d+$/.test(label)
}

/** A label with an ending, as it is where it fits; otherwise cut, with a hash of the whole so that it stays unique. */
function cutLabel(label: string, ending: string, longest = longestLabel): string {
  if (label.length + ending.length <= longest) return label + ending
  return withHash(label, label, longest - ending.length) + ending
}

/** A label cut to leave room for the hash of what it stands for. */
function withHash(label: string, whole: string, longest: number): string {
  return `${label.slice(0, longest - hashLength - 1).replace(/-+$/, '')}-${hashOf(whole)}`
}

/** Eight characters, the first of them a letter: digits alone would make `…-pr-12345678`, the name of a preview. */
function hashOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  const letter = String.fromCharCode('a'.charCodeAt(0) + Number.parseInt(hex.slice(0, 1), 16))
  return letter + hex.slice(1, hashLength)
}

/** Something that exists on the platform: `names` are those under which it can be asked for, the first for people. */
export interface KnownPlace {
  readonly names: readonly [string, ...string[]]
}

/** What is to be said of one of the inputs `project` and `workspace`. */
export type PlaceJudgement =
  | { readonly kind: 'known' }
  /** It will be made by being named: fine for a first deployment, and to be said. */
  | { readonly kind: 'new'; readonly detail: string }
  | { readonly kind: 'refused'; readonly detail: string; readonly hint: string }

/**
 * Judges the project's name. Naming an unknown project makes it, so a typing mistake would put the service where nobody
 * looks: a name that is nearly that of another project is refused. `default` is what every account begins with and the
 * input says when nobody writes it, whatever a server calls that project in its list.
 */
export function judgeProject({ project }: { readonly project: string }, known: readonly KnownPlace[]): PlaceJudgement {
  if (project === 'default' || isKnown(project, known)) return { kind: 'known' }
  const near = nearNames(project, known)
  const [nearest] = near
  if (nearest === undefined)
    return { kind: 'new', detail: `there is no project “${project}” on ml.ink yet; there are ${listed(known)}` }
  return {
    kind: 'refused',
    detail: `project: there is no “${project}” on ml.ink, but ${near.map((name) => `“${name}”`).join(', ')}`,
    hint: `Set \`project: ${nearest}\`. If a new project is meant, make it at ml.ink first, or give it a name that is less like the other.`,
  }
}

/** Judges the workspace's name: an unknown one is refused, since nothing makes workspaces by naming them. */
export function judgeWorkspace(workspace: string, known: readonly KnownPlace[]): PlaceJudgement {
  if (isKnown(workspace, known)) return { kind: 'known' }
  const [nearest] = nearNames(workspace, known)
  return {
    kind: 'refused',
    detail: `workspace: the key’s account has no “${workspace}” on ml.ink; it has ${listed(known)}`,
    hint: nearest
      ? `Set \`workspace: ${nearest}\`.`
      : 'Set one of these, or leave `workspace` out for the account’s default.',
  }
}

const mostListed = 20

function listed(known: readonly KnownPlace[]): string {
  const names = known.map(({ names: [name] }) => name)
  const rest = names.length - mostListed
  return names.length === 0 ? 'none' : `${names.slice(0, mostListed).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

function isKnown(name: string, known: readonly KnownPlace[]): boolean {
  return known.some(({ names }) => names.includes(name))
}

/** What somebody may have meant who wrote `wanted`. */
function nearNames(wanted: string, known: readonly KnownPlace[]): string[] {
  return known.flatMap(({ names }) => names.filter((name) => isNear(wanted, name)).slice(0, 1))
}

function isNear(a: string, b: string): boolean {
  if (squashed(a) === squashed(b)) return true
  const [one, other] = differingParts(words(a), words(b))
  // `team-a` and `team-b`, `stage1` and `stage2` differ on purpose.
  if (withoutDigits(one) === withoutDigits(other) || Math.max(one.length, other.length) < 4) return false
  return damerauLevenshtein(one, other).steps <= (Math.max(one.length, other.length) < 7 ? 1 : 2)
}

const words = (name: string) => name.toLowerCase().split(/[-_. ]+/)
const squashed = (name: string) => words(name).join('')
const withoutDigits = (name: string) => name.replaceAll(/\d+/g, '0')

/** Two names without the words that both begin with, and without those that both end in. */
function differingParts(a: readonly string[], b: readonly string[]): [string, string] {
  const shorter = Math.min(a.length, b.length)
  let head = 0
  while (head < shorter && a[head] === b[head]) head++
  let tail = 0
  while (tail < shorter - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  return [a.slice(head, a.length - tail).join('-'), b.slice(head, b.length - tail).join('-')]
}
