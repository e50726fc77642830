import { DeployError, errorMessage } from '../core/errors.ts'
import { count } from '../core/format.ts'
import { createSanitizer } from '../core/sanitize.ts'
import { describePlan } from '../plan/describe.ts'
import type { CheckPlan } from '../plan/plan.ts'
import type { PlanCheck, PlanReport } from '../report/model.ts'
import { checkAccount } from './check-account.ts'
import type { Deps } from './deps.ts'
import type { Outcome } from './outcome.ts'

/** `command: plan`: says what would be done, checks what it takes, and changes nothing. */
export async function check(plan: CheckPlan, deps: Deps, signal: AbortSignal): Promise<Outcome> {
  deps.log.startGroup('Checks')
  const checks = (
    await Promise.all([checkAccount(plan, deps, signal), checkPullRequests(deps), checkCheckout(plan, deps, signal)])
  ).flat()
  for (const { name, result, detail, fix } of checks) {
    deps.log.info(`${signs[result]} ${name}: ${detail}`)
    for (const line of fix ?? []) deps.log.info(`    ${line}`)
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
          hint: 'The summary shows the lines that fix it.',
        })
  return { action: 'plan', status: failure ? 'failed' : 'planned', report, failure }
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
      },
      signal,
    )
    return [
      {
        name: 'Checkout',
        result: 'fine',
        detail: `commit ${snapshot.sourceSha.slice(0, 7)}, ${count(snapshot.files, 'file')}${snapshot.why ? `. ${snapshot.why}` : ''}`,
      },
    ]
  } catch (error) {
    return [
      {
        name: 'Checkout',
        result: 'problem',
        detail: createSanitizer(deps.secrets())(errorMessage(error)),
        fix: ['- uses: actions/checkout@v6'],
      },
    ]
  }
}
