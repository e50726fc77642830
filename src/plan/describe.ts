import { shortSha } from '../core/format.ts'
import type {
  DatabasePlan,
  MonitorPlan,
  Plan,
  PreviewPlan,
  ProductionPlan,
  RollbackPlan,
  SweepPlan,
  TeardownPlan,
} from './plan.ts'
import type { BuildSettings, HealthCheck } from './settings.ts'
import { shortDuration } from './values.ts'
import { emptyNames } from './variables.ts'

/** The plan as lines for the log, printed before anything is done. Names of environment variables, never values. */
export function describePlan(plan: Plan): string[] {
  switch (plan.kind) {
    case 'preview':
    case 'production':
      return dryRunFirst(plan, describeDeployment(plan))
    case 'teardown':
      return dryRunFirst(plan, describeTeardown(plan))
    case 'retire':
      return dryRunFirst(plan, [`Remove what ${plan.branch} had deployed, because ${plan.because}.`])
    case 'sweep':
      return dryRunFirst(plan, describeSweep(plan))
    case 'monitor':
      return dryRunFirst(plan, describeMonitor(plan))
    case 'rollback':
      return dryRunFirst(plan, describeRollback(plan))
    case 'logs':
      return [`Show the log of ${plan.serviceName}, because ${plan.because}.`]
    case 'help':
      return [`Answer with the list of commands, because ${plan.because}.`]
    case 'decline':
      return [`Decline, because ${plan.because}, and ${plan.reason}.`]
    case 'check':
      return ['Check the set-up, and change nothing. What this event would lead to:', ...describePlan(plan.would)]
    case 'none':
      return [`${plan.status === 'skipped' ? 'Skip' : noneTitles[plan.status]}: ${plan.reason}.`]
    case 'refused':
      return [`Stop: ${plan.problem}. ${plan.hint}`]
  }
}

/** What the notice of a run begins with that deploys nothing. */
export const noneTitles = { skipped: 'Skipped', superseded: 'Superseded', nothing: 'Nothing to do' } as const

function dryRunFirst(plan: { readonly dryRun: boolean }, lines: string[]): string[] {
  return plan.dryRun ? ['Dry run: this is what would be done; nothing is changed.', ...lines] : lines
}

function describeDeployment(plan: PreviewPlan | ProductionPlan): string[] {
  const { wanted, place } = plan
  const what = plan.kind === 'preview' ? `Preview of pull request #${plan.pullRequest.number}` : productionWords(place)
  const lines = [
    `${what}, because ${plan.because}.`,
    `Service ${plan.serviceName} in project ${place.project}${place.workspace ? ` of workspace ${place.workspace}` : ''}, from repository ${place.repositoryName}.`,
    plan.directory === undefined
      ? `Commit ${shortSha(wanted.sha)} (${wanted.ref}).`
      : `The files in ${plan.directory} as they lie in the workspace, for commit ${shortSha(wanted.sha)} (${wanted.ref}).`,
    ...describeBuild(plan.build),
    `Environment variables (${plan.envStrategy}): ${[...plan.variables.keys()].sort().join(', ')}.`,
    ...describeEmpty(emptyNames(plan.variables)),
    `Healthy when ${describeHealth(plan.health)}; ${shortDuration(plan.timeoutMs)} at most for everything.`,
  ]
  if (plan.database) lines.push(...describeDatabase(plan.database))
  if (plan.domain !== undefined) lines.push(`Domain ${plan.domain}.`)
  if (plan.removeDomain) lines.push('Any other domain of the service is taken off.')
  lines.push(...(plan.kind === 'preview' ? describePreview(plan) : describeProduction(plan)))
  if (plan.adopt) lines.push('A service of that name is taken over even if it does not carry our marks.')
  return lines
}

function productionWords({ environment }: ProductionPlan['place']): string {
  return environment === undefined ? 'Production' : `The environment ${environment}`
}

function describeEmpty(names: readonly string[]): string[] {
  return names.length === 0 ? [] : [`Empty, which a secret is that was not found: ${[...names].sort().join(', ')}.`]
}

/** The warning about secrets that came empty and keep their live value. */
export function describeKept(names: readonly string[]): string {
  return (
    `The value given for ${names.join(', ')} is empty, so the one that the service has was kept. ` +
    'Check that the secret exists under this name and that this run may read it; to clear it, set it at ml.ink.'
  )
}

