import type { Facts, RepositoryName, WantedCommit } from '../context.ts'
import { branchOf, isFromFork } from '../event.ts'
import {
  type IntentTo,
  type NeedsPlan,
  type PlanInput,
  productionBranch,
  pullRequestOf,
  type RefusedPlan,
  refusal,
} from '../intent.ts'
import { intentOf } from '../make-plan.ts'
import { madeName, nameIn, parseServiceName, previewName } from '../names.ts'
import type { Settings } from '../settings.ts'
import type { Given } from '../values.ts'
import { type FileService, type NamedEnvironment, noVariables, placeOfProblem, type Wire } from './references.ts'

/** A service of the file, and what it is called in production. */
export interface PlacedService {
  readonly key: string
  readonly name: string
  /** File, line, column and key, for messages. */
  readonly label: string
}

/** Names the services of a file that has several; `written` tells what the file says of the name of one. */
export function placeServices(
  services: readonly FileService[],
  repository: RepositoryName,
  written: (key: string) => Given | undefined,
): { readonly placed: readonly PlacedService[]; readonly problems: readonly string[] } {
  const problems: string[] = []
  const keys = new Map<string, string>()
  const placed = services.map(({ name: key, label }): PlacedService => {
    const given = written(key)
    const parsed = given ? parseServiceName(given.text) : { value: madeName(repository, key) }
    if (given && 'allowed' in parsed)
      problems.push(`${given.label}: must be ${parsed.allowed}, but is ${JSON.stringify(given.text)}`)
    const name = 'value' in parsed ? parsed.value : madeName(repository, key)
    const other = keys.get(name)
    const advice = `give it a name of its own, services.${key}.name`
    if (other !== undefined) problems.push(`${label}: would be called ${name}, as ${other} is; ${advice}`)
    keys.set(name, key)
    return { key, label, name }
  })
  return { placed, problems }
}

/** A production service that carries the marks of this repository, and of the same file where one made it. */
export interface RunningService {
  readonly name: string
  /** What it would be called if it were made now: a repository that was renamed keeps the names of its services. */
  readonly madeNow: string
  /** Its key in the file that it was made from, where that had several services. */
  readonly key: string | undefined
}

/** What a service would be called if it were made now, and not under the repository's former name. */
export function nameNow(
  {
    name,
    key,
    number,
    environment,
  }: Pick<RunningService, 'name' | 'key'> & {
    readonly number: number | undefined
    readonly environment?: string | undefined
  },
  repository: RepositoryName,
  former: RepositoryName | undefined,
): string {
  // A preview is of production, and an environment has none.
  const made = (of: RepositoryName) => previewName(nameIn(environment, madeName(of, key)), number)
  return former && made(former) === name ? made(repository) : name
}

/**
 * Holds what production runs against the file.
 * @returns why nothing may be deployed (users would get another program under their address, or production would be there
 *   twice), and what the file has no more
 * @param removes whether what the file has no more is to be removed, so that nothing stays twice
 */
export function compareWithFile<S extends RunningService>(
  running: readonly S[],
  placed: readonly PlacedService[],
  removes: boolean,
) {
  const isRunning = ({ name }: PlacedService) => running.some(({ madeNow }) => madeNow === name)
  const keeping = (key: string, name: string) =>
    `to keep it write services.${key}.name: ${name}, and to have it removed instead, set the input remove-orphans: true`
  const judge = ({ name, key, madeNow }: S): string | 'stays' | 'orphan' => {
    const inItsPlace = placed.find((one) => one.name === madeNow)
    if (inItsPlace) {
      const { label, key: other } = inItsPlace
      if (key === undefined || key === other) return 'stays'
      return `${label}: ${name} runs ${key} of this file, and would become ${other}; give this one another name, services.${other}.name`
    }
    const itself = placed.find((one) => one.key === key)
    if (itself && !isRunning(itself) && !removes)
      return `${itself.label}: ${name} runs it, and from now on it would be ${itself.name}; ${keeping(itself.key, name)}`
    if (key !== undefined) return 'orphan'
    const [first, ...more] = placed
    if (more.length === 0) return 'stays'
    if (placed.some(isRunning) || removes) return 'orphan'
    return `${first?.label}: ${name} was made before the file had several services, and none of them is called so; ${keeping('NAME', name)}`
  }
  const verdicts = running.map((service) => ({ service, verdict: judge(service) }))
  return {
    problems: verdicts.map(({ verdict }) => verdict).filter((verdict) => verdict !== 'stays' && verdict !== 'orphan'),
    orphans: verdicts.flatMap(({ service, verdict }) => (verdict === 'orphan' ? [service] : [])),
  }
}

/** Why the environments of a file cannot be beside its production, by whose names services are placed, and each other. */
export function environmentProblems(
  environments: readonly NamedEnvironment[],
  placed: readonly PlacedService[],
  productionBranch: string,
): string[] {
  const names = new Map(placed.map(({ key, name }) => [name, `${key} is in production`]))
  return environments.flatMap(({ name: environment, branch, label }) => {
    const problems = branch === productionBranch ? [`${label}: ${branch} goes to production already`] : []
    for (const { key, name: production } of placed) {
      const name = nameIn(environment, production)
      const other = names.get(name)
      if (other !== undefined)
        problems.push(
          `${label}: ${key} would be called ${name}, as ${other}; call the environment or the service otherwise`,
        )
      names.set(name, `${key} is in ${environment}`)
    }
    return problems
  })
}

