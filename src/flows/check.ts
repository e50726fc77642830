import { DeployError } from '../core/errors.ts'
import { count, shortSha } from '../core/format.ts'
import { safeMessage } from '../core/sanitize.ts'
import type { Credits } from '../ink/account.ts'
import type { Platform } from '../ink/platform.ts'
import type { InkFile } from '../plan/file/ink-file.ts'
import { secretsWithheld } from '../plan/guards.ts'
import { productionBranch } from '../plan/intent.ts'
import type { CheckPlan, Plan } from '../plan/plan.ts'
import type { WorkflowText } from '../plan/workflow.ts'
import { checkWorkflow, type WorkflowFinding, type Workflows, workflowsOf } from '../plan/workflow.ts'
import type { PlanCheck, PlanReport } from '../report/model.ts'
import { formatCost } from '../report/parts.ts'
import { snapshotRequest } from './prepare.ts'
import { assertDeployable, costView, describeLimits, readCredits, runningCosts } from './resources/account.ts'
import { compareDns, delegationOf } from './resources/dns.ts'
import { findPreviews } from './resources/previews.ts'
import { findPlace, type PlaceFinding } from './resources/repository.ts'
import type { Deps, Outcome, RunDeps } from './run.ts'
import { annotationsOf } from './run.ts'

/** `command: plan`: says what would be done, checks what it takes, and changes nothing. */
export async function check(
  plan: CheckPlan,
  deps: RunDeps,
  plans: readonly Plan[],
  { steps, services, checks: known }: Pick<PlanReport, 'steps' | 'services' | 'checks'>,
): Promise<Outcome> {
  const refused = plan.hasKey ? plans.filter((would) => would.kind === 'refused') : []
  deps.log.startGroup('Checks')
  const [platform, gitHub, checkout] = await Promise.all([
    checkPlatform(plan, plans, deps),
    checkPullRequests(deps),
    checkCheckout(plan, deps),
  ])
  const refusals = refused.map(({ problem, hint }) => checked('Plan', 'problem', problem, [hint]))
  const checks = [...platform, gitHub, ...checkout, ...known, ...refusals]
  for (const { name, result, detail, fix } of checks) {
    deps.log.info(`${signs[result]} ${name}: ${detail}`)
    for (const line of fix ?? []) deps.log.info(`    ${line}`)
  }
  deps.log.endGroup()
  const report: PlanReport = { kind: 'plan', services, steps, checks, runUrl: deps.context.runUrl, warnings: [] }
  const problems = checks.filter(({ result }) => result === 'problem')
  const said = problems.map(({ name, detail }) => `${name}: ${detail}`).join('; ')
  const failure =
    problems.length === 0 ? undefined : new DeployError(said, { hint: 'The summary shows the lines that fix it.' })
  const annotations = refused.flatMap(annotationsOf)
  return { action: 'plan', status: failure ? 'failed' : 'planned', report, failure, annotations }
}

const signs = { fine: '✓', warning: '!', problem: '✗' } as const

function checked(name: string, result: PlanCheck['result'], detail: string, fix?: readonly string[]): PlanCheck {
  return { name, result, detail, fix }
}

/** GitHub tells what a token may write only when it is tried, and a check changes nothing. */
async function checkPullRequests({ github }: Deps): Promise<PlanCheck> {
  if ((await github.pullRequests.list('open')) !== undefined)
    return checked(
      'GitHub',
      'fine',
      'pull requests can be read; whether comments and deployment records may be written shows only when it is tried',
    )
  const permissions = ['permissions:', '  contents: read', '  pull-requests: write', '  deployments: write']
  return checked('GitHub', 'warning', 'pull requests cannot be read, so closed ones are not noticed', permissions)
}

