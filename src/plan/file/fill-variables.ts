import { Secret } from '../../core/secret.ts'
import type { Settings } from '../settings.ts'
import type { Variables } from '../variables.ts'
import { type FileVariable, fillTemplate, type Reference, referencesOf } from './references.ts'

/** What the references of a service's variables stand for in one run. */
export interface VariablesOf {
  readonly environment: 'preview' | 'production'
  readonly pullRequest: number | undefined
  readonly sha: string
  /** A fork's code, which gets the variables of `preview-env` and no others of the workflow. */
  readonly untrusted: boolean
}

/** The variables that the workflow and `ink.yml` give a service, without the marks; or what is missing, each with its place. */
export function fillVariables(
  { shared, preview, production, file }: Settings['environment'],
  of: VariablesOf,
): { readonly variables: Variables; readonly problems: readonly string[] } {
  const specific = of.environment === 'preview' ? preview : production
  const given: Variables = of.untrusted ? specific : new Map([...shared, ...specific])
  const wanted = new Map([...file.shared, ...file[of.environment]])
  const filled = new Map<string, Secret>()
  const problems: string[] = []
  for (const [name, variable] of wanted) {
    const text = fillTemplate(variable.template, (reference) => valueOfReference(reference, given, of))
    if (text !== undefined) filled.set(name, new Secret(text))
    // A stranger's code goes without what it must not have.
    else if (!of.untrusted) problems.push(...missingSecrets(variable, given))
  }
  return { variables: new Map([...filled, ...withoutNamed(given, [...wanted.values()])]), problems }
}

function valueOfReference(reference: Reference, given: Variables, of: VariablesOf): string | undefined {
  switch (reference.kind) {
    case 'secret':
      return given.get(reference.name)?.reveal()
    case 'pull-request':
      return of.pullRequest === undefined ? '' : String(of.pullRequest)
    case 'commit':
      return of.sha
    case 'environment':
      return of.environment
    case 'service':
      return undefined
  }
}

function missingSecrets({ template, label }: FileVariable, given: Variables): string[] {
  return referencesOf(template).flatMap((reference) =>
    reference.kind === 'secret' && !given.has(reference.name)
      ? [`${label}: the workflow gives no ${reference.name}; put it into the input env, as ${reference.name}=…`]
      : [],
  )
}

/** A secret that the file names goes where it is named, and nowhere else. */
function withoutNamed(given: Variables, wanted: readonly FileVariable[]): Variables {
  const named = new Set(
    wanted.flatMap(({ template }) =>
      referencesOf(template).flatMap((reference) => (reference.kind === 'secret' ? [reference.name] : [])),
    ),
  )
  return new Map([...given].filter(([name]) => !named.has(name)))
}
