import { doEach, tryEach } from '../../core/async.ts'
import { DeployError } from '../../core/errors.ts'
import { safeMessage } from '../../core/sanitize.ts'
import { PlatformError } from '../../ink/errors.ts'
import type { Platform } from '../../ink/platform.ts'
import { repositorySlug, type Service } from '../../ink/results.ts'
import type { Place, RepositoryName } from '../../plan/context.ts'
import { type Allowance, mayChange, mayDelete, ownershipOf } from '../../plan/guards.ts'
import { judgeProject, judgeWorkspace, type KnownPlace, type PlaceJudgement } from '../../plan/names.ts'
import type { Plan } from '../../plan/plan.ts'
import { underFormerNames } from '../../plan/plan.ts'
import { formerRepositoryOf, namedEnvironmentOf } from '../../plan/variables.ts'
import { type GitRemote, parseRemote } from '../../source/remote.ts'
import type { Run } from '../run.ts'

/** What one of the inputs `project` and `workspace` turns out to name; no judgement where the server keeps no list. */
export interface PlaceFinding {
  readonly name: 'Workspace' | 'Project'
  readonly value: string
  readonly judgement: PlaceJudgement | { readonly kind: 'ignored' } | undefined
}

/** Looks workspace and project up; the latter not in a workspace that is unknown, as a server lists those of a workspace. */
export async function findPlace(
  platform: Pick<Platform, 'workspaces' | 'projects' | 'knowsWorkspaces'>,
  place: Place,
  signal: AbortSignal,
): Promise<readonly PlaceFinding[]> {
  const { project, workspace } = place
  const found: PlaceFinding[] = []
  if (workspace !== undefined) {
    const listed = platform.knowsWorkspaces ? await platform.workspaces(signal) : undefined
    const known = listed?.map(({ slug }): KnownPlace => ({ names: [slug] }))
    const judged = known && judgeWorkspace(workspace, known)
    const judgement = platform.knowsWorkspaces ? judged : ({ kind: 'ignored' } as const)
    found.push({ name: 'Workspace', value: workspace, judgement })
    if (judgement?.kind === 'refused') return found
  }
  const projects = await platform.projects(signal)
  const known = projects?.map(({ name, ref }): KnownPlace => ({ names: ref === undefined ? [name] : [name, ref] }))
  return [...found, { name: 'Project', value: project, judgement: known && judgeProject(place, known) }]
}

/**
 * Makes sure that the run happens where it is meant to, before anything is touched. The default project is always there,
 * so most runs ask nothing.
 * @throws DeployError when `workspace` is unknown, or when `project` is and looks like a typing error
 */
export async function assertPlace(
  run: Pick<Run, 'platform' | 'log' | 'signal' | 'secrets'>,
  place: Place,
): Promise<void> {
  if (place.project === 'default' && place.workspace === undefined) return
  const found = await findPlace(run.platform, place, run.signal).catch((error: unknown) => {
    // The list is a precaution: where it cannot be read, the platform itself judges the name.
    if (!isUnusable(error)) throw error
    run.log.warning(`Whether project and workspace exist could not be checked: ${safeMessage(run, error)}`)
    return []
  })
  for (const { judgement, value } of found) {
    if (judgement?.kind === 'ignored')
      run.log.warning(`This ml.ink server has no workspaces, so \`workspace: ${value}\` has no effect.`)
    if (judgement?.kind === 'refused') throw new DeployError(judgement.detail, { hint: judgement.hint })
    if (judgement?.kind === 'new') run.log.info(`Project: ${judgement.detail}. A deployment makes it.`)
  }
}

/**
 * Whether the project of a place is there. On ml.ink asking for a repository's token makes the project that it names, so
 * whoever only looks asks this first. A server that keeps no list, or cannot be understood, is taken to have it.
 */
export async function hasProject(platform: Pick<Platform, 'projects'>, place: Place, signal: AbortSignal) {
  if (place.project === 'default') return true
  const projects = await platform.projects(signal).catch((error: unknown) => {
    if (isUnusable(error)) return undefined
    throw error
  })
  return projects === undefined || projects.some(({ name, ref }) => name === place.project || ref === place.project)
}