async function checkCheckout({ would }: CheckPlan, deps: RunDeps): Promise<PlanCheck[]> {
  if (would.kind !== 'preview' && would.kind !== 'production') return []
  try {
    await using source = deps.openSource()
    const { sourceSha, files, why } = await source.snapshot(snapshotRequest(would), deps.signal)
    const detail = `commit ${shortSha(sourceSha)}, ${count(files, 'file')}${why ? `. ${why}` : ''}`
    return [checked('Checkout', 'fine', detail)]
  } catch (error) {
    return [checked('Checkout', 'problem', safeMessage(deps, error), ['- uses: actions/checkout@v6'])]
  }
}

type Connected = RunDeps & { readonly platform: Platform }

/** What `command: plan` finds out about the account at ml.ink: whose key it is, where things will be, what is in use. */
async function checkPlatform(plan: CheckPlan, plans: readonly Plan[], deps: RunDeps): Promise<PlanCheck[]> {
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
  const withKey = ['with:', '  api-key: ${{ secrets.INK_API_KEY }}']
  if (!plan.hasKey) return [checked('API key', 'problem', 'none is set', withKey)]
  try {
    await using platform = await deps.openPlatform(plan.place, deps.signal)
    const run = { ...deps, platform }
    const found = await findPlace(platform, plan.place, deps.signal)
    // A server answers nothing else for a workspace that it does not know.
    if (found.every(({ name }) => name === 'Workspace')) return found.map(placeCheck)
    return [
      await keyCheck(run),
      ...found.map(placeCheck),
      await servicesCheck(run),
      ...(await moneyChecks(plan, run)),
      ...(await Promise.all(plans.map((would) => deploymentChecks(would, run)))).flat(),
    ]
  } catch (error) {
    const hint = error instanceof DeployError && error.hint ? [error.hint] : []
    return [checked('ml.ink', 'problem', safeMessage(deps, error), hint)]
  }
}

async function keyCheck({ platform, signal }: Connected): Promise<PlanCheck> {
  const account = await platform.account(signal)
  const whose = account?.name ? `, account ${account.name}` : ''
  return checked('API key', 'fine', `accepted by ${platform.server || 'ml.ink'}${whose}`)
}

function placeCheck({ name, value, judgement }: PlaceFinding): PlanCheck {
  switch (judgement?.kind) {
    case 'refused':
      return checked(name, 'problem', judgement.detail, [judgement.hint])
    case 'new':
      return checked(name, 'warning', `${judgement.detail}; a deployment makes it`)
    case 'ignored':
      return checked(name, 'warning', `this server has none, so “${value}” has no effect`)
    default:
      return checked(name, 'fine', value)
  }
}

async function servicesCheck({ platform, signal }: Connected): Promise<PlanCheck> {
  const [services, limits] = await Promise.all([
    platform.offers('listServices') ? platform.services(signal) : undefined,
    platform.limits(signal),
  ])
  const unlisted = 'this ml.ink server cannot list them, so a sweep finds previews by their branches alone'
  if (!services) return checked('Services', 'warning', unlisted)
  const most = limits?.maxServices
  const inUse = `${services.length} in use${most === undefined ? '' : ` of ${most}`}`
  const full = most !== undefined && services.length >= most
  return checked('Services', full ? 'warning' : 'fine', [inUse, ...describeLimits(limits)].join('; '))
}

async function moneyChecks(plan: CheckPlan, run: Connected): Promise<PlanCheck[]> {
  const credits = await readCredits(plan, run)
  const { previews } = await findPreviews(run, plan.place)
  const cost = costView(runningCosts(previews, plan, run.platform))
  return [
    ...(credits === undefined ? [] : [creditsCheck(credits, plan.creditsWarning)]),
    ...(cost === undefined ? [] : [checked('Cost', 'fine', formatCost(cost))]),
  ]
}

function creditsCheck({ spent, perhapsSpent, dollars, shown }: Credits, warnBelow: number): PlanCheck {
  if (spent) {
    const detail = `used up${shown === undefined ? '' : ` (${shown})`}: nothing new can be deployed`
    return checked('Credits', 'problem', detail, ['Top up the account at ml.ink.'])
  }
  const low = perhapsSpent || (dollars !== undefined && dollars < warnBelow)
  return checked('Credits', low ? 'warning' : 'fine', shown === undefined ? 'enough' : `${shown} left`)
}

