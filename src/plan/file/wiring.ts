import {
  type FileService,
  type FileVariable,
  type Reference,
  referencesOf,
  type ServiceVariables,
} from './references.ts'

type ServiceReference = Extract<Reference, { kind: 'service' }>

/** A reference to another service, and the place in the file where it stands. */
export interface Wire extends ServiceReference {
  readonly label: string
}

/** What a service's variables take from others in one environment. */
export function wiresOf(variables: ServiceVariables, environment: 'preview' | 'production'): Wire[] {
  const wanted: readonly FileVariable[] = [...new Map([...variables.shared, ...variables[environment]]).values()]
  return wanted.flatMap(({ template, label }) =>
    referencesOf(template).flatMap((reference) => (reference.kind === 'service' ? [{ ...reference, label }] : [])),
  )
}

/** What the previews of a file's services take from others. */
export function wiresOfPreviews(services: readonly FileService[]): Wire[] {
  return services.flatMap(({ hasPreviews, variables }) => (hasPreviews ? wiresOf(variables, 'preview') : []))
}

/** Services in the order in which they can come up: each behind those that it takes something from. There is no circle. */
export function inOrder<T extends { readonly name: string; readonly wires: readonly Wire[] }>(
  services: readonly T[],
): readonly T[] {
  const ordered = new Set<T>()
  const visit = (service: T): void => {
    for (const { service: name } of service.wires) {
      const other = services.find((one) => one.name === name)
      if (other && !ordered.has(other)) visit(other)
    }
    ordered.add(service)
  }
  services.forEach(visit)
  return [...ordered]
}

/** The names of services that refer to each other in a circle, beginning and ending with the same; undefined without one. */
export function circleIn(services: readonly Pick<FileService, 'name' | 'variables'>[]): readonly string[] | undefined {
  const needs = new Map(
    services.map(({ name, variables }) => [
      name,
      (['preview', 'production'] as const).flatMap((environment) =>
        wiresOf(variables, environment).map(({ service }) => service),
      ),
    ]),
  )
  const cleared = new Set<string>()
  const visit = (name: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (cleared.has(name)) return undefined
    for (const next of needs.get(name) ?? []) {
      const circle = visit(next, [...path, name])
      if (circle) return circle
    }
    cleared.add(name)
    return undefined
  }
  for (const { name } of services) {
    const circle = visit(name, [])
    if (circle) return circle
  }
  return undefined
}