function isUnusable(error: unknown): boolean {
  return error instanceof PlatformError && (error.failure === 'protocol' || error.failure === 'tool')
}

/** Our repository on the platform's git hosting. */
export interface InkRepository {
  /** Its token is masked. */
  readonly remote: GitRemote
  /** `owner/slug`, as services report where they are built from. */
  readonly slug: string
  /** Whether it was made just now, so that there is nothing in it. */
  readonly created: boolean
}

/** Our repository on the platform's git hosting, with the branches it had. */
export interface ReadRepository extends InkRepository {
  readonly branches: ReadonlyMap<string, string>
}

/**
 * Opens the repository that a place names on the platform, which `create` makes when it is missing. The token in its
 * address opens it for a year and cannot be revoked, so it is masked at once.
 * @returns undefined when there is none, and none was to be made
 */
export async function openInkRepository(
  { platform, mask, signal }: Pick<Run, 'platform' | 'mask' | 'signal'>,
  place: Place,
  create = false,
): Promise<InkRepository | undefined> {
  if (!create && !(await hasProject(platform, place, signal))) return undefined
  const access = await platform.gitAccess(place.repositoryName, create, signal)
  if (!access) return undefined
  return { remote: parseRemote(access.remote, mask), slug: repositorySlug(access.remote), created: access.created }
}

/** Short name → commit of all its branches. */
export async function readBranches(
  { openSource, signal }: Pick<Run, 'openSource' | 'signal'>,
  { remote }: InkRepository,
): Promise<ReadonlyMap<string, string>> {
  await using source = openSource()
  return await source.branches(remote, signal)
}

/**
 * Makes sure that a service may be changed.
 * @param slug `owner/slug` of our repository on the platform
 * @throws DeployError when it is not ours and `adopt` is not set
 */
export function assertOwned(service: Service, plan: { place: Place; adopt: boolean }, slug: string): void {
  const { place, adopt } = plan
  const allowance = mayChange(existing(service, place, slug), place.repository.fullName, adopt)
  assertAllowed('Stopped before changing anything', allowance, sameEnvironment(service, place))
}

/**
 * Makes sure that a service may be deleted: every mark has to say that it is this pull request's preview, or, where none is
 * given, this repository's production.
 * @param slug undefined when our repository does not exist on the platform, so that nothing can be built from it
 * @throws DeployError when it is not
 */
export function assertRemovable(
  service: Service,
  { place, pullRequest }: { place: Place; pullRequest: number | undefined },
  slug: string | undefined,
): void {
  const allowance = mayDelete(existing(service, place, slug), place.repository.fullName, pullRequest)
  assertAllowed('Not removed', allowance, sameEnvironment(service, place))
}

/** What an environment that the file names has is no other's, and it has nothing of theirs, whatever the names are. */
function sameEnvironment({ name, env = {} }: Service, { environment }: Place): Allowance {
  const marked = namedEnvironmentOf(env)
  if (marked === environment) return { allowed: true }
  const [of, wanted] = [marked, environment].map((one = 'none that the file names') => one)
  return {
    allowed: false,
    reason: `the service ${name} is marked as one of another environment (${of}, and this run is for ${wanted})`,
    hint: 'Give the environment or the service another name in ink.yml, or delete the service at ml.ink if it is not needed.',
  }
}

/** Whether a service carries our marks, whatever it is built from. */
export function isMadeBy(service: Service, { repository }: Place): boolean {
  return ownershipOf(service.env ?? {}, repository.fullName, repository.id) === 'ours'
}

/** Whether a service carries our marks and is built from our repository. */
export function isOwnService(service: Service, place: Place, slug: string): boolean {
  return isMadeBy(service, place) && fromOurRepository(service, slug)
}

/** A service with the end of its log, if it is ours: the log of another one of that name is nobody's business here. */
export async function ownService(
  run: Pick<Run, 'platform' | 'mask' | 'signal'>,
  place: Place,
  name: string,
  runtimeLogLines: number,
): Promise<Service | undefined> {
  const repository = await openInkRepository(run, place)
  const service = repository && (await run.platform.service(name, { env: true, runtimeLogLines }, run.signal))
  return service && isOwnService(service, place, repository.slug) ? service : undefined
}