/** Whether the server has what a deployment would need: tool and values, a zone for its domain, its DNS records. */
async function deploymentChecks(would: Plan, run: Connected): Promise<PlanCheck[]> {
  if (would.kind !== 'preview' && would.kind !== 'production') return []
  const { platform, signal } = run
  const { domain, serviceName } = would
  const checks: PlanCheck[] = []
  const existing = await platform.service(serviceName, {}, signal)
  try {
    assertDeployable(platform, would, existing !== undefined)
  } catch (error) {
    if (!(error instanceof DeployError)) throw error
    checks.push(checked('Deployment', 'problem', error.message, error.hint ? [error.hint] : undefined))
  }
  if (domain !== undefined) {
    const { covered, sentence } = delegationOf(domain, await platform.zones(signal))
    checks.push(checked('Domain', covered ? 'fine' : 'warning', `${domain}. ${sentence}`))
  }
  const outlook = await compareDns(would, run)
  const found = outlook && ([...outlook.problems, ...outlook.foreseen].join('; ') || 'in step')
  if (found) checks.push(checked('DNS records', outlook.problems.length === 0 ? 'fine' : 'warning', found))
  return checks
}

function findingsIn(
  workflows: Workflows,
  { context, settings }: RunDeps,
  file: InkFile | undefined,
  withheld?: string | undefined,
): readonly WorkflowFinding[] {
  return checkWorkflow(workflows, {
    settings,
    job: context.job,
    action: context.action,
    productionBranch: productionBranch({ context, settings }),
    environmentBranches: file?.environments.map(({ branch }) => branch) ?? [],
    isPrivate: context.repository.private,
    secretsWithheld: withheld,
  })
}

/**
 * Warns of what the checked-out workflow will not do, except for what shows by itself. Makes no call. For runs that deploy,
 * which have their secrets; and for events whose workflow is of the very commit that the settings are of.
 *
 * @param extent `all` for a dry run, in which nothing shows by itself
 */
export function warnOfWorkflow(deps: RunDeps, file: InkFile | undefined, extent: 'hidden' | 'all' = 'hidden'): void {
  const fitting = ['push', 'pull_request'].includes(deps.context.eventName)
  const workflows = fitting ? workflowsOf(deps.workflowFiles(), deps.context) : undefined
  if (workflows === undefined) return
  for (const { shows, detail, fix } of findingsIn(workflows, deps, file))
    if (!shows || extent === 'all')
      deps.log.warning([`${detail}.`, 'What to put in:', ...fix.map((line) => `    ${line}`)].join('\n'))
}

/** The same and all else for whoever asks. What is not checked out is read from the forge; one call at most. */
export async function checksOfWorkflow(deps: RunDeps, file: InkFile | undefined): Promise<readonly PlanCheck[]> {
  const files = deps.workflowFiles()
  const workflows = workflowsOf(files, deps.context) ?? workflowsOf([...files, ...(await fetched(deps))], deps.context)
  const unread = 'it could not be read, so that it is not known whether it does what the settings need'
  if (workflows === undefined) return [checked('Workflow', 'warning', unread, ['- uses: actions/checkout@v6'])]
  const findings = findingsIn(workflows, deps, file, secretsWithheld(deps.context, deps.event))
  if (findings.length === 0) return [checked('Workflow', 'fine', workflows.own.path)]
  return findings.map(({ name, result, detail, fix }) => checked(name, result, detail, fix))
}

async function fetched({ context, github }: Deps): Promise<readonly WorkflowText[]> {
  const { workflowPath: path, workflowSha, sha } = context
  const text = path === undefined ? undefined : await github.files.read(path, workflowSha ?? sha)
  return path === undefined || text === undefined || text === 'absent' ? [] : [{ path, text }]
}
