import { branchOf, type PullRequest, type Repository } from './event.ts'
import type { PlanInput, PreviewIntent, ProductionIntent } from './intent.ts'
import { databaseName, environmentName, previewName, targetName } from './names.ts'
import type { Place, PreviewPlan, ProductionPlan, RefusedPlan } from './plan.ts'
import type { BuildSettings, Settings } from './settings.ts'
import { markVariables, type Variables } from './variables.ts'

interface Given {
  readonly dryRun: boolean
  readonly because: string
  readonly place: Place
}

/** The plan of a preview that no rule forbids. */
export function previewPlan(
  input: PlanInput,
  given: Given & {
    readonly pullRequest: PullRequest
    /** A fork's code, with the repository's key in reach. */
    readonly untrusted: boolean
    readonly intent: PreviewIntent
  },
): PreviewPlan | RefusedPlan {
  const { settings, context } = input
  const { pullRequest, untrusted, intent, ...rest } = given
  const { number, head, base } = pullRequest
  const missing = untrusted ? undefined : missingEnvFile(settings)
  if (missing) return missing
  const name = previewName(given.place.baseName, number)
  const { environment } = settings
  const marks = markVariables(
    { ...marked(context.repository), pullRequest: number, sha: head.sha, ref: head.ref },
    environment.git,
  )
  return {
    kind: 'preview',
    ...rest,
    ...deploying(settings, name),
    target: targetName(name, number),
    environment: 'preview',
    wanted: { sha: head.sha, ref: `refs/pull/${number}/head` },
    ordinaryCheckouts: unique([context.sha, head.sha]),
    bases: unique([intent.before, base.sha]).filter((sha) => sha !== head.sha),
    variables: untrusted
      ? layered(environment.preview, marks)
      : layered(environment.shared, environment.preview, marks),
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
export function productionPlan(
  input: PlanInput,
  given: Given & { readonly intent: ProductionIntent },
): ProductionPlan | RefusedPlan {
  const { settings, context } = input
  const { intent, ...rest } = given
  const { wanted, before } = intent
  const missing = missingEnvFile(settings)
  if (missing) return missing
  const { environment } = settings
  const marks = markVariables(
    { ...marked(context.repository), pullRequest: undefined, sha: wanted.sha, ref: shortRef(wanted.ref) },
    environment.git,
  )
  return {
    kind: 'production',
    ...rest,
    ...deploying(settings, given.place.baseName),
    target: targetName(given.place.baseName, undefined),
    environment: environmentName(undefined),
    wanted,
    ordinaryCheckouts: unique([context.sha, wanted.sha]),
    bases: unique([before]).filter((sha) => sha !== wanted.sha),
    variables: layered(environment.shared, environment.production, marks),
    autoscale: settings.autoscale,
    domain: settings.domain,
    dnsRecords: settings.dnsRecords,
    rollback: settings.rollback,
  }
}

function marked({ fullName, id }: Repository): { repository: string; repositoryId: string | undefined } {
  return { repository: fullName, repositoryId: id }
}

function deploying(settings: Settings, name: string) {
  const {
    directory,
    exportIgnore,
    lfsPointers,
    environment,
    database,
    removeDomain,
    health,
    timeoutMs,
    adopt,
    onQuota,
  } = settings
  const { prices, creditsWarning } = settings
  return {
    serviceName: name,
    directory,
    exportIgnore,
    lfsPointers,
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

function missingEnvFile({ environment }: Settings): RefusedPlan | undefined {
  const { missingFile } = environment
  if (missingFile === undefined) return undefined
  return {
    kind: 'refused',
    problem: `env-file: there is no file ${JSON.stringify(missingFile)} in the workspace`,
    hint: 'Check the path, and let actions/checkout or the step that writes the file run before this one.',
  }
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
