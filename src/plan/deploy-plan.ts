import { branchOf, type PullRequest, type Repository, sameLabel } from './event.ts'
import { fillVariables, type VariablesOf } from './file/fill-variables.ts'
import { placeOfProblem } from './file/ink-file.ts'
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
  const filled = variablesOf(settings, { environment: 'preview', pullRequest: number, sha: head.sha, untrusted })
  if ('kind' in filled) return filled
  const marks = markVariables(
    { ...marked(context.repository), pullRequest: number, sha: head.sha, ref: head.ref },
    settings.environment.git,
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
    variables: layered(filled.variables, marks),
    // Cookies and trust that belong to a domain are not for the code of strangers.
    domain: untrusted ? undefined : settings.previewDomain?.replaceAll('{number}', String(number)),
    pullRequest,
    reopened: isReopened(input),
    untrusted,
    previewLabel: settings.previewLabel,
    previewDrafts: settings.previewDrafts || intent.byPerson,
    maxPreviews: settings.maxPreviews,
    maxCostPerDay: settings.maxCostPerDay,
    previewTtlMs: settings.previewTtlMs,
    askedBy: intent.comment && { commentId: intent.comment.commentId, login: intent.comment.login },
  }
}

function isReopened({ event, settings }: PlanInput): boolean {
  if (event.kind !== 'pull-request') return false
  return event.action === 'reopened' || (event.action === 'labeled' && sameLabel(event.label, settings.previewLabel))
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
  const filled = variablesOf(settings, {
    environment: 'production',
    pullRequest: undefined,
    sha: wanted.sha,
    untrusted: false,
  })
  if ('kind' in filled) return filled
  const marks = markVariables(
    { ...marked(context.repository), pullRequest: undefined, sha: wanted.sha, ref: shortRef(wanted.ref) },
    settings.environment.git,
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
    variables: layered(filled.variables, marks),
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
  const { directory, exportIgnore, environment, database, removeDomain, health, timeoutMs, adopt, onQuota } = settings
  const { prices, creditsWarning } = settings
  return {
    serviceName: name,
    directory,
    exportIgnore,
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

/** The variables of a service, or a refusal that names every secret which is missing. */
function variablesOf(settings: Settings, of: VariablesOf): { readonly variables: Variables } | RefusedPlan {
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

function layered(...layers: readonly Variables[]): Variables {
  return new Map(layers.flatMap((layer) => [...layer]))
}

function shortRef(ref: string): string {
  return branchOf(ref) ?? ref.replace(/^refs\/tags\//, '')
}

function unique(shas: readonly (string | undefined)[]): string[] {
  return [...new Set(shas.filter((sha) => sha !== undefined))]
}
