import { DeployError, errorMessage } from '../core/errors.ts'
import { createSanitizer } from '../core/sanitize.ts'
import type { Credits } from '../ink/credits.ts'
import type { Platform } from '../ink/platform.ts'
import type { PlaceJudgement } from '../plan/names.ts'
import type { CheckPlan, Place } from '../plan/plan.ts'
import type { PlanCheck } from '../report/model.ts'
import { formatCost } from '../report/wording.ts'
import { limitsInWords } from './account.ts'
import { checkDomains } from './check-domains.ts'
import { findPlace, type PlaceFindings } from './check-place.ts'
import { costView, runningCosts } from './costs.ts'
import type { Deps } from './deps.ts'
import { lookAtCredits } from './means.ts'
import { findPreviews } from './previews.ts'
import { requireDeployTool } from './tools.ts'

/** What `command: plan` finds out about the account at ml.ink: whose key it is, where things will be, what is in use. */
export async function checkAccount(plan: CheckPlan, deps: Deps, signal: AbortSignal): Promise<PlanCheck[]> {
  if (!deps.settings.apiKey) {
    return [
      {
        name: 'API key',
        result: 'problem',
        detail: 'none is set',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
        fix: ['with:', '  api-key: ${{ secrets.INK_API_KEY }}'],
      },
    ]
  }
  try {
    const platform = await deps.openPlatform(plan.place, signal)
    try {
      const found = await findPlace(platform, plan.place, signal)
      // A server answers nothing else for a workspace that it does not know.
      if (isRefused(found.workspace)) return placeChecks(plan.place, found)
      return [
        await keyCheck(platform, signal),
        ...placeChecks(plan.place, found),
        await servicesCheck(platform, signal),
        ...(await toolCheck(plan, platform, signal)),
        ...(await moneyChecks(plan, { ...deps, platform, signal })),
        ...(await checkDomains(plan.would, { ...deps, platform, signal })),
      ]
    } finally {
      await platform.close()
    }
  } catch (error) {
    const hint = error instanceof DeployError && error.hint ? [error.hint] : []
    return [
      { name: 'ml.ink', result: 'problem', detail: createSanitizer(deps.secrets())(errorMessage(error)), fix: hint },
    ]
  }
}

async function keyCheck(platform: Platform, signal: AbortSignal): Promise<PlanCheck> {
  const account = await platform.account(signal)
  const whose = account?.name ? `, account ${account.name}` : ''
  return { name: 'API key', result: 'fine', detail: `accepted by ${platform.server || 'ml.ink'}${whose}` }
}

async function servicesCheck(platform: Platform, signal: AbortSignal): Promise<PlanCheck> {
  const [services, limits] = await Promise.all([
    platform.offers('listServices') ? platform.services(signal) : undefined,
    platform.limits(signal),
  ])
  const name = 'Services'
  if (!services) {
    const detail = 'this ml.ink server cannot list them, so a sweep finds previews by their branches alone'
    return { name, result: 'warning', detail }
  }
  const most = limits?.maxServices
  const inUse = `${services.length} in use${most === undefined ? '' : ` of ${most}`}`
  const full = most !== undefined && services.length >= most
  return { name, result: full ? 'warning' : 'fine', detail: [inUse, ...limitsInWords(limits)].join('; ') }
}

/** Whether the server has the tool that the deployment would need. */
async function toolCheck({ would }: CheckPlan, platform: Platform, signal: AbortSignal): Promise<PlanCheck[]> {
  if (would.kind !== 'preview' && would.kind !== 'production') return []
  const existing = await platform.service(would.serviceName, {}, signal)
  try {
    requireDeployTool(platform, would.serviceName, existing !== undefined)
    return []
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
    return [{ name: 'Tools', result: 'problem', detail: error.message, ...(error.hint && { fix: [error.hint] }) }]
  }
}

async function moneyChecks(
  plan: CheckPlan,
  run: Deps & { readonly platform: Platform; readonly signal: AbortSignal },
): Promise<PlanCheck[]> {
  const credits = await lookAtCredits(run)
  const { previews } = await findPreviews(run, plan.place)
  const cost = costView(runningCosts(previews, plan.place, run.settings))
  return [
    ...(credits === undefined ? [] : [creditsCheck(credits, run.settings.creditsWarning)]),
    ...(cost === undefined ? [] : [{ name: 'Cost', result: 'fine', detail: formatCost(cost) } as const]),
  ]
}

function creditsCheck({ spent, perhapsSpent, dollars, shown }: Credits, warnBelow: number): PlanCheck {
  const name = 'Credits'
  if (spent) {
    const detail = `used up${shown === undefined ? '' : ` (${shown})`}: nothing new can be deployed`
    return { name, result: 'problem', detail, fix: ['Top up the account at ml.ink.'] }
  }
  const low = perhapsSpent || (dollars !== undefined && dollars < warnBelow)
  return { name, result: low ? 'warning' : 'fine', detail: shown === undefined ? 'enough' : `${shown} left` }
}

function placeChecks(place: Place, { project, workspace }: PlaceFindings): PlanCheck[] {
  return [
    ...(place.workspace === undefined ? [] : [workspaceCheck(place.workspace, workspace)]),
    ...(isRefused(workspace) ? [] : [judged('Project', place.project, project)]),
  ]
}

function workspaceCheck(name: string, workspace: PlaceFindings['workspace']): PlanCheck {
  return workspace === 'not-taken'
    ? { name: 'Workspace', result: 'warning', detail: `this server has none, so “${name}” has no effect` }
    : judged('Workspace', name, workspace)
}

function judged(name: string, value: string, judgement: PlaceJudgement | undefined): PlanCheck {
  switch (judgement?.kind) {
    case 'refused':
      return { name, result: 'problem', detail: judgement.detail, fix: [judgement.hint] }
    case 'new':
      return { name, result: 'warning', detail: `${judgement.detail}; a deployment makes it` }
    default:
      return { name, result: 'fine', detail: value }
  }
}

function isRefused(judgement: PlaceFindings['workspace']): boolean {
  return typeof judgement === 'object' && judgement.kind === 'refused'
}
