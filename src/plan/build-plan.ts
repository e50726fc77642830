import { Secret } from '../core/secret.ts'
import { branchOf, type PullRequest, type RepositoryName } from './event.ts'
import { fillVariables, placeOfProblem, type VariablesOf } from './file/references.ts'
import type { Intent, PlanInput, PreviewIntent, ProductionIntent, RollbackIntent, TeardownIntent } from './intent.ts'
import { databaseName, environmentName, madeName, nameIn, previewName, serviceName, targetName } from './names.ts'
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
  const { settings } = input
  const { number, head, base } = pullRequest
  const shared = deployment(input, intent.because, {
    environment: 'preview',
    pullRequest: number,
    untrusted,
    sha: head.sha,
    ref: `refs/pull/${number}/head`,
    mark: head.ref,
    bases: [intent.before, base.sha],
  })
  if ('kind' in shared) return shared
  return {
    kind: 'preview',
    ...shared,
    ...pick(settings, 'previewLabel', 'maxPreviews', 'maxCostPerDay', 'previewTtlMs'),
    // Cookies and trust that belong to a domain are not for the code of strangers.
    domain: untrusted ? undefined : settings.previewDomain?.replaceAll('{number}', String(number)),
    pullRequest,
    untrusted,
    previewDrafts: settings.previewDrafts || intent.byPerson,
    askedBy: intent.comment && { commentId: intent.comment.commentId, login: intent.comment.login },
  }
}

