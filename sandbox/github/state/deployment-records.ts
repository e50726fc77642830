import type { Deployment, DeploymentState, DeploymentStatus, Issuer, User } from './model.ts'

export interface NewDeployment {
  readonly sha: string
  readonly ref: string
  readonly task: string
  readonly environment: string
  readonly description: string | null
  readonly payload: Record<string, unknown> | string
  readonly transientEnvironment: boolean
  readonly productionEnvironment: boolean
}

export interface NewDeploymentStatus {
  readonly state: DeploymentState
  readonly description: string
  readonly environment: string | undefined
  readonly environmentUrl: string
  readonly logUrl: string
  readonly autoInactive: boolean
}

/** The deployment records of one repository, with GitHub's rules about states and deletion. */
export class DeploymentRecords {
  readonly #issuer: Issuer
  readonly #all = new Map<number, Deployment>()

  constructor(issuer: Issuer) {
    this.#issuer = issuer
  }

  /** Newest first, as GitHub lists them. */
  list(): readonly Deployment[] {
    return [...this.#all.values()].reverse()
  }

  get(id: number): Deployment | undefined {
    return this.#all.get(id)
  }

  create(facts: NewDeployment, creator: User): Deployment {
    const now = this.#issuer.now()
    const deployment: Deployment = {
      ...facts,
      id: this.#issuer.nextId(),
      originalEnvironment: facts.environment,
      creator,
      createdAt: now,
      updatedAt: now,
      statuses: [],
    }
    this.#all.set(deployment.id, deployment)
    return deployment
  }

  /**
   * Adds a status. On `success` with `auto_inactive`, earlier successful deployments of the same environment that are
   * neither transient nor production turn inactive (GitHub's REST documentation, “Create a deployment status”).
   */
  addStatus(deployment: Deployment, facts: NewDeploymentStatus, creator: User): DeploymentStatus {
    const environment = facts.environment ?? deployment.statuses.at(-1)?.environment ?? deployment.environment
    const status = this.#append(deployment, { ...facts, environment }, creator)
    if (facts.state === 'success' && facts.autoInactive) {
      for (const earlier of this.#all.values()) {
        if (earlier.id >= deployment.id || earlier.environment !== environment) continue
        if (earlier.transientEnvironment || earlier.productionEnvironment) continue
        if (earlier.statuses.at(-1)?.state !== 'success') continue
        this.#append(earlier, { ...facts, state: 'inactive', environment, description: '' }, creator)
      }
    }
    return status
  }

  #append(
    deployment: Deployment,
    facts: NewDeploymentStatus & { readonly environment: string },
    creator: User,
  ): DeploymentStatus {
    const now = this.#issuer.now()
    const { state, description, environment, environmentUrl, logUrl } = facts
    const id = this.#issuer.nextId()
    const status: DeploymentStatus = {
      id,
      state,
      description,
      environment,
      environmentUrl,
      logUrl,
      creator,
      createdAt: now,
    }
    deployment.statuses.push(status)
    deployment.updatedAt = now
    return status
  }

  /** Deletes a record, unless it is active and not the repository's only one; says whether it did. */
  delete(deployment: Deployment): boolean {
    const active = deployment.statuses.at(-1)?.state !== 'inactive'
    return active && this.#all.size > 1 ? false : this.#all.delete(deployment.id)
  }
}
