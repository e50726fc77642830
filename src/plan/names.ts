import { createHash } from 'node:crypto'
import { Secret } from '../core/secret.ts'
import type { Repository } from './event.ts'
import type { Parsed } from './input-values.ts'
import type { Variables } from './settings.ts'

const longestLabel = 63
// The platform allows 2 to 50 characters: a letter or digit, then those, hyphens and underscores (seen on its own server).
const longestDatabaseName = 50
const hashLength = 8

/** The name of a service's own mark, by which everything of this action's is told from what is a stranger's. */
export const marks = {
  managedBy: 'INK_MANAGED_BY',
  repository: 'INK_GIT_REPOSITORY',
  pullRequest: 'INK_GIT_PULL_REQUEST',
  environment: 'INK_ENVIRONMENT',
  commit: 'INK_GIT_COMMIT_SHA',
  ref: 'INK_GIT_REF',
} as const

/** The value of `INK_MANAGED_BY`. */
export const managedBy = 'ink-deploy'

/** `production` or `preview`, as GitHub's environment is called. */
export type EnvironmentName = 'production' | 'preview'

export function environmentName(pullRequest: number | undefined): EnvironmentName {
  return pullRequest === undefined ? 'production' : 'preview'
}

/**
 * The part of a branch's name that says what it is for, environment and service: `production/acme-web` or
 * `pr-12/acme-web-pr-12`. Several services of one repository share its branches, and a version is one of a service.
 */
export function targetName(serviceName: string, pullRequest: number | undefined): string {
  return `${sharedTarget(pullRequest)}/${serviceName}`
}

/** The target in branches that earlier releases made, which all services of a repository shared: `production`, `pr-12`. */
export function sharedTarget(pullRequest: number | undefined): string {
  return pullRequest === undefined ? 'production' : `pr-${pullRequest}`
}

/** What a target says; a shared one names no service. */
export function readTarget(target: string): {
  readonly pullRequest: number | undefined
  readonly serviceName: string | undefined
} {
  const [environment = '', serviceName] = target.split('/')
  const [, number] = /^pr-(\d+)$/.exec(environment) ?? []
  return { pullRequest: number === undefined ? undefined : Number(number), serviceName }
}

/**
 * The branch of one deployment: `ink/<target>/<source sha>`, with the snapshot's suffix where its tree is not the
 * commit's own.
 */
export function deploymentBranch(target: string, sourceSha: string, suffix?: string): string {
  return `ink/${target}/${sourceSha}${suffix ? `-${suffix}` : ''}`
}

/**
 * The name of the production service: the one that was asked for, else one made of owner and repository. No two
 * repositories share a made name, and none looks like another's preview.
 */
export function serviceName(service: string | undefined, repository: Pick<Repository, 'owner' | 'name'>): string {
  return service ?? cutLabel(repositoryLabel(repository), '')
}

/** The name of a pull request's service. */
export function previewName(service: string, pullRequest: number): string {
  return cutLabel(service, `-pr-${pullRequest}`)
}

/** The pull request that a service's name stands for, if it is one of this service's previews. */
export function previewNumber(service: string, name: string): number | undefined {
  const match = /-pr-([1-9]\d{0,8})$/.exec(name)
  const number = Number(match?.[1])
  return match && previewName(service, number) === name ? number : undefined
}

/** The name of a service's database, no longer than the platform allows. */
export function databaseName(service: string): string {
  return cutLabel(service, '-db', longestDatabaseName)
}

/**
 * A service's name as part of a host: lower case, and a hyphen for whatever cannot stand in a DNS label, so that the
 * name of a package (`@acme/web`) can be used as it is.
 */
export function parseServiceName(text: string): Parsed<string> {
  const label = labelOf(text)
  if (label === '') return { allowed: 'a name with at least one letter or digit (a to z, 0 to 9)' }
  if (looksLikePreview(label)) return { allowed: 'a name that does not end in -pr-<number>, as those of previews do' }
  return { value: cutLabel(label, '') }
}

/**
 * The marks of ownership, and with `git` the facts about the commit. Marks come without being asked for: without them
 * nothing could be told from a stranger's, and so nothing could be removed.
 */
export function markVariables(
  of: { repository: string; pullRequest: number | undefined; sha: string; ref: string },
  git: boolean,
): Variables {
  const values: [string, string][] = [
    [marks.managedBy, managedBy],
    [marks.repository, of.repository],
  ]
  if (of.pullRequest !== undefined) values.push([marks.pullRequest, String(of.pullRequest)])
  if (git) {
    values.push([marks.environment, environmentName(of.pullRequest)], [marks.commit, of.sha], [marks.ref, of.ref])
  }
  return new Map(values.map(([name, value]) => [name, new Secret(value)]))
}

/**
 * Owner and repository in one label. A hyphen joins them, two where the owner has one, so that `a-b/c` and `a/b-c` stay
 * apart; a name that needs more than that to be told from all others gets a hash. GitHub ignores case in both.
 */
function repositoryLabel(repository: Pick<Repository, 'owner' | 'name'>): string {
  const owner = repository.owner.toLowerCase()
  const name = repository.name.toLowerCase()
  const joined = `${owner}${owner.includes('-') ? '--' : '-'}${name}`
  const plain = /^[a-z0-9]+(-[a-z0-9]+)*$/
  if (plain.test(owner) && plain.test(name) && !looksLikePreview(joined)) return joined
  return withHash(labelOf(joined), `${owner}/${name}`, longestLabel)
}

function labelOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
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
