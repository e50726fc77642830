import { Secret } from '../core/secret.ts'
import { branchOf, type PullRequest, type Repository } from './event.ts'
import { variablesOf } from './file/fill-variables.ts'
import type { Intent, PlanInput, PreviewIntent, ProductionIntent, RollbackIntent } from './intent.ts'
import { databaseName, environmentName, nameIn, nameOfSeveral, previewName, serviceName, targetName } from './names.ts'
import type {
  Costing,
  MonitorPlan,
  Place,
  Plan,
  PreviewPlan,
  ProductionPlan,
  RefusedPlan,
  RollbackPlan,
  SweepPlan,
  TeardownPlan,
} from './plan.ts'
import type { BuildSettings, Settings } from './settings.ts'
import { configMark, marks, markVariables, type Variables } from './variables.ts'

/** The plan of a preview that no rule forbids. */
export function previewPlan(
  input: PlanInput,
  intent: PreviewIntent,
  {
    pullRequest,
    untrusted,
  }: {
    readonly pullRequest: PullRequest
    /** A fork's code, with the repository's key in reach. */
    readonly untrusted: boolean
  },
): PreviewPlan | RefusedPlan {
  const { settings, context } = input
  const shared = common(input, intent.because)
  const { number, head, base } = pullRequest
  const name = previewName(shared.place.baseName, number)
  const filled = variablesOf(settings, { environment: 'preview', pullRequest: number, sha: head.sha, untrusted })
  if ('kind' in filled) return filled
  const ownMarks = markVariables(
    { ...marked(input), pullRequest: number, sha: head.sha, ref: head.ref },
    settings.environment.git,
  )
  return {
    kind: 'preview',
    ...shared,
    ...deploying(settings, name),
    target: targetName(name, number),
    environment: 'preview',
    wanted: { sha: head.sha, ref: `refs/pull/${number}/head` },
    ordinaryCheckouts: unique([context.sha, head.sha]),
    bases: unique([intent.before, base.sha]).filter((sha) => sha !== head.sha),
    variables: layered(filled.variables, ownMarks),
    // Cookies and trust that belong to a domain are not for the code of strangers.
    domain: untrusted ? undefined : settings.previewDomain?.replaceAll('{number}', String(number)),
    pullRequest,
    untrusted,
    previewLabel: settings.previewLabel,
    previewDrafts: settings.previewDrafts || intent.byPerson,
    maxPreviews: settings.maxPreviews,
    maxCostPerDay: settings.maxCostPerDay,
    previewTtlMs: settings.previewTtlMs,
    askedBy: intent.comment && { commentId: intent.comment.commentId, login: intent.comment.login },
  }
}

/** The plan of a deployment to production. */
export function productionPlan(input: PlanInput, intent: ProductionIntent): ProductionPlan | RefusedPlan {
  const { settings, context } = input
  const { wanted, before } = intent
  const shared = common(input, intent.because)
  const { baseName } = shared.place
  const filled = variablesOf(settings, {
    environment: 'production',
    named: settings.named,
    pullRequest: undefined,
    sha: wanted.sha,
    untrusted: false,
  })
  if ('kind' in filled) return filled
  const ownMarks = markVariables(
    {
      ...marked(input),
      pullRequest: undefined,
      named: settings.named,
      sha: wanted.sha,
      ref: shortRef(wanted.ref),
    },
    settings.environment.git,
  )
  return {
    kind: 'production',
    ...shared,
    ...deploying(settings, baseName),
    target: targetName(baseName, undefined, settings.named),
    environment: environmentName(undefined, settings.named),
    wanted,
    ordinaryCheckouts: unique([context.sha, wanted.sha]),
    bases: unique([before]).filter((sha) => sha !== wanted.sha),
    variables: layered(filled.variables, ownMarks),
    autoscale: settings.autoscale,
    domain: settings.domain,
    dnsRecords: settings.dnsRecords,
    rollback: settings.rollback,
  }
}

function marked({ context: { repository }, settings: { serviceKey, config } }: PlanInput) {
  const { fullName, id } = repository
  return { repository: fullName, repositoryId: id, service: serviceKey, config: configMark(config) }
}

function deploying(settings: Settings, name: string) {
  const { directory, exportIgnore, lfsPointers, environment, database, health, prices, creditsWarning } = settings
  const { removeDomain, paths, timeoutMs, adopt, onQuota } = settings
  return {
    serviceName: name,
    directory,
    exportIgnore,
    lfsPointers,
    paths,
    build: buildOf(settings),
    envStrategy: environment.strategy,
    database: database && { ...database, name: databaseName(name) },
    removeDomain,
    health,
    timeoutMs,
    adopt,
    onQuota,
    prices,
    creditsWarning,
  }
}

/** Files that were built beforehand are served as they are, if nothing says how else they should run. */
function buildOf({ build, directory }: Settings): BuildSettings {
  const said = build.buildPack ?? build.buildCommand ?? build.startCommand ?? build.publishDirectory
  return directory !== undefined && said === undefined ? { ...build, buildPack: 'static' } : build
}

function layered(...layers: readonly Variables[]): Variables {
  return new Map(layers.flatMap((layer) => [...layer]))
}

