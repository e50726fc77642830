import { Secret } from '../core/secret.ts'
import type { Place, RepositoryName } from './context.ts'
import { branchOf, type PullRequest } from './event.ts'
import { fillVariables, placeOfProblem, type VariablesOf } from './file/references.ts'
import { type Asked, type IntentTo, type NonePlan, type PlanInput, type RefusedPlan, refusal } from './intent.ts'
import { databaseName, environmentName, madeName, nameIn, previewName, serviceName, targetName } from './names.ts'
import type { BuildSettings, Settings } from './settings.ts'
import { configMark, marks, markVariables, type Variables } from './variables.ts'

/* The plans, each with all that is needed to carry it out: whoever does reads no setting. Their types are what is built. */

/** @param untrusted a fork's code, with the repository's key in reach: it gets the values of `preview-env` and no others */
export function previewPlan(
  input: PlanInput,
  intent: IntentTo<'preview'>,
  { pullRequest, untrusted }: { readonly pullRequest: PullRequest; readonly untrusted: boolean },
) {
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
    kind: 'preview' as const,
    ...shared,
    ...pick(settings, 'previewLabel', 'maxPreviews', 'maxCostPerDay', 'previewTtlMs'),
    // Cookies and trust that belong to a domain are not for the code of strangers.
    domain: untrusted ? undefined : settings.previewDomain?.replaceAll('{number}', String(number)),
    pullRequest,
    untrusted,
    /** A draft keeps its preview: drafts have some, or a person asked for this one. */
    previewDrafts: settings.previewDrafts || intent.byPerson === true,
    askedBy: intent.comment && { commentId: intent.comment.commentId, login: intent.comment.login },
  }
}