/** What a rollout has to know of whose service it changes. */
export function ownedBy(plan: { place: Place; adopt: boolean; serviceName: string }, repositorySlug: string) {
  return {
    serviceName: plan.serviceName,
    repositorySlug,
    repositoryName: plan.place.repositoryName,
    assertOwned: (service: Service) => assertOwned(service, plan, repositorySlug),
  }
}

/** The services that carry our marks and are built from our repository, of those whose names are asked for. */
export async function ownServices(
  run: Pick<Run, 'platform' | 'mask' | 'signal'>,
  place: Place,
  mayBe: (name: string) => boolean,
): Promise<Service[]> {
  const { platform, signal } = run
  if (!platform.offers('listServices')) return []
  const listed = (await platform.services(signal)).filter(({ name }) => mayBe(name))
  const repository = listed.length > 0 ? await openInkRepository(run, place) : undefined
  if (!repository) return []
  const candidates = listed.filter(({ repo }) => repo === undefined || repo === repository.slug)
  const read = await doEach(candidates, ({ name }) => platform.service(name, { env: true }, signal), signal)
  return read.flatMap((service) => (service && isOwnService(service, place, repository.slug) ? [service] : []))
}

function existing(service: Service, { repository }: Place, slug: string | undefined) {
  return {
    repositoryId: repository.id,
    name: service.name,
    env: service.env ?? {},
    fromOurRepository: slug !== undefined && fromOurRepository(service, slug),
  }
}

// Some servers do not report the repository; then the marks alone decide.
function fromOurRepository({ repo }: Service, slug: string): boolean {
  return repo === undefined || repo === slug
}

function assertAllowed(what: string, ...allowances: readonly Allowance[]): void {
  for (const one of allowances) if (!one.allowed) throw new DeployError(`${what}: ${one.reason}`, { hint: one.hint })
}

type PlacedPlan = Extract<Plan, { readonly place: unknown }>

/**
 * After a repository was renamed or transferred its services still have their old names, and the plan has new ones: then
 * the plan is changed, so that nothing is made twice and nothing is left behind. Costs one call where nothing changed.
 */
export async function keepFormerNames<P extends PlacedPlan>(plan: P, run: Run): Promise<P> {
  const { place } = plan
  if (place.repository.id === undefined || !run.platform.offers('listServices')) return plan
  const name = 'serviceName' in plan ? plan.serviceName : place.baseName
  const former = await findFormer(plan, run, [...new Set([name, place.baseName])])
  if (!former) return plan
  const kept = underFormerNames(plan, former)
  run.log.notice(
    `${place.repository.fullName} was called ${former.owner}/${former.name} when its services were made. They are ours by the number of the repository (${place.repository.id}), and keep their names: ${kept.place.baseName}, from the repository ${kept.place.repositoryName}.`,
  )
  if ('serviceName' in kept) {
    run.output('service', kept.serviceName)
    run.reporter.update({ service: kept.serviceName })
  }
  return kept
}

/** A service under one of the present names settles it; else those that the platform lists are asked for their marks. */
async function findFormer(
  { place }: PlacedPlan,
  run: Run,
  present: readonly string[],
): Promise<RepositoryName | undefined> {
  const { platform, signal } = run
  const { fullName } = place.repository
  for (const name of present) {
    const service = await platform.service(name, { env: true }, signal)
    if (service) return isMadeBy(service, place) ? formerRepositoryOf(service.env ?? {}, fullName) : undefined
  }
  const repository = await openInkRepository(run, place)
  const listed = (await platform.services(signal)).filter(
    ({ repo }) => repository === undefined || repo === undefined || repo === repository.slug,
  )
  const { done } = await tryEach(listed, ({ name }) => platform.service(name, { env: true }, signal), signal)
  for (const service of done) {
    const former = service && isMadeBy(service, place) ? formerRepositoryOf(service.env ?? {}, fullName) : undefined
    if (former) return former
  }
  return undefined
}
