import { ApiError, notFound } from '../access.ts'
import { repositoryUrl } from '../render/issue.ts'
import { nodeId, renderUser, timestamp } from '../render/repository.ts'
import type { Repository } from '../repository.ts'
import { writeMerge } from '../state/commits.ts'
import { isAncestor } from '../state/history.ts'
import type { Deployment, DeploymentState, DeploymentStatus } from '../state/model.ts'
import type { World } from '../state/state.ts'
import { type Answer, type Call, type Handlers, invalid, paged, text, viewer } from './call.ts'

/** A deployment's description may be this long, a status's as well (GitHub's REST documentation). */
const LONGEST_DESCRIPTION = 140

/** Deployment records and their statuses. */
export const deployments: Handlers = {
  'repos/list-deployments': (call) => {
    const { sha, ref, task, environment } = call.query
    const matches = (wanted: unknown, value: string) => wanted === undefined || wanted === 'none' || wanted === value
    const found = call.repository
      .deployments()
      .filter(
        (one) =>
          matches(sha, one.sha) &&
          matches(ref, one.ref) &&
          matches(task, one.task) &&
          matches(environment, one.environment),
      )
    return paged(call, found, (deployment) => renderDeployment(call.world, call.repository, deployment))
  },
  'repos/get-deployment': (call) => ({
    status: 200,
    body: renderDeployment(call.world, call.repository, deploymentOf(call)),
  }),
  'repos/create-deployment': createDeployment,
  'repos/delete-deployment': (call) => {
    if (call.repository.deploymentRecords.delete(deploymentOf(call))) return { status: 204 }
    const message = 'We cannot delete an active deployment unless it is the only deployment in a given repository.'
    throw new ApiError(422, message)
  },
  'repos/list-deployment-statuses': (call) =>
    paged(call, [...deploymentOf(call).statuses].reverse(), (status) =>
      renderStatus(call.world, call.repository, deploymentOf(call), status),
    ),
  'repos/create-deployment-status': (call) => {
    const deployment = deploymentOf(call)
    const description = text(call.body.description) ?? ''
    if (description.length > LONGEST_DESCRIPTION) throw invalid('DeploymentStatus', 'description', 'custom')
    const status = call.repository.deploymentRecords.addStatus(
      deployment,
      {
        state: call.body.state as DeploymentState,
        description,
        environment: text(call.body.environment),
        environmentUrl: text(call.body.environment_url) ?? '',
        logUrl: text(call.body.log_url) ?? text(call.body.target_url) ?? '',
        autoInactive: call.body.auto_inactive !== false,
      },
      viewer(call),
    )
    const body = renderStatus(call.world, call.repository, deployment, status)
    return { status: 201, body, headers: { location: body.url } }
  },
}

async function createDeployment(call: Call): Promise<Answer> {
  const ref = text(call.body.ref) ?? ''
  const sha = await call.repository.resolveAny(ref)
  if (!sha) throw new ApiError(422, `No ref found for: ${ref}`)
  const merged = await autoMerge(call, ref, sha)
  if (merged) return merged
  const environment = text(call.body.environment) ?? 'production'
  const payload = call.body.payload
  const deployment = call.repository.deploymentRecords.create(
    {
      sha,
      ref,
      environment,
      task: text(call.body.task) ?? 'deploy',
      description: text(call.body.description) ?? null,
      payload: typeof payload === 'object' && payload !== null ? { ...payload } : (text(payload) ?? {}),
      transientEnvironment: call.body.transient_environment === true,
      productionEnvironment: (call.body.production_environment ?? environment === 'production') === true,
    },
    viewer(call),
  )
  const body = renderDeployment(call.world, call.repository, deployment)
  return { status: 201, body, headers: { location: body.url } }
}

/**
 * Unless told not to, GitHub merges the default branch into a branch which lacks commits of it, and answers 202 without a
 * deployment (“Create a deployment”, “Merged branch response”).
 */
async function autoMerge(call: Call, ref: string, sha: string): Promise<Answer | undefined> {
  const { repository } = call
  if (call.body.auto_merge === false || !(await repository.resolve(`refs/heads/${ref}`))) return undefined
  const base = await repository.resolve(`refs/heads/${repository.defaultBranch}`)
  if (!base || ref === repository.defaultBranch) return undefined
  if (await isAncestor(repository, base, sha)) return undefined
  const message = `Auto-merged ${repository.defaultBranch} into ${ref} on deployment.`
  const tip = await writeMerge(repository.gitDir, { base: sha, head: base, message })
  if (!tip) throw new ApiError(409, `Conflict merging ${repository.defaultBranch} into ${ref}.`)
  await repository.setReference(`refs/heads/${ref}`, tip)
  return { status: 202, body: { message } }
}

function deploymentOf(call: Call): Deployment {
  const deployment = call.repository.deploymentRecords.get(Number(call.params.deployment_id))
  if (!deployment) throw notFound()
  return deployment
}

/** GitHub's `deployment`. */
function renderDeployment(world: World<Repository>, repository: Repository, deployment: Deployment) {
  const repositoryAt = repositoryUrl(repository, world)
  const url = `${repositoryAt}/deployments/${deployment.id}`
  return {
    url,
    id: deployment.id,
    node_id: nodeId('DE', deployment.id),
    task: deployment.task,
    original_environment: deployment.originalEnvironment,
    environment: deployment.environment,
    description: deployment.description,
    created_at: timestamp(deployment.createdAt),
    updated_at: timestamp(deployment.updatedAt),
    statuses_url: `${url}/statuses`,
    repository_url: repositoryAt,
    creator: renderUser(deployment.creator, world),
    sha: deployment.sha,
    ref: deployment.ref,
    payload: deployment.payload,
    transient_environment: deployment.transientEnvironment,
    production_environment: deployment.productionEnvironment,
    performed_via_github_app: null,
  }
}

/** GitHub's `deployment-status`. */
function renderStatus(
  world: World<Repository>,
  repository: Repository,
  deployment: Deployment,
  status: DeploymentStatus,
) {
  const repositoryAt = repositoryUrl(repository, world)
  const deploymentUrl = `${repositoryAt}/deployments/${deployment.id}`
  return {
    url: `${deploymentUrl}/statuses/${status.id}`,
    id: status.id,
    node_id: nodeId('DES', status.id),
    state: status.state,
    creator: renderUser(status.creator, world),
    description: status.description,
    environment: status.environment,
    target_url: status.logUrl,
    created_at: timestamp(status.createdAt),
    updated_at: timestamp(status.createdAt),
    deployment_url: deploymentUrl,
    repository_url: repositoryAt,
    environment_url: status.environmentUrl,
    log_url: status.logUrl,
    performed_via_github_app: null,
  }
}
