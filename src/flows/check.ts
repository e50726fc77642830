import { DeployError } from '../core/errors.ts'
import { count, shortSha } from '../core/format.ts'
import { safeMessage } from '../core/sanitize.ts'
import type { Credits } from '../ink/account.ts'
import type { Platform } from '../ink/platform.ts'
import type { PlaceJudgement } from '../plan/names.ts'
import type { CheckPlan, Place, Plan } from '../plan/plan.ts'
import type { PlanCheck, PlanReport } from '../report/model.ts'
import { formatCost } from '../report/wording.ts'
import { annotationsOf } from './no-deployment.ts'
import { assertDeployable, describeLimits, findPlace, type PlaceFindings } from './resources/account.ts'
import { costView, readCredits, runningCosts } from './resources/budget.ts'
import { compareDns, describeDns, type ZoneReader } from './resources/dns.ts'
import { delegationOf } from './resources/domains.ts'
import { findPreviews } from './resources/previews.ts'
import type { Deps, Outcome, RunDeps } from './run.ts'

/** `command: plan`: says what would be done, checks what it takes, and changes nothing. */
export async function check(
  plan: CheckPlan,
  deps: RunDeps,
  parts: readonly { readonly key: string | undefined; readonly would: Plan }[],
  { steps, services, checks: known }: Pick<PlanReport, 'steps' | 'services' | 'checks'>,
): Promise<Outcome> {
  const { signal } = deps
  const refused = plan.hasKey ? parts.flatMap(({ would }) => (would.kind === 'refused' ? [would] : [])) : []
  deps.log.startGroup('Checks')
  const checks = (
    await Promise.all([
      checkPlatform(plan, parts, deps, signal),
      checkPullRequests(deps),
      checkCheckout(plan, deps, signal),
      known,
      refused.map(
        ({ problem, hint }): PlanCheck => ({ name: 'Plan', result: 'problem', detail: problem, fix: [hint] }),
      ),
    ])
  ).flat()
  for (const { name, result, detail, fix } of checks) {
    deps.log.info(`${signs[result]} ${name}: ${detail}`)
    for (const line of fix ?? []) deps.log.info(`    ${line}`)
  }
  deps.log.endGroup()
  const report: PlanReport = {
    kind: 'plan',
    services,
    steps,
    checks,
    runUrl: deps.context.runUrl,
    warnings: [],
  }
  const problems = checks.filter(({ result }) => result === 'problem')
  const failure =
    problems.length === 0
      ? undefined
      : new DeployError(problems.map(({ name, detail }) => `${name}: ${detail}`).join('; '), {
          hint: 'The summary shows the lines that fix it.',
        })
  const annotations = refused.flatMap(annotationsOf)
  return { action: 'plan', status: failure ? 'failed' : 'planned', report, failure, annotations }
}

const signs = { fine: '✓', warning: '!', problem: '✗' } as const

// GitHub tells what a token may write only when it is tried, and a check changes nothing.
const READABLE =
  'pull requests can be read; whether comments and deployment records may be written shows only when it is tried'

async function checkPullRequests(deps: Deps): Promise<PlanCheck[]> {
  const readable = (await deps.github.pullRequests.list('open')) !== undefined
  return readable
    ? [{ name: 'GitHub', result: 'fine', detail: READABLE }]
    : [
        {
          name: 'GitHub',
          result: 'warning',
          detail: 'pull requests cannot be read, so closed ones are not noticed',
          fix: ['permissions:', '  contents: read', '  pull-requests: write', '  deployments: write'],
        },
      ]
}

async function checkCheckout({ place, would }: CheckPlan, deps: Deps, signal: AbortSignal): Promise<PlanCheck[]> {
  if (would.kind !== 'preview' && would.kind !== 'production') return []
  try {
    await using source = deps.openSource(place)
    const snapshot = await source.snapshot(
      {
        wanted: would.wanted,
        ordinaryCheckouts: would.ordinaryCheckouts,
        directory: would.directory,
        exportIgnore: would.exportIgnore,
        lfsPointers: would.lfsPointers,
      },
      signal,
    )
    return [
      {
        name: 'Checkout',
        result: 'fine',
        detail: `commit ${shortSha(snapshot.sourceSha)}, ${count(snapshot.files, 'file')}${snapshot.why ? `. ${snapshot.why}` : ''}`,
      },
    ]
  } catch (error) {
    return [
      {
        name: 'Checkout',
        result: 'problem',
        detail: safeMessage(deps, error),
        fix: ['- uses: actions/checkout@v6'],
      },
    ]
  }
}