function shortRef(ref: string): string {
  return branchOf(ref) ?? ref.replace(/^refs\/tags\//, '')
}

function unique(shas: readonly (string | undefined)[]): string[] {
  return [...new Set(shas.filter((sha) => sha !== undefined))]
}

export function teardownPlan(input: PlanInput, intent: Extract<Intent, { kind: 'teardown' }>): TeardownPlan {
  const { number } = intent
  const name = previewName(placeOf(input).baseName, number)
  return {
    kind: 'teardown',
    ...common(input, intent.because),
    ...costing(input),
    target: targetName(name, number),
    environment: 'preview',
    serviceName: name,
    pullRequest: number,
    databaseName: databaseName(name),
    timeoutMs: input.settings.timeoutMs,
    onDemand: intent.askedBy !== undefined || input.settings.command === 'teardown',
    previewLabel: input.settings.previewLabel,
    previewDrafts: input.settings.previewDrafts,
    askedBy: intent.askedBy,
  }
}

export function sweepPlan(input: PlanInput, intent: Extract<Intent, { kind: 'sweep' }>): SweepPlan {
  const { previewLabel, previewTtlMs, maxPreviews, timeoutMs } = input.settings
  const common_ = { ...common(input, intent.because), ...costing(input) }
  const followedBy = intent.thenMonitor ? monitorPlan(input, intent.because) : undefined
  return { kind: 'sweep', ...common_, previewLabel, previewTtlMs, maxPreviews, timeoutMs, followedBy }
}

export function monitorPlan(input: PlanInput, because: string): MonitorPlan {
  const { health, autoscale, timeoutMs } = input.settings
  const { baseName } = placeOf(input)
  const shared = { ...common(input, because), ...costing(input) }
  return { kind: 'monitor', ...shared, serviceName: baseName, health, autoscale, timeoutMs }
}

export function rollbackPlan(
  input: PlanInput,
  intent: RollbackIntent,
  pullRequest: PullRequest | undefined,
): RollbackPlan {
  const { number, to } = intent
  const { health, timeoutMs, adopt } = input.settings
  const { baseName } = placeOf(input)
  const name = number === undefined ? baseName : previewName(baseName, number)
  return {
    kind: 'rollback',
    ...common(input, intent.because),
    target: targetName(name, number),
    environment: environmentName(number),
    serviceName: name,
    pullRequest,
    to,
    health,
    timeoutMs,
    adopt,
    askedBy: intent.askedBy,
  }
}

/** What all plans that do something have. */
export function common(input: PlanInput, because: string) {
  return { dryRun: input.settings.dryRun, because, place: placeOf(input) }
}

export function costing({ settings }: PlanInput): Costing {
  const { build, database, prices, creditsWarning } = settings
  return { build, database, prices, creditsWarning }
}

/** Where a run happens on the platform. */
export function placeOf({ context, settings }: Pick<PlanInput, 'context' | 'settings'>): Place {
  const { repository } = context
  return {
    project: settings.project,
    workspace: settings.workspace,
    repositoryName: repository.name,
    repository,
    baseName: nameIn(settings.named, serviceName(settings.service, repository)),
    ...(settings.named === undefined ? {} : { environment: settings.named }),
    ...(settings.serviceKey === undefined ? {} : { serviceKey: settings.serviceKey }),
  }
}

/** What a repository was called when its services got their names. */
export interface FormerRepository {
  readonly owner: string
  readonly name: string
}

type PlacedPlan = Extract<Plan, { readonly place: unknown }>

/** The former name that the marks of a service of ours tell; undefined when it is the present one. */
export function formerRepositoryOf(
  env: Readonly<Record<string, string>>,
  present: string,
): FormerRepository | undefined {
  const told = env[marks.formerRepository] ?? env[marks.repository] ?? ''
  const [owner = '', name = ''] = told.split('/')
  return owner !== '' && name !== '' && told.toLowerCase() !== present.toLowerCase() ? { owner, name } : undefined
}

/**
 * The same plan with the names that the services of a repository got before it was renamed or transferred. Names that the
 * workflow gives are not made of the repository's, and stay.
 */
export function underFormerNames<P extends PlacedPlan>(plan: P, former: FormerRepository): P {
  const { place } = plan
  const { repository } = place
  const made = (of: Pick<Repository, 'owner' | 'name'>) =>
    nameIn(
      place.environment,
      place.serviceKey === undefined ? serviceName(undefined, of) : nameOfSeveral(of, place.serviceKey),
    )
  const baseName = place.baseName === made(repository) ? made(former) : place.baseName
  const repositoryName = place.repositoryName === repository.name ? former.name : place.repositoryName
  const number = pullRequestOf(plan)
  const name = number === undefined ? baseName : previewName(baseName, number)
  const told = `${former.owner}/${former.name}`
  return {
    ...plan,
    place: { ...place, baseName, repositoryName, repository: { ...repository, madeAs: former } },
    ...('serviceName' in plan ? { serviceName: name } : {}),
    ...('target' in plan ? { target: targetName(name, number, place.environment) } : {}),
    ...('databaseName' in plan ? { databaseName: databaseName(name) } : {}),
    ...('variables' in plan
      ? { variables: new Map([...plan.variables, [marks.formerRepository, new Secret(told)]]) }
      : {}),
    ...('adopt' in plan && 'database' in plan && plan.database
      ? { database: { ...plan.database, name: databaseName(name) } }
      : {}),
    ...('followedBy' in plan && plan.followedBy ? { followedBy: underFormerNames(plan.followedBy, former) } : {}),
  }
}

function pullRequestOf(plan: PlacedPlan): number | undefined {
  if (!('pullRequest' in plan)) return undefined
  return typeof plan.pullRequest === 'object' ? plan.pullRequest.number : plan.pullRequest
}
