import { describePlan } from '../plan/describe.ts'
import type { RunEvent } from '../plan/event.ts'
import { makePlan } from '../plan/make-plan.ts'
import type { Facts, Plan } from '../plan/plan.ts'
import { carryOut, type Occasion } from './carry-out.ts'
import type { Deps } from './deps.ts'
import { lookUp } from './facts.ts'
import type { Outcome } from './outcome.ts'

/** The whole of a run: looks up what the plan needs, prints the plan, carries it out and sets the outputs that are left. */
export async function runAction(deps: Deps, event: RunEvent, occasion: Occasion): Promise<Outcome> {
  const plan = await decide(deps, event, occasion.signal)
  deps.log.startGroup('Plan')
  for (const line of describePlan(plan)) deps.log.info(line)
  deps.log.endGroup()
  if ('environment' in plan) deps.output('environment', plan.environment)
  if ('serviceName' in plan) deps.output('service', plan.serviceName)
  const outcome = await carryOut(plan, deps, occasion, event).catch((error: unknown) => {
    if (occasion.signal.aborted) tellEnd(deps, occasion, { action: 'none', status: 'cancelled' })
    throw error
  })
  tellEnd(deps, occasion, outcome)
  return outcome
}

function tellEnd(deps: Deps, occasion: Occasion, { action, status }: Pick<Outcome, 'action' | 'status'>): void {
  deps.output('action', action)
  deps.output('status', status)
  deps.output('duration-seconds', Math.round((deps.clock.now() - Date.parse(occasion.startedAt)) / 1000))
}

async function decide(deps: Deps, event: RunEvent, signal: AbortSignal): Promise<Plan> {
  let facts: Facts = {}
  for (;;) {
    const plan = makePlan({ context: deps.context, event, settings: deps.settings }, facts)
    if (plan.kind !== 'needs') return plan
    facts = { ...facts, ...(await lookUp(deps, plan.need, signal)) }
  }
}