/** What `command: plan` finds out about domains: whether ml.ink may serve them, and which records it would change. */
async function checkDomains(would: Plan, reader: ZoneReader): Promise<PlanCheck[]> {
  return (await Promise.all([checkDomain(would, reader), checkDns(would, reader)])).flat()
}

async function checkDomain(would: Plan, { platform, signal }: ZoneReader): Promise<PlanCheck[]> {
  const domain = 'domain' in would ? would.domain : undefined
  if (domain === undefined) return []
  const { covered, sentence } = delegationOf(domain, await platform.zones(signal))
  return [{ name: 'Domain', result: covered ? 'fine' : 'warning', detail: `${domain}. ${sentence}` }]
}

async function checkDns(would: Plan, reader: ZoneReader): Promise<PlanCheck[]> {
  const outlook = await compareDns(would, reader)
  if (!outlook) return []
  const { problems } = outlook
  const detail = [...problems, ...describeDns(outlook)].join('; ') || 'in step'
  return [{ name: 'DNS records', result: problems.length === 0 ? 'fine' : 'warning', detail }]
}

/** What `command: plan` finds out about the account at ml.ink: whose key it is, where things will be, what is in use. */
async function checkPlatform(
  plan: CheckPlan,
  parts: readonly { readonly would: Plan }[],
  deps: Deps,
  signal: AbortSignal,
): Promise<PlanCheck[]> {
  if (!plan.hasKey) {
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
        ...(await Promise.all(parts.map((part) => deployableCheck(part, platform, signal)))).flat(),
        ...(await moneyChecks(plan, { ...deps, platform, signal })),
        ...(await Promise.all(parts.map(({ would }) => checkDomains(would, { ...deps, platform, signal })))).flat(),
      ]
    } finally {
      await platform.close()
    }
  } catch (error) {
    const hint = error instanceof DeployError && error.hint ? [error.hint] : []
    return [{ name: 'ml.ink', result: 'problem', detail: safeMessage(deps, error), fix: hint }]
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
  return { name, result: full ? 'warning' : 'fine', detail: [inUse, ...describeLimits(limits)].join('; ') }
}

/** Whether the server has the tool that the deployment would need, and takes the values that it would be given. */
async function deployableCheck(
  { would }: { readonly would: Plan },
  platform: Platform,
  signal: AbortSignal,
): Promise<PlanCheck[]> {
  if (would.kind !== 'preview' && would.kind !== 'production') return []
  const existing = await platform.service(would.serviceName, {}, signal)
  try {
    assertDeployable(platform, would, existing !== undefined)
    return []
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
    return [{ name: 'Deployment', result: 'problem', detail: error.message, ...(error.hint && { fix: [error.hint] }) }]
  }
}

async function moneyChecks(
  plan: CheckPlan,
  run: Deps & { readonly platform: Platform; readonly signal: AbortSignal },
): Promise<PlanCheck[]> {
  const credits = await readCredits(plan, run)
  const { previews } = await findPreviews(run, plan.place)
  const cost = costView(runningCosts(previews, plan, run.platform))
  return [
    ...(credits === undefined ? [] : [creditsCheck(credits, plan.creditsWarning)]),
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
    ...(isRefused(workspace) ? [] : [placeCheck('Project', place.project, project)]),
  ]
}

function workspaceCheck(name: string, workspace: PlaceFindings['workspace']): PlanCheck {
  return workspace === 'not-taken'
    ? { name: 'Workspace', result: 'warning', detail: `this server has none, so “${name}” has no effect` }
    : placeCheck('Workspace', name, workspace)
}

function placeCheck(name: string, value: string, judgement: PlaceJudgement | undefined): PlanCheck {
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
