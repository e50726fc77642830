import { capital, shortDuration, shortSha } from '../core/format.ts'
import { databaseName } from './names.ts'
import type { MonitorPlan, Plan, PreviewPlan, ProductionPlan, SweepPlan } from './plan.ts'
import type { HealthCheck } from './settings.ts'
import { emptyNames } from './variables.ts'

/** The plan as lines for the log, printed before anything is done. Names of environment variables, never values. */
export function describePlan(plan: Plan): string[] {
  const isDry = 'dryRun' in plan && plan.dryRun && !['logs', 'help', 'decline', 'check'].includes(plan.kind)
  return [...(isDry ? ['Dry run: this is what would be done; nothing is changed.'] : []), ...linesOf(plan)]
}

function linesOf(plan: Plan): string[] {
  switch (plan.kind) {
    case 'preview':
    case 'production':
      return describeDeployment(plan)
    case 'teardown':
      return [
        `Remove the preview of pull request #${plan.pullRequest}, because ${plan.because}.`,
        `Service ${plan.serviceName}, database ${databaseName(plan.serviceName)}, branches ink/pr-${plan.pullRequest}/…, deployment records.`,
      ]
    case 'retire':
      return [`Remove what ${plan.branch} had deployed, because ${plan.because}.`]
    case 'sweep':
      return describeSweep(plan)
    case 'monitor':
      return describeMonitor(plan)
    case 'rollback': {
      const to = plan.to === undefined ? 'the version before' : `commit ${plan.to}`
      return [`Switch ${plan.serviceName} back to ${to}, because ${plan.because}.`]
    }
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

function describeDeployment(plan: PreviewPlan | ProductionPlan): string[] {
  const { wanted, place, database, because } = plan
  const environment = place.environment === undefined ? 'Production' : `The environment ${place.environment}`
  const what = plan.kind === 'preview' ? `Preview of pull request #${plan.pullRequest.number}` : environment
  const workspace = place.workspace ? ` of workspace ${place.workspace}` : ''
  const commit = `commit ${shortSha(wanted.sha)} (${wanted.ref}).`
  const empty = emptyNames(plan.variables)
  const lines = [
    `${what}, because ${because}.`,
    `Service ${plan.serviceName} in project ${place.project}${workspace}, from repository ${place.repositoryName}.`,
    plan.directory === undefined
      ? capital(commit)
      : `The files in ${plan.directory} as they lie in the workspace, for ${commit}`,
    describeBuild(plan.build),
    `Environment variables (${plan.envStrategy}): ${sorted(plan.variables.keys())}.`,
    empty.length > 0 && `Empty, which a secret is that was not found: ${sorted(empty)}.`,
    `Healthy when ${describeHealth(plan.health)}; ${shortDuration(plan.timeoutMs)} at most for everything.`,
    database && `Database ${database.name} (${database.type}), as ${sorted(database.env.keys())}.`,
    database?.seed !== undefined && `If it is new, ${database.seed} is run in it before the build.`,
    plan.domain !== undefined && `Domain ${plan.domain}.`,
    plan.removeDomain && 'Any other domain of the service is taken off.',
    ...(plan.kind === 'preview' ? describePreview(plan) : describeProduction(plan)),
    plan.adopt && 'A service of that name is taken over even if it does not carry our marks.',
  ]
  return lines.filter((line) => typeof line === 'string')
}

function sorted(names: Iterable<string>): string {
  return [...names].sort().join(', ')
}

/** The warning about secrets that came empty and keep their live value. */
export function describeKept(names: readonly string[]): string {
  return (
    `The value given for ${names.join(', ')} is empty, so the one that the service has was kept. ` +
    'Check that the secret exists under this name and that this run may read it; to clear it, set it at ml.ink.'
  )
}

function describePreview({ untrusted, maxPreviews, maxCostPerDay, previewTtlMs, onQuota }: PreviewPlan) {
  return [
    untrusted && 'The code comes from a fork and was approved: it gets the values of preview-env only.',
    maxPreviews !== undefined && `At most ${maxPreviews} previews; when full: ${onQuota}.`,
    maxCostPerDay !== undefined &&
      `Previews cost at most $${maxCostPerDay.toFixed(2)} a day together; beyond that: ${onQuota}.`,
    previewTtlMs !== undefined &&
      `It may live for ${shortDuration(previewTtlMs)}; the next sweep after that removes it.`,
  ]
}

function describeProduction({ dnsRecords, rollback }: ProductionPlan) {
  return [
    dnsRecords !== undefined && `DNS records (${dnsRecords.length}) are kept in step.`,
    rollback ? 'Switched back if the new version is unhealthy.' : 'Not switched back, whatever happens.',
  ]
}

function describeBuild(build: ProductionPlan['build']): string | false {
  // `publishDirectory` is read as `publish-directory`, the name under which it was given.
  const inputName = (property: string) => property.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  const given = Object.entries(build).flatMap(([name, value]) =>
    value === undefined ? [] : `${inputName(name)} ${JSON.stringify(value)}`,
  )
  return given.length > 0 && `Settings: ${given.join(', ')}.`
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
