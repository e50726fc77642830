import { Secret } from '../../core/secret.ts'
import type { RefusedPlan } from '../plan.ts'
import type { Settings } from '../settings.ts'
import type { Variables } from '../variables.ts'
import {
  type FileVariable,
  fillTemplate,
  placeOfProblem,
  type Reference,
  referencesOf,
  type ServiceVariables,
} from './references.ts'

/** What the references of a service's variables stand for in one run. */
export interface VariablesOf {
  readonly environment: 'preview' | 'production'
  /** The environment that the file names, where it is one. */
  readonly named?: string | undefined
  readonly pullRequest: number | undefined
  readonly sha: string
  /** A fork's code, which gets the variables of `preview-env` and no others of the workflow. */
  readonly untrusted: boolean
}

/** The variables that the workflow and `ink.yml` give a service, without the marks; or what is missing, each with its place. */
function fillVariables(
  { shared, preview, production, file, named, wired }: Settings['environment'],
  of: VariablesOf,
): { readonly variables: Variables; readonly problems: readonly string[] } {
  const specific = of.environment === 'preview' ? preview : production
  const given: Variables = of.untrusted ? specific : new Map([...shared, ...specific])
  const wanted = new Map([...file.shared, ...file[of.environment]])
  const filled = new Map<string, Secret>()
  const problems: string[] = []
  for (const [name, variable] of wanted) {
    const text = fillTemplate(variable.template, (reference) => valueOfReference(reference, given, of, wired))
    if (text !== undefined) filled.set(name, new Secret(text))
    // A stranger's code goes without what it must not have.
    else if (!of.untrusted) problems.push(...missingSecrets(variable, given))
  }
  return { variables: new Map([...filled, ...[...given].filter(([name]) => !named.has(name))]), problems }
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

function valueOfReference(
  reference: Reference,
  given: Variables,
  of: VariablesOf,
  wired: ReadonlyMap<string, string>,
): string | undefined {
  switch (reference.kind) {
    case 'secret':
      return given.get(reference.name)?.reveal()
    case 'pull-request':
      return of.pullRequest === undefined ? '' : String(of.pullRequest)
    case 'commit':
      return of.sha
    case 'environment':
      return of.named ?? of.environment
    case 'service':
      return wired.get(`${reference.service}.${reference.output}`)
  }
}

function missingSecrets({ template, label }: FileVariable, given: Variables): string[] {
  return referencesOf(template).flatMap((reference) =>
    reference.kind === 'secret' && !given.has(reference.name)
      ? [`${label}: the workflow gives no ${reference.name}; put it into the input env, as ${reference.name}=…`]
      : [],
  )
}

/** The secrets that a service's variables name, whatever the environment. */
export function secretsNamed({ shared, preview, production }: ServiceVariables): string[] {
  return [shared, preview, production].flatMap((group) =>
    [...group.values()].flatMap(({ template }) =>
      referencesOf(template).flatMap((reference) => (reference.kind === 'secret' ? [reference.name] : [])),
    ),
  )
}