function describeDatabase({ name, type, env, seed }: DatabasePlan): string[] {
  const lines = [`Database ${name} (${type}), as ${[...env.keys()].sort().join(', ')}.`]
  if (seed !== undefined) lines.push(`If it is new, ${seed} is run in it before the build.`)
  return lines
}

function describePreview(plan: PreviewPlan): string[] {
  const { maxPreviews, maxCostPerDay, previewTtlMs, onQuota } = plan
  return [
    plan.untrusted && 'The code comes from a fork and was approved: it gets the values of preview-env only.',
    maxPreviews !== undefined && `At most ${maxPreviews} previews; when full: ${onQuota}.`,
    maxCostPerDay !== undefined &&
      `Previews cost at most $${maxCostPerDay.toFixed(2)} a day together; beyond that: ${onQuota}.`,
    previewTtlMs !== undefined &&
      `It may live for ${shortDuration(previewTtlMs)}; the next sweep after that removes it.`,
  ].filter((line) => line !== false)
}

function describeProduction(plan: ProductionPlan): string[] {
  return [
    ...(plan.dnsRecords === undefined ? [] : [`DNS records (${plan.dnsRecords.length}) are kept in step.`]),
    plan.rollback ? 'Switched back if the new version is unhealthy.' : 'Not switched back, whatever happens.',
  ]
}

function describeBuild(build: BuildSettings): string[] {
  const given = Object.entries(build).filter(([, value]) => value !== undefined)
  if (given.length === 0) return []
  // `publishDirectory` is read as `publish-directory`, the name under which it was given.
  const inputName = (property: string) => property.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const words = given.map(([name, value]) => `${inputName(name)} ${JSON.stringify(value)}`)
  return [`Settings: ${words.join(', ')}.`]
}

function describeTeardown(plan: TeardownPlan): string[] {
  return [
    `Remove the preview of pull request #${plan.pullRequest}, because ${plan.because}.`,
    `Service ${plan.serviceName}, database ${plan.databaseName}, branches ink/pr-${plan.pullRequest}/…, deployment records.`,
  ]
}

function describeSweep(plan: SweepPlan): string[] {
  const rules = ['whose pull request is closed']
  if (plan.previewLabel !== undefined) rules.push(`without the label ${plan.previewLabel}`)
  if (plan.previewTtlMs !== undefined) rules.push(`older than ${shortDuration(plan.previewTtlMs)}`)
  if (plan.maxPreviews !== undefined) rules.push(`beyond ${plan.maxPreviews}, the oldest first`)
  return [
    `Remove previews ${rules.join(', or ')}; because ${plan.because}.`,
    ...(plan.followedBy ? describeMonitor(plan.followedBy) : []),
  ]
}

function describeMonitor(plan: MonitorPlan): string[] {
  const { memoryMi, vcpus } = plan.autoscale ?? {}
  const bounds = [
    memoryMi && `memory ${memoryMi.from}Mi to ${memoryMi.to}Mi`,
    vcpus && `vCPUs ${vcpus.from} to ${vcpus.to}`,
  ].filter(Boolean)
  const lines = [`Look after ${plan.serviceName} and its previews: healthy when ${describeHealth(plan.health)}.`]
  if (bounds.length > 0)
    lines.push(`Change the size of ${plan.serviceName} on evidence, one step at a time: ${bounds.join(', ')}.`)
  return lines
}

function describeRollback(plan: RollbackPlan): string[] {
  const to = plan.to === undefined ? 'the version before' : `commit ${plan.to}`
  return [`Switch ${plan.serviceName} back to ${to}, because ${plan.because}.`]
}

export function describeHealth(health: HealthCheck): string {
  switch (health.kind) {
    case 'none':
      return 'the platform says that it runs (health-path: none)'
    case 'mcp':
      return `it answers the MCP handshake within ${shortDuration(health.timeoutMs)}`
    case 'http': {
      const statuses = health.statuses.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
      const contains =
        health.contains === undefined ? '' : ` with ${JSON.stringify(health.contains)} in body or headers`
      return `${health.path} answers ${statuses}${contains} within ${shortDuration(health.timeoutMs)}`
    }
  }
}