/** The plan of a deployment to production, or to the environment that the file names. */
export function productionPlan(input: PlanInput, intent: ProductionIntent): ProductionPlan | RefusedPlan {
  const { wanted, before } = intent
  const shared = deployment(input, intent.because, {
    environment: 'production',
    named: input.settings.named,
    pullRequest: undefined,
    untrusted: false,
    ...wanted,
    mark: branchOf(wanted.ref) ?? wanted.ref.replace(/^refs\/tags\//, ''),
    bases: [before],
  })
  if ('kind' in shared) return shared
  return { kind: 'production', ...shared, ...pick(input.settings, 'autoscale', 'domain', 'dnsRecords', 'rollback') }
}

/** What both have; or a refusal, where `ink.yml` names what is not there. */
function deployment(
  input: PlanInput,
  because: string,
  of: VariablesOf & {
    readonly ref: string
    /** The ref as the service's mark has it. */
    readonly mark: string
    readonly bases: readonly (string | undefined)[]
  },
) {
  const { settings, context } = input
  const { pullRequest, named, sha, ref } = of
  const filled = variablesOf(settings, of)
  if ('kind' in filled) return filled
  const shared = common(input, because)
  const { baseName } = shared.place
  const name = pullRequest === undefined ? baseName : previewName(baseName, pullRequest)
  const { fullName: repository, id: repositoryId } = context.repository
  const service = settings.serviceKey
  const ownMarks = markVariables(
    { repository, repositoryId, service, config: configMark(settings.config), pullRequest, named, sha, ref: of.mark },
    settings.environment.git,
  )
  return {
    ...shared,
    ...pick(settings, 'directory', 'exportIgnore', 'lfsPointers', 'paths', 'health', 'prices', 'creditsWarning'),
    ...pick(settings, 'removeDomain', 'timeoutMs', 'adopt', 'onQuota'),
    serviceName: name,
    target: targetName(name, pullRequest, named),
    environment: environmentName(pullRequest, named),
    wanted: { sha, ref },
    ordinaryCheckouts: unique([context.sha, sha]),
    bases: unique(of.bases).filter((base) => base !== sha),
    build: buildOf(settings),
    variables: new Map([...filled.variables, ...ownMarks]),
    envStrategy: settings.environment.strategy,
    database: settings.database && { ...settings.database, name: databaseName(name) },
  }
}

/** The variables of a service, or a refusal that names every secret which is missing. */
export function variablesOf(settings: Settings, of: VariablesOf): { readonly variables: Variables } | RefusedPlan {
  const { variables, problems } = fillVariables(settings.environment, of)
  if (problems.length === 0) return { variables }
  return {
    kind: 'refused',
    problem: `${settings.config} names secrets that are not there:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
    hint: 'Nothing was done. Pass them in the workflow: `env: |` with a line `NAME=${{ secrets.NAME }}` for each.',
    places: problems.flatMap((problem) => {
      const place = placeOfProblem(problem, settings.config)
      return place ? [{ ...place, file: settings.config }] : []
    }),
  }
}

function pick<K extends keyof Settings>(settings: Settings, ...names: readonly K[]): Pick<Settings, K> {
  return Object.fromEntries(names.map((name) => [name, settings[name]])) as Pick<Settings, K>
}

/** Files that were built beforehand are served as they are, if nothing says how else they should run. */
function buildOf({ build, directory }: Settings): BuildSettings {
  const said = build.buildPack ?? build.buildCommand ?? build.startCommand ?? build.publishDirectory
  return directory !== undefined && said === undefined ? { ...build, buildPack: 'static' } : build
}

function unique(shas: readonly (string | undefined)[]): string[] {
  return [...new Set(shas.filter((sha) => sha !== undefined))]
}

export function teardownPlan(input: PlanInput, intent: TeardownIntent): TeardownPlan {
  const { number, askedBy, because } = intent
  const shared = common(input, because)
  const name = previewName(shared.place.baseName, number)
  return {
    kind: 'teardown',
    ...shared,
    ...costing(input),
    ...pick(input.settings, 'timeoutMs', 'previewLabel', 'previewDrafts'),
    target: targetName(name, number),
    environment: 'preview',
    serviceName: name,
    pullRequest: number,
    databaseName: databaseName(name),
    onDemand: askedBy !== undefined || input.settings.command === 'teardown',
    askedBy,
  }
}

export function sweepPlan(input: PlanInput, { because, thenMonitor }: Extract<Intent, { kind: 'sweep' }>): SweepPlan {
  const rules = pick(input.settings, 'previewLabel', 'previewTtlMs', 'maxPreviews', 'timeoutMs')
  const followedBy = thenMonitor ? monitorPlan(input, because) : undefined
  return { kind: 'sweep', ...common(input, because), ...costing(input), ...rules, followedBy }
}

export function monitorPlan(input: PlanInput, because: string): MonitorPlan {
  const shared = common(input, because)
  const rules = pick(input.settings, 'health', 'autoscale', 'timeoutMs')
  return { kind: 'monitor', ...shared, ...costing(input), ...rules, serviceName: shared.place.baseName }
}

export function rollbackPlan(
  input: PlanInput,
  { because, number, to, askedBy }: RollbackIntent,
  pullRequest: PullRequest | undefined,
): RollbackPlan {
  const shared = common(input, because)
  const { baseName } = shared.place
  const name = number === undefined ? baseName : previewName(baseName, number)
  return {
    kind: 'rollback',
    ...shared,
    ...pick(input.settings, 'health', 'timeoutMs', 'adopt'),
    target: targetName(name, number, input.settings.named),
    environment: environmentName(number, input.settings.named),
    serviceName: name,
    pullRequest,
    to,
    askedBy,
  }
}

export function common(input: PlanInput, because: string) {
  return { dryRun: input.settings.dryRun, because, place: placeOf(input) }
}

export function costing({ settings }: PlanInput): Costing {
  return pick(settings, 'build', 'database', 'prices', 'creditsWarning')
}

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

type PlacedPlan = Extract<Plan, { readonly place: unknown }>

/** The former name that the marks of a service of ours tell; undefined when it is the present one. */
export function formerRepositoryOf(env: Readonly<Record<string, string>>, present: string): RepositoryName | undefined {
  const told = env[marks.formerRepository] ?? env[marks.repository] ?? ''
  const [owner = '', name = ''] = told.split('/')
  return owner !== '' && name !== '' && told.toLowerCase() !== present.toLowerCase() ? { owner, name } : undefined
}

/**
 * The same plan with the names that the services of a repository got before it was renamed or transferred. Names that the
 * workflow gives are not made of the repository's, and stay.
 */
export function underFormerNames<P extends PlacedPlan>(plan: P, former: RepositoryName): P {
  const { place } = plan
  const { repository } = place
  const made = (of: RepositoryName) => nameIn(place.environment, madeName(of, place.serviceKey))
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
