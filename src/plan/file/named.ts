import { nameIn } from '../names.ts'
import type { Settings } from '../settings.ts'
import type { PlacedService } from './placement.ts'
import { type FileService, type NamedEnvironment, noVariables, type ServiceVariables } from './references.ts'

/**
 * Why the environments of a file cannot be beside its production and each other.
 * @param placed the services, with their names in production
 */
export function environmentProblems(
  environments: readonly NamedEnvironment[],
  placed: readonly PlacedService[],
  productionBranch: string,
): string[] {
  const names = new Map(placed.map(({ key, name }) => [name, `${key} is in production`]))
  return environments.flatMap(({ name: environment, branch, label }) => {
    const problems = branch === productionBranch ? [`${label}: ${branch} goes to production already`] : []
    for (const { key, name: production } of placed) {
      const name = nameIn(environment, production)
      const other = names.get(name)
      if (other !== undefined)
        problems.push(
          `${label}: ${key} would be called ${name}, as ${other}; call the environment or the service otherwise`,
        )
      names.set(name, `${key} is in ${environment}`)
    }
    return problems
  })
}

/** A service as it is in an environment that the file names: what is meant for previews or production alone is not for it. */
export function inEnvironment(service: FileService, { variables }: NamedEnvironment): FileService {
  const shared = new Map([...service.variables.shared, ...variables])
  return { ...service, variables: { ...noVariables, shared } }
}

/** The variables of an environment, as those of a service. */
export function ofEnvironment({ variables }: NamedEnvironment): ServiceVariables {
  return { ...noVariables, shared: variables }
}

/** In an environment that the file names nothing is that belongs to production alone: domain, DNS, its secrets. */
export function settingsIn(environment: NamedEnvironment | undefined, settings: Settings): Settings {
  if (environment === undefined) return settings
  const variables = { ...settings.environment, preview: new Map(), production: new Map() }
  const none = { domain: undefined, previewDomain: undefined, dnsRecords: undefined, autoscale: undefined }
  return { ...settings, ...none, named: environment.name, environment: variables }
}

/** Services with their names in an environment; undefined for production. */
export function placedIn(environment: NamedEnvironment | undefined, placed: readonly PlacedService[]): PlacedService[] {
  return placed.map((one) => ({ ...one, name: nameIn(environment?.name, one.name) }))
}
