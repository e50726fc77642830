import { DeployError } from '../../core/errors.ts'
import { safeMessage } from '../../core/sanitize.ts'
import type { AccountLimits } from '../../ink/account.ts'
import { argumentsRefused } from '../../ink/catalogue.ts'
import { PlatformError } from '../../ink/errors.ts'
import type { Platform } from '../../ink/platform.ts'
import type { Place } from '../../plan/event.ts'
import { judgeProject, judgeWorkspace, type KnownPlace, type PlaceJudgement } from '../../plan/names.ts'
import type { ProductionPlan } from '../../plan/plan.ts'
import type { AccountView } from '../../report/model.ts'
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

/**
 * Whose key it is, and how full the account. It is told beside the result, so what cannot be read is left out, and
 * nothing fails for it.
 */
export async function readAccount(platform: Platform, place: Place, signal: AbortSignal): Promise<AccountView> {
  const ifTold = <T>(asked: Promise<T>) => asked.catch(() => undefined)
  const [account, services, limits] = await Promise.all([
    ifTold(platform.account(signal)),
    platform.offers('listServices') ? ifTold(platform.services(signal)) : undefined,
    ifTold(platform.limits(signal)),
  ])
  return {
    name: account?.name,
    project: place.project,
    workspace: place.workspace,
    servicesInUse: services?.length,
    mostServices: limits?.maxServices,
    limits: describeLimits(limits),
  }
}

/** What the plan of an account allows, but for the number of its services. */
export function describeLimits(limits: AccountLimits | undefined): string[] {
  if (!limits) return []
  const { tier, maxMemoryMi, maxVcpus } = limits
  return [
    ...(tier === undefined ? [] : [`plan ${tier}`]),
    ...(maxMemoryMi === undefined ? [] : [`at most ${maxMemoryMi} MiB of memory`]),
    ...(maxVcpus === undefined ? [] : [`at most ${maxVcpus} vCPUs`]),
  ]
}

/**
 * Refuses a deployment that this server has no tool for, or not with these values, before anything is pushed or created:
 * what would be left of one that fails half-way is of no use to anybody.
 *
 * @param exists whether the service is there already, and would be changed
 * @throws DeployError that says what cannot be done, and what can
 */
export function assertDeployable(
  platform: Pick<Platform, 'offers' | 'checkArguments'>,
  { serviceName, build }: Pick<ProductionPlan, 'serviceName' | 'build'>,
  exists: boolean,
): void {
  const purpose = exists ? 'updateService' : 'createService'
  if (platform.offers(purpose)) {
    const refused = platform.checkArguments(purpose, build)
    if (refused.length > 0) throw argumentsRefused(refused)
    return
  }
  const [what, hint] = exists
    ? [
        `change a service, so ${serviceName} stays as it is`,
        'The oldest servers can only create and delete services. For a preview, close the pull request and open it again; otherwise use another `endpoint`.',
      ]
    : [
        `create a service, and ${serviceName} does not exist yet`,
        'Create the service at ml.ink and set `adopt: true`, or use another `endpoint`.',
      ]
  throw new DeployError(`This ml.ink server has no tool to ${what}; nothing was touched`, { hint })
}
