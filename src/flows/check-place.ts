import { DeployError } from '../core/errors.ts'
import { safeMessage } from '../core/sanitize.ts'
import { PlatformError } from '../ink/errors.ts'
import type { Platform } from '../ink/platform.ts'
import { judgeProject, judgeWorkspace, type KnownPlace, type PlaceJudgement } from '../plan/place-names.ts'
import type { Place } from '../plan/plan.ts'
import type { Run } from './run.ts'

type Lister = Pick<Platform, 'workspaces' | 'projects' | 'knowsWorkspaces'>

/** What the inputs `project` and `workspace` turn out to name. Undefined: not asked for, or the server keeps no list. */
export interface PlaceFindings {
  readonly project: PlaceJudgement | undefined
  readonly workspace: PlaceJudgement | 'not-taken' | undefined
}

/** Looks project and workspace up, the latter first: a server lists the projects of a workspace. */
export async function findPlace(platform: Lister, place: Place, signal: AbortSignal): Promise<PlaceFindings> {
  const workspace = await findWorkspace(platform, place.workspace, signal)
  if (typeof workspace === 'object' && workspace.kind === 'refused') return { workspace, project: undefined }
  const projects = await platform.projects(signal)
  const known = projects?.map(({ name, ref }): KnownPlace => ({ names: ref === undefined ? [name] : [name, ref] }))
  return { workspace, project: known && judgeProject(place, known) }
}

async function findWorkspace(
  platform: Lister,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<PlaceFindings['workspace']> {
  if (wanted === undefined) return undefined
  if (!platform.knowsWorkspaces) return 'not-taken'
  const workspaces = await platform.workspaces(signal)
  return (
    workspaces &&
    judgeWorkspace(
      wanted,
      workspaces.map(({ slug }): KnownPlace => ({ names: [slug] })),
    )
  )
}

/**
 * Makes sure that the run happens where it is meant to, before anything is touched. The default project is always there,
 * so most runs ask nothing.
 * @throws DeployError when `workspace` is unknown, or when `project` is and looks like a slip of the pen
 */
export async function checkPlace(
  run: Pick<Run, 'platform' | 'log' | 'signal' | 'secrets'>,
  place: Place,
): Promise<void> {
  if (place.project === 'default' && place.workspace === undefined) return
  const { project, workspace } = await findOrWarn(run, place)
  if (workspace === 'not-taken')
    run.log.warning(`This ml.ink server has no workspaces, so \`workspace: ${place.workspace}\` has no effect.`)
  for (const judgement of [workspace, project]) {
    if (typeof judgement !== 'object') continue
    if (judgement.kind === 'refused') throw new DeployError(judgement.detail, { hint: judgement.hint })
    if (judgement.kind === 'new') run.log.info(`Project: ${judgement.detail}. A deployment makes it.`)
  }
}

/** The list is a precaution: where it cannot be read, the platform itself judges the name. */
async function findOrWarn(run: Parameters<typeof checkPlace>[0], place: Place): Promise<PlaceFindings> {
  try {
    return await findPlace(run.platform, place, run.signal)
  } catch (error) {
    const unusable = error instanceof PlatformError && (error.failure === 'protocol' || error.failure === 'tool')
    if (!unusable) throw error
    run.log.warning(`Whether project and workspace exist could not be checked: ${safeMessage(run, error)}`)
    return { project: undefined, workspace: undefined }
  }
}
