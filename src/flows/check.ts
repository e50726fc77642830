import { DeployError, errorMessage } from '../errors.ts'
import type { Platform } from '../ink/platform.ts'
import { describePlan } from '../plan/describe.ts'
import type { CheckPlan, Plan } from '../plan/plan.ts'
import type { PlanCheck, PlanReport } from '../report/model.ts'
import { createTamer } from '../watch/tame.ts'
import type { Deps } from './deps.ts'
import { dnsInWords, dnsOutlook } from './dns.ts'
import { delegationOf } from './domain.ts'
import type { Outcome } from './outcome.ts'

/** `command: plan`: says what would be done, checks what it takes, and changes nothing. */
export async function check(plan: CheckPlan, deps: Deps, signal: AbortSignal): Promise<Outcome> {
  deps.log.startGroup('Checks')
  const checks = (
    await Promise.all([checkPlatform(plan, deps, signal), checkPullRequests(deps), checkCheckout(plan, deps, signal)])
  ).flat()
  for (const { name, result, detail, mend } of checks) {
    deps.log.info(`${signs[result]} ${name}: ${detail}`)
    for (const line of mend ?? []) deps.log.info(`    ${line}`)
  }
  deps.log.endGroup()
  const report: PlanReport = {
    kind: 'plan',
    steps: describePlan(plan.would),
    checks,
    runUrl: deps.context.runUrl,
    warnings: [],
  }
  const problems = checks.filter(({ result }) => result === 'problem')
  const failure =
    problems.length === 0
      ? undefined
      : new DeployError(problems.map(({ name, detail }) => `${name}: ${detail}`).join('; '), {
          hint: 'The summary shows the lines that mend it.',
        })
  return { action: 'plan', status: failure ? 'failed' : 'planned', report, failure }
}

const signs = { fine: '✓', warning: '!', problem: '✗' } as const

async function checkPlatform(plan: CheckPlan, deps: Deps, signal: AbortSignal): Promise<PlanCheck[]> {
  if (!deps.settings.apiKey) {
    return [
      {
        name: 'API key',
        result: 'problem',
        detail: 'none is set',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
        mend: ['with:', '  api-key: ${{ secrets.INK_API_KEY }}'],
      },
    ]
  }
  try {
    const platform = await deps.openPlatform(plan.place, signal)
    try {
      const [account, projects, services, domain, dns] = await Promise.all([
        platform.account(signal),
        platform.projects(signal),
        platform.services(signal),
        checkDomain(plan.would, platform, signal),
        checkDns(plan.would, platform, signal),
      ])
      const project = projects?.find(({ name, ref }) => name === plan.place.project || ref === plan.place.project)
      return [
        {
          name: 'API key',
          result: 'fine',
          detail: `accepted by ${platform.server || 'ml.ink'}${account?.name ? `, account ${account.name}` : ''}`,
        },
        projects && !project
          ? {
              name: 'Project',
              result: 'warning',
              detail: `“${plan.place.project}” does not exist yet and will be made; there are ${projects.map(({ name }) => name).join(', ') || 'none'}`,
            }
          : { name: 'Project', result: 'fine', detail: plan.place.project },
        { name: 'Services', result: 'fine', detail: `${services.length} in use` },
        ...domain,
        ...dns,
      ]
    } finally {
      await platform.close()
    }
  } catch (error) {
    const hint = error instanceof DeployError && error.hint ? [error.hint] : []
    return [{ name: 'ml.ink', result: 'problem', detail: createTamer(deps.secrets())(errorMessage(error)), mend: hint }]
  }
}

async function checkDomain(would: Plan, platform: Platform, signal: AbortSignal): Promise<PlanCheck[]> {
  const domain = 'domain' in would ? would.domain : undefined
  if (domain === undefined) return []
  const { covered, sentence } = delegationOf(domain, await platform.zones(signal))
  return [{ name: 'Domain', result: covered ? 'fine' : 'warning', detail: `${domain}. ${sentence}` }]
}

async function checkDns(would: Plan, platform: Platform, signal: AbortSignal): Promise<PlanCheck[]> {
  const outlook = await dnsOutlook(would, platform, signal)
  if (!outlook) return []
  const { problems } = outlook
  const detail = [...problems, ...dnsInWords(outlook)].join('; ') || 'in step'
  return [{ name: 'DNS records', result: problems.length === 0 ? 'fine' : 'warning', detail }]
}

async function checkPullRequests(deps: Deps): Promise<PlanCheck[]> {
  const readable = (await deps.github.pullRequests.list('open')) !== undefined
  return readable
    ? [{ name: 'GitHub', result: 'fine', detail: 'pull requests can be read' }]
    : [
        {
          name: 'GitHub',
          result: 'warning',
          detail: 'pull requests cannot be read, so closed ones are not noticed',
          mend: ['permissions:', '  contents: read', '  pull-requests: write', '  deployments: write'],
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
      },
      signal,
    )
    return [
      {
        name: 'Checkout',
        result: 'fine',
        detail: `commit ${snapshot.sourceSha.slice(0, 7)}, ${snapshot.files} files${snapshot.why ? `; ${snapshot.why}` : ''}`,
      },
    ]
  } catch (error) {
    return [
      {
        name: 'Checkout',
        result: 'problem',
        detail: createTamer(deps.secrets())(errorMessage(error)),
        mend: ['- uses: actions/checkout@v6'],
      },
    ]
  }
}
