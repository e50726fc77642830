import { Secret } from '../core/secret.ts'
import { databaseName, previewName, serviceName, targetName } from './names.ts'
import type { Plan } from './plan.ts'
import { marks } from './variables.ts'

/** What a repository was called when its things on the platform got their names. */
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
 * The same plan with the names that the things of a repository got before it was renamed or transferred. Names that the
 * workflow gives are not made of the repository's, and stay.
 */
export function underFormerNames<P extends PlacedPlan>(plan: P, former: FormerRepository): P {
  const { place } = plan
  const { repository } = place
  const baseName =
    place.baseName === serviceName(undefined, repository) ? serviceName(undefined, former) : place.baseName
  const repositoryName = place.repositoryName === repository.name ? former.name : place.repositoryName
  const number = pullRequestOf(plan)
  const name = number === undefined ? baseName : previewName(baseName, number)
  const told = `${former.owner}/${former.name}`
  return {
    ...plan,
    place: { ...place, baseName, repositoryName, repository: { ...repository, madeAs: former } },
    ...('serviceName' in plan ? { serviceName: name } : {}),
    ...('target' in plan ? { target: targetName(name, number) } : {}),
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
