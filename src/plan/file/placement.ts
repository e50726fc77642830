import type { Repository } from '../event.ts'
import { nameIn, nameOfSeveral, parseServiceName, previewName, serviceName } from '../names.ts'
import type { Given } from '../settings.ts'
import type { FileService } from './references.ts'

/** A service of the file, and what it is called in production. */
export interface PlacedService {
  readonly key: string
  readonly name: string
  /** File, line, column and key, for messages. */
  readonly label: string
}

/**
 * Names the services of a file that has several.
 * @param nameIn what the file says of the name of one
 */
export function placeServices(
  services: readonly FileService[],
  repository: Pick<Repository, 'owner' | 'name'>,
  nameIn: (key: string) => Given | undefined,
): { readonly placed: readonly PlacedService[]; readonly problems: readonly string[] } {
  const problems: string[] = []
  const keys = new Map<string, string>()
  const placed = services.map(({ name: key, label }): PlacedService => {
    const given = nameIn(key)
    const parsed = given && parseServiceName(given.text)
    if (given && parsed && 'allowed' in parsed)
      problems.push(`${given.label}: must be ${parsed.allowed}, but is ${JSON.stringify(given.text)}`)
    const name = parsed && 'value' in parsed ? parsed.value : nameOfSeveral(repository, key)
    const other = keys.get(name)
    if (other !== undefined)
      problems.push(
        `${label}: would be called ${name}, as ${other} is; give it a name of its own, services.${key}.name`,
      )
    keys.set(name, key)
    return { key, label, name }
  })
  return { placed, problems }
}

/** A production service that carries the marks of this repository, and of the same file where one made it. */
export interface RunningService {
  readonly name: string
  /** What it would be called if it were made now: a repository that was renamed keeps the names of its services. */
  readonly madeNow: string
  /** Its key in the file that it was made from, where that had several services. */
  readonly key: string | undefined
}

/** What production runs, held against the file. */
export interface Comparison<S> {
  /** Why nothing may be deployed: users would get another program under their address, or production would be there twice. */
  readonly problems: readonly string[]
  /** What the file has no more. */
  readonly orphans: readonly S[]
}

/**
 * What a service would be called if it were made now.
 * @param former what the repository was called when the service was made, where it is called otherwise now
 */
export function nameNow(
  {
    name,
    key,
    number,
    environment,
  }: {
    readonly name: string
    readonly key: string | undefined
    readonly number: number | undefined
    readonly environment?: string | undefined
  },
  repository: Pick<Repository, 'owner' | 'name'>,
  former: Pick<Repository, 'owner' | 'name'> | undefined,
): string {
  const made = (of: Pick<Repository, 'owner' | 'name'>) => {
    const base = key === undefined ? serviceName(undefined, of) : nameOfSeveral(of, key)
    return number === undefined ? nameIn(environment, base) : previewName(base, number)
  }
  return former && made(former) === name ? made(repository) : name
}

/** @param removes whether what the file has no more is to be removed, so that nothing stays twice */
export function compareWithFile<S extends RunningService>(
  running: readonly S[],
  placed: readonly PlacedService[],
  removes: boolean,
): Comparison<S> {
  const isRunning = ({ name }: PlacedService) => running.some(({ madeNow }) => madeNow === name)
  const begun = placed.some(isRunning)
  const problems: string[] = []
  const orphans: S[] = []
  const keeping = (key: string, name: string) =>
    `to keep it write services.${key}.name: ${name}, and to have it removed instead, set the input remove-orphans: true`
  for (const service of running) {
    const { name, key, madeNow } = service
    const inItsPlace = placed.find((one) => one.name === madeNow)
    const itself = placed.find((one) => one.key === key)
    if (inItsPlace) {
      if (key !== undefined && key !== inItsPlace.key)
        problems.push(
          `${inItsPlace.label}: ${name} runs ${key} of this file, and would become ${inItsPlace.key}; give this one another name, services.${inItsPlace.key}.name`,
        )
    } else if (itself && !isRunning(itself) && !removes) {
      problems.push(
        `${itself.label}: ${name} runs it, and from now on it would be ${itself.name}; ${keeping(itself.key, name)}`,
      )
    } else if (key === undefined && placed.length > 1 && !begun && !removes) {
      const [first] = placed
      problems.push(
        `${first?.label}: ${name} was made before the file had several services, and none of them is called so; ${keeping('NAME', name)}`,
      )
    } else if (key !== undefined || placed.length > 1) orphans.push(service)
  }
  return { problems, orphans }
}
