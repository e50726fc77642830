import { errorMessage } from '../core/errors.ts'
import { createSanitizer } from '../core/sanitize.ts'
import type { Platform } from '../ink/platform.ts'
import { describePlan } from '../plan/describe.ts'
import type { Plan } from '../plan/plan.ts'
import type { PlanReport } from '../report/model.ts'
import type { Occasion } from './carry-out.ts'
import type { Deps } from './deps.ts'
import type { Action, Outcome } from './outcome.ts'
import { compareDns, describeDns } from './resources/dns.ts'

type PlanToDo = Extract<Plan, { readonly dryRun: boolean }>

/** A dry run says what would be done and changes nothing; the plan itself has been printed already. */
export async function dryRun(plan: PlanToDo, action: Action, deps: Deps, occasion: Occasion): Promise<Outcome> {
  const details = await foreseen(plan, deps, occasion)
  for (const line of details) deps.log.info(line)
  const report: PlanReport = {
    kind: 'plan',
    steps: [...describePlan({ ...plan, dryRun: false }), ...details],
    checks: [],
    runUrl: deps.context.runUrl,
    warnings: occasion.warnings,
  }
  return { action, status: 'planned', report, failure: undefined }
}

/** What a dry run has to read from the platform to be able to say it. */
async function foreseen(plan: PlanToDo, deps: Deps, { signal }: Occasion): Promise<readonly string[]> {
  if (plan.kind !== 'production' || plan.dnsRecords === undefined) return []
  let platform: Platform | undefined
  try {
    platform = await deps.openPlatform(plan.place, signal)
    const outlook = await compareDns(plan, { ...deps, platform, signal })
    if (!outlook) return []
    const lines = [...outlook.problems, ...describeDns(outlook)]
    return lines.length > 0 ? lines : ['DNS: in step']
  } catch (error) {
    signal.throwIfAborted()
    return [`DNS: could not be read (${createSanitizer(deps.secrets())(errorMessage(error))})`]
  } finally {
    await platform?.close()
  }
}