/** The plan of a deployment to production, or to the environment that the file names, and which its place tells. */
export function productionPlan(input: PlanInput, { because, wanted, before }: IntentTo<'production'>) {
  const shared = deployment(input, because, {
    environment: 'production',
    named: input.settings.named,
    pullRequest: undefined,
    untrusted: false,
    ...wanted,
    mark: branchOf(wanted.ref) ?? wanted.ref.replace(/^refs\/tags\//, ''),
    bases: [before],
  })
  if ('kind' in shared) return shared
  const rules = pick(input.settings, 'autoscale', 'domain', 'dnsRecords', 'rollback')
  return { kind: 'production' as const, ...shared, ...rules }
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
  const { fullName: repository, id: repositoryId } = context.repository
  const service = settings.serviceKey
  const ownMarks = markVariables(
    { repository, repositoryId, service, config: configMark(settings.config), pullRequest, named, sha, ref: of.mark },
    settings.environment.git,
  )
  const shared = { ...common(input, because), ...naming(input, pullRequest, named) }
  return {
    ...shared,
    ...pick(settings, 'directory', 'exportIgnore', 'lfsPointers', 'paths', 'health', 'prices', 'creditsWarning'),
    ...pick(settings, 'removeDomain', 'timeoutMs', 'adopt', 'onQuota'),
    /** The commit that the event asks for, and the ref it can be fetched by. */
    wanted: { sha, ref },
    /** Commits at which the default checkout may stand for this event; anything else was checked out on purpose. */
    ordinaryCheckouts: unique([context.sha, sha]),
    /** Source commits that the platform probably has already, the most likely first. */
    bases: unique(of.bases).filter((base) => base !== sha),
    build: buildOf(settings),
    /** What the service should have, marks included. */
    variables: new Map([...filled.variables, ...ownMarks]) as Variables,
    envStrategy: settings.environment.strategy,
    database: settings.database && { ...settings.database, name: databaseName(shared.serviceName) },
  }
}

/** The variables of a service, or a refusal that names every secret which is missing. */
export function variablesOf(settings: Settings, of: VariablesOf): { readonly variables: Variables } | RefusedPlan {
  const { variables, problems } = fillVariables(settings.environment, of)
  if (problems.length === 0) return { variables }
  const { config } = settings
  return {
    ...refusal(
      `${config} names secrets that are not there:`,
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
      'Nothing was done. Pass them in the workflow: `env: |` with a line `NAME=${{ secrets.NAME }}` for each.',
      problems,
    ),
    places: problems
      .flatMap((problem) => placeOfProblem(problem, config) ?? [])
      .map((place) => ({ ...place, file: config })),
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

export function teardownPlan(input: PlanInput, { because, number, askedBy }: IntentTo<'teardown'>) {
  const names = naming(input, number)
  return {
    kind: 'teardown' as const,
    ...common(input, because),
    ...costing(input),
    ...pick(input.settings, 'timeoutMs', 'previewLabel', 'previewDrafts'),
    ...names,
    environment: 'preview' as const,
    pullRequest: number,
    /** Somebody asked for it, so that it goes although the pull request is open. */
    onDemand: askedBy !== undefined || input.settings.command === 'teardown',
    askedBy,
  }
}

export function sweepPlan(input: PlanInput, { because, thenMonitor }: IntentTo<'sweep'>) {
  return {
    kind: 'sweep' as const,
    ...common(input, because),
    ...costing(input),
    ...pick(input.settings, 'previewLabel', 'previewTtlMs', 'maxPreviews', 'timeoutMs'),
    /** What comes after it, on a schedule. */
    followedBy: thenMonitor ? monitorPlan(input, because) : undefined,
  }
}

export function monitorPlan(input: PlanInput, because: string) {
  const shared = common(input, because)
  const rules = pick(input.settings, 'health', 'autoscale', 'timeoutMs')
  return { kind: 'monitor' as const, ...shared, ...costing(input), ...rules, serviceName: shared.place.baseName }
}

/** Switches a service to the branch before its present one, or to that of a given commit. */
export function rollbackPlan(
  input: PlanInput,
  { because, number, to, askedBy }: IntentTo<'rollback'>,
  pullRequest: PullRequest | undefined,
) {
  return {
    kind: 'rollback' as const,
    ...common(input, because),
    ...pick(input.settings, 'health', 'timeoutMs', 'adopt'),
    ...naming(input, number, input.settings.named),
    pullRequest,
    to,
    askedBy,
  }
}

/** `/ink logs`: the runtime log, answered in a comment. */
export function logsPlan(input: PlanInput, { because, number, askedBy }: IntentTo<'logs'>, pullRequest: PullRequest) {
  const { serviceName } = naming(input, number)
  return { kind: 'logs' as const, ...common(input, because), serviceName, pullRequest, askedBy }
}

/** A command by somebody who may not give it, or what cannot be done: refused once, in a comment. */
export function declinePlan(input: PlanInput, because: string, askedBy: Asked, reason: string) {
  const pullRequest = input.event.kind === 'comment' ? input.event.number : 0
  return { kind: 'decline' as const, ...common(input, because), pullRequest, reason, askedBy }
}

/** What every plan has that does something. */
export function common(input: PlanInput, because: string) {
  return {
    /** Say what would be done, and change nothing. */
    dryRun: input.settings.dryRun,
    /** Why this plan and no other, in half a sentence: "pull request #12 was opened". */
    because,
    place: placeOf(input),
  }
}

/** What services cost, and what their databases are: what money has to be counted with. */
export function costing({ settings }: PlanInput) {
  return pick(settings, 'build', 'database', 'prices', 'creditsWarning')
}

/** What a service, its environment and its branches are called. */
function naming(input: PlanInput, pullRequest: number | undefined, named?: string) {
  const { baseName } = placeOf(input)
  const name = previewName(baseName, pullRequest)
  const target = targetName(name, pullRequest, named)
  return { serviceName: name, target, environment: environmentName(pullRequest, named) }
}

export function placeOf({ context, settings }: Pick<PlanInput, 'context' | 'settings'>): Place {
  const { repository } = context
  const { project, workspace, named, serviceKey } = settings
  return {
    project,
    workspace,
    repositoryName: repository.name,
    repository,
    baseName: nameIn(named, serviceName(settings.service, repository)),
    ...(named === undefined ? {} : { environment: named }),
    ...(serviceKey === undefined ? {} : { serviceKey }),
  }
}

type Common = Readonly<ReturnType<typeof common>>
export type Costing = Readonly<ReturnType<typeof costing>>
export type PreviewPlan = Readonly<Exclude<ReturnType<typeof previewPlan>, RefusedPlan>>
export type ProductionPlan = Readonly<Exclude<ReturnType<typeof productionPlan>, RefusedPlan>>
export type DatabasePlan = NonNullable<ProductionPlan['database']>
export type TeardownPlan = Readonly<ReturnType<typeof teardownPlan>>
/** Takes down what a branch had deployed to an environment of its own, now that the branch is gone. */
export type RetirePlan = Common & IntentTo<'retire'>
export type SweepPlan = Readonly<ReturnType<typeof sweepPlan>>
export type MonitorPlan = Readonly<ReturnType<typeof monitorPlan>>
export type RollbackPlan = Readonly<ReturnType<typeof rollbackPlan>>
export type LogsPlan = Readonly<ReturnType<typeof logsPlan>>
export type HelpPlan = Common & IntentTo<'help'>
export type DeclinePlan = Readonly<ReturnType<typeof declinePlan>>

/** Plans that need the platform. */
export type WorkPlan =
  | PreviewPlan
  | ProductionPlan
  | TeardownPlan
  | RetirePlan
  | SweepPlan
  | MonitorPlan
  | RollbackPlan
  | LogsPlan
export type PlanToRun = WorkPlan | HelpPlan | DeclinePlan | NonePlan | RefusedPlan
/** `command: plan`: checks key, permissions, checkout and workflow around what `auto` would do. */
export type CheckPlan = Common &
  Costing & { readonly kind: 'check'; readonly hasKey: boolean; readonly would: PlanToRun }
export type Plan = PlanToRun | CheckPlan

type PlacedPlan = Extract<Plan, { readonly place: unknown }>

/** The same plan with the names from before a repository was renamed or transferred; those that the workflow gives stay. */
export function underFormerNames<P extends PlacedPlan>(plan: P, former: RepositoryName): P {
  const { place } = plan
  const { repository } = place
  const made = (of: RepositoryName) => nameIn(place.environment, madeName(of, place.serviceKey))
  const baseName = place.baseName === made(repository) ? made(former) : place.baseName
  const repositoryName = place.repositoryName === repository.name ? former.name : place.repositoryName
  const number = pullRequestOf(plan)
  const name = previewName(baseName, number)
  const told = `${former.owner}/${former.name}`
  return {
    ...plan,
    place: { ...place, baseName, repositoryName, repository: { ...repository, madeAs: former } },
    ...('serviceName' in plan ? { serviceName: name } : {}),
    ...('target' in plan ? { target: targetName(name, number, place.environment) } : {}),
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
