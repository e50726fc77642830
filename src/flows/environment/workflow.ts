import { productionBranch } from '../../plan/intent.ts'
import { checkWorkflow, isThisAction, type WorkflowFinding, type Workflows } from '../../plan/workflow/check.ts'
import { parseWorkflow, type Workflow, type WorkflowText } from '../../plan/workflow/workflow.ts'
import type { PlanCheck } from '../../report/model.ts'
import type { Deps } from '../run.ts'

type Known = Pick<Deps, 'context' | 'workflowFiles'>

/** The workflow that runs this, and those beside it that use the action too, as far as they are checked out. */
export function workflowsOf(
  { context, workflowFiles }: Known,
  more: readonly WorkflowText[] = [],
): Workflows | undefined {
  const all = [...workflowFiles(), ...more].flatMap((file) => parseWorkflow(file) ?? [])
  const { workflow: name, workflowPath, action } = context
  const named = all.filter((one) => one.name === name || one.path === name)
  const own = workflowPath === undefined ? (named.length === 1 ? named[0] : undefined) : byPath(all, workflowPath)
  if (own === undefined) return undefined
  const uses = ({ jobs }: Workflow, follow = true): boolean =>
    [...jobs.values()].some((job) => {
      const called = job.uses?.startsWith('./') && follow ? byPath(all, job.uses.slice(2)) : undefined
      return job.steps.some((step) => isThisAction(step.uses, action)) || (called !== undefined && uses(called, false))
    })
  return { own, others: all.filter((one) => one !== own && uses(one)) }
}

function byPath(all: readonly Workflow[], path: string): Workflow | undefined {
  return all.find((one) => one.path === path)
}

function findingsIn(
  workflows: Workflows,
  { context, settings }: Deps,
  withheld: string | undefined,
): readonly WorkflowFinding[] {
  return checkWorkflow(workflows, {
    settings,
    job: context.job,
    action: context.action,
    productionBranch: productionBranch({ context, settings }),
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
export function warnOfWorkflow(deps: Deps, extent: 'hidden' | 'all' = 'hidden'): void {
  const workflows = ['push', 'pull_request'].includes(deps.context.eventName) ? workflowsOf(deps) : undefined
  if (workflows === undefined) return
  for (const { shows, detail, fix } of findingsIn(workflows, deps, undefined))
    if (!shows || extent === 'all')
      deps.log.warning([`${detail}.`, 'What to put in:', ...fix.map((line) => `    ${line}`)].join('\n'))
}

/** The same and all else for whoever asks. What is not checked out is read from the forge; one call at most. */
export async function checksOfWorkflow(deps: Deps, withheld: string | undefined): Promise<readonly PlanCheck[]> {
  const workflows = workflowsOf(deps) ?? workflowsOf(deps, await fetched(deps))
  if (workflows === undefined) {
    const detail = 'it could not be read, so that it is not known whether it does what the settings need'
    return [{ name: 'Workflow', result: 'warning', detail, fix: ['- uses: actions/checkout@v6'] }]
  }
  const findings = findingsIn(workflows, deps, withheld)
  if (findings.length === 0) return [{ name: 'Workflow', result: 'fine', detail: workflows.own.path }]
  return findings.map(({ name, result, detail, fix }) => ({ name, result, detail, fix }))
}

async function fetched({ context, github }: Deps): Promise<readonly WorkflowText[]> {
  const { workflowPath: path, workflowSha, sha } = context
  const text = path === undefined ? undefined : await github.files.read(path, workflowSha ?? sha)
  return path === undefined || text === undefined || text === 'absent' ? [] : [{ path, text }]
}