/** A service as it is in an environment that the file names: what is meant for previews or production alone is not for it. */
export function inEnvironment(service: FileService, { variables }: NamedEnvironment): FileService {
  const shared = new Map([...service.variables.shared, ...variables.shared])
  return { ...service, variables: { ...noVariables, shared } }
}

/** In an environment that the file names nothing is that belongs to production alone: domain, DNS, its secrets. */
export function settingsIn(environment: NamedEnvironment | undefined, settings: Settings): Settings {
  if (environment === undefined) return settings
  const variables = { ...settings.environment, preview: new Map(), production: new Map() }
  const none = { domain: undefined, previewDomain: undefined, dnsRecords: undefined, autoscale: undefined }
  return { ...settings, ...none, named: environment.name, environment: variables }
}

/** Services with their names in an environment; undefined for production. */
export function placedIn(environment: NamedEnvironment | undefined, placed: readonly PlacedService[]): PlacedService[] {
  return placed.map((one) => ({ ...one, name: nameIn(environment?.name, one.name) }))
}

/** Whoever uses another's database needs that other to have one, of a kind that has what is asked for. */
export function databaseProblems(
  services: readonly { name: string; wires: readonly Wire[]; settings: Pick<Settings, 'database'> }[],
): string[] {
  return services.flatMap(({ wires }) =>
    wires.flatMap(({ service, output, label }) => {
      const type = services.find(({ name }) => name === service)?.settings.database?.type
      if (!output.startsWith('database.')) return []
      if (type === undefined) return [`${label}: ${service} has no database`]
      if (output === 'database.token' && type !== 'sqlite') return [`${label}: a ${type} database has no token`]
      return []
    }),
  )
}

/** The commit whose `ink.yml` counts. */
export interface FileCommit extends WantedCommit {
  /** It is a fork's preview: what lies in the workspace is a stranger's, and the base commit's file counts. */
  readonly untrusted: boolean
  readonly environment: 'preview' | 'production'
  /** The file counts only if it gives this branch an environment of its own. */
  readonly branch?: string | undefined
  /** Then it counts for production. */
  readonly elseProduction?: boolean | undefined
}

/**
 * Whose `ink.yml` a run goes by. Asked before the file is known, so that nothing in it can change the answer.
 * @returns undefined where none is needed (what is taken down is found by its marks), or the plan will say what is wrong
 */
export function fileCommitOf(input: PlanInput, facts: Facts): FileCommit | NeedsPlan | undefined {
  const { event, context } = input
  const { sha } = context
  const intent = intentOf(input)
  const ofCommit = (wanted: string, only: Pick<FileCommit, 'branch' | 'elseProduction'> = {}): FileCommit => {
    const shared = { ordinaryCheckouts: [sha, wanted], untrusted: false, environment: 'production' } as const
    return { wanted: { sha: wanted }, ...shared, ...only }
  }
  switch (intent.kind) {
    case 'none': {
      // Whether a label or a draft means anything stands in the file, and so does whether a branch has an environment.
      if (event.kind === 'pull-request' && event.action !== 'closed') return ofPullRequest(event, input, facts)
      const branch = branchWithEnvironment(input)
      if (branch === undefined) return undefined
      return ofCommit((event.kind === 'push' && event.after) || sha, { branch })
    }
    case 'preview':
      return ofPullRequest(intent.of, input, facts)
    case 'production':
      return ofCommit(intent.wanted.sha)
    case 'rollback':
    case 'logs':
      return intent.number === undefined
        ? ofCommit(sha, { branch: branchWithEnvironment(input), elseProduction: true })
        : ofPullRequest({ number: intent.number }, input, facts)
    case 'sweep':
    case 'monitor':
      return ofCommit(sha)
    default:
      return undefined
  }
}

/** The head of a pull request, or for a fork's the commit that it wants to be merged into. */
function ofPullRequest(
  of: IntentTo<'preview'>['of'],
  { context }: PlanInput,
  facts: Facts,
): FileCommit | NeedsPlan | undefined {
  const found = pullRequestOf(of, facts)
  if ('kind' in found) return found.kind === 'needs' ? found : undefined
  const { head, base } = found
  const untrusted = isFromFork(found, context.repository)
  const sha = untrusted ? base.sha : head.sha
  return { wanted: { sha }, ordinaryCheckouts: [context.sha, head.sha], untrusted, environment: 'preview' }
}

/** The branch that a push or a start by hand is about, where `ink.yml` may give it an environment of its own. */
function branchWithEnvironment(input: PlanInput): string | undefined {
  const { event } = input
  const isPush = event.kind === 'push' && event.after !== undefined
  if (!isPush && event.kind !== 'dispatch') return undefined
  const branch = branchOf(event.ref)
  return branch === productionBranch(input) ? undefined : branch
}

/** The refusal of a run for problems of which those that are the file's begin with their place in it. */
export function refusedProblems(problems: readonly string[], path?: string): RefusedPlan {
  const unique = [...new Set(problems)]
  const places = path === undefined ? [] : unique.flatMap((problem) => placeOfProblem(problem, path) ?? [])
  const what = places.length < unique.length ? 'The inputs are' : `${path} is`
  const remedy =
    places.length > 0
      ? `Every key of ${path} is in ink.schema.json, by which editors complete and check it.`
      : 'Put the `with:` block of the step right; the README lists every input.'
  const refused = refusal(`${what} not right:`, `Nothing was done. ${remedy}`, unique)
  return { ...refused, places: places.map((place) => ({ ...place, file: path ?? '' })) }
}
