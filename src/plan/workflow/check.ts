import type { RunContext } from '../event.ts'
import { matchesPaths } from '../paths.ts'
import type { Settings } from '../settings.ts'
import { type Grants, type Job, parseWorkflow, type Workflow, type WorkflowText } from './workflow.ts'

/** The workflow that runs this, and the others of the repository that use the action too. */
export interface Workflows {
  readonly own: Workflow
  readonly others: readonly Workflow[]
}

/** Finds them among files of the repository; undefined where the one that runs this is not there, or could be either of two. */
export function workflowsOf(files: readonly WorkflowText[], context: RunContext): Workflows | undefined {
  const all = files.flatMap((file) => parseWorkflow(file) ?? [])
  const { workflow: name, workflowPath, action } = context
  const at = (path: string) => all.find((one) => one.path === path)
  const named = all.filter((one) => one.name === name || one.path === name)
  const own = workflowPath === undefined ? (named.length === 1 ? named[0] : undefined) : at(workflowPath)
  if (own === undefined) return undefined
  const uses = ({ jobs }: Workflow, follow = true): boolean =>
    [...jobs.values()].some((job) => {
      const called = job.uses?.startsWith('./') && follow ? at(job.uses.slice(2)) : undefined
      return job.steps.some((step) => isThisAction(step.uses, action)) || (called !== undefined && uses(called, false))
    })
  return { own, others: all.filter((one) => one !== own && uses(one)) }
}

/** What a workflow is held against. */
export interface WorkflowFacts {
  readonly settings: Pick<
    Settings,
    'apiKey' | 'autoscale' | 'comment' | 'deploymentRecord' | 'previewLabel' | 'previewTtlMs'
  > & {
    readonly environment: Pick<Settings['environment'], 'shared' | 'preview' | 'production'>
  }
  /** The job that runs, by its id. */
  readonly job: string
  /** The repository that this action comes from, where it is known. */
  readonly action: string | undefined
  readonly productionBranch: string
  /** Those to which `ink.yml` gives an environment of their own. */
  readonly environmentBranches?: readonly string[]
  readonly isPrivate: boolean
  /** Why this run was given no secrets, where that is so. */
  readonly secretsWithheld: string | undefined
}

/** Something in a workflow that will not do what its settings ask for. */
export interface WorkflowFinding {
  readonly name: string
  readonly result: 'warning' | 'problem'
  readonly detail: string
  readonly fix: readonly string[]
  /** Whether a run that is concerned says so by itself, when it comes to that. */
  readonly shows: boolean
}

type Finding = WorkflowFinding | undefined

function warning(name: string, detail: string, fix: readonly string[]): WorkflowFinding {
  return { name, result: 'warning', detail, fix, shows: false }
}

/** What in the workflow, as it is written, will not do what is asked of it. Each finding names the lines to put in. */
export function checkWorkflow(workflows: Workflows, facts: WorkflowFacts): readonly WorkflowFinding[] {
  const job = workflows.own.jobs.get(facts.job)
  return [
    checkClosing(workflows),
    checkLabels(workflows.own, facts),
    ...checkBranches(workflows, facts),
    checkConcurrency(workflows.own, job),
    checkPermissions(workflows.own, job, facts),
    checkSchedule(workflows, facts),
    ...checkSecrets(workflows.own, job, facts),
  ].filter((finding) => finding !== undefined)
}

const PULL_REQUESTS = ['pull_request', 'pull_request_target']

/** Under which name a workflow hears of pull requests. */
function pullRequests({
  triggers,
}: Workflow): { readonly event: string; readonly types: readonly string[] } | undefined {
  const event = PULL_REQUESTS.find((name) => triggers.has(name))
  return event === undefined ? undefined : { event, types: triggers.get(event)?.types ?? [] }
}

function hearsOf(workflows: readonly Workflow[], type: string): boolean {
  return workflows.some((workflow) => pullRequests(workflow)?.types.includes(type))
}

function isScheduled({ own, others }: Workflows): boolean {
  return [own, ...others].some(({ triggers }) => triggers.has('schedule'))
}

/** What takes a preview away once its pull request closes, as far as the workflows tell. */
export function removalBy(workflows: Workflows | undefined): 'closing' | 'sweep' | 'nothing' | undefined {
  if (workflows === undefined) return undefined
  if (hearsOf([workflows.own, ...workflows.others], 'closed')) return 'closing'
  return isScheduled(workflows) ? 'sweep' : 'nothing'
}

function typesFix(event: string, types: readonly string[]): readonly string[] {
  return ['on:', `  ${event}:`, `    types: [${types.join(', ')}]`]
}

function checkClosing(workflows: Workflows): Finding {
  const heard = pullRequests(workflows.own)
  if (heard === undefined || removalBy(workflows) === 'closing') return undefined
  const until = isScheduled(workflows) ? 'until the next scheduled sweep' : 'for good, and is billed'
  const detail = `${workflows.own.path} does not run when a pull request closes, so that its preview stays ${until}`
  return warning('Closing', detail, typesFix(heard.event, [...heard.types, 'closed']))
}

function checkLabels(own: Workflow, { settings }: WorkflowFacts): Finding {
  const heard = pullRequests(own)
  if (settings.previewLabel === undefined || heard === undefined) return undefined
  const missing = ['labeled', 'unlabeled'].filter((type) => !heard.types.includes(type))
  if (missing.length === 0) return undefined
  return warning(
    'Label',
    `previews.label is “${settings.previewLabel}”, and ${own.path} does not run for ${missing.join(' and ')}: putting it on or off does nothing until the next push`,
    typesFix(heard.event, [...heard.types, ...missing]),
  )
}

/** Filters of branches are globs as filters of paths are: the last that matches counts, `!` takes out. */
function runsFor({ triggers }: Workflow, branch: string): boolean {
  const push = triggers.get('push')
  if (push === undefined) return false
  const { branches, branchesIgnore, tags } = push
  if (branches !== undefined) return matchesPaths(branches, [branch])
  return branchesIgnore === undefined ? tags === undefined : !matchesPaths(branchesIgnore, [branch])
}

/** Whoever leaves `push` out wants no production; a branch with an environment is named to be pushed to. */
function checkBranches({ own, others }: Workflows, facts: WorkflowFacts): readonly Finding[] {
  const { productionBranch, environmentBranches = [] } = facts
  const push = own.triggers.get('push')
  const finding = (name: string, branches: readonly string[], what: string): Finding => ({
    name,
    result: 'warning',
    detail: `${own.path} does not run for pushes to ${branches.at(-1)}, which ${what} by a push`,
    fix: ['on:', '  push:', `    branches: [${branches.join(', ')}]`],
    shows: false,
  })
  const listed = push?.branches ?? [productionBranch]
  const production = push !== undefined && !runsFor(own, productionBranch)
  return [
    ...(production
      ? [finding('Production branch', [productionBranch], 'is the production branch: production is never deployed')]
      : []),
    ...environmentBranches
      .filter((branch) => ![own, ...others].some((workflow) => runsFor(workflow, branch)))
      .map((branch) =>
        finding('Environment', [...listed, branch], 'has an environment in ink.yml: that is never deployed'),
      ),
  ]
}

/** What differs between pull requests. */
const OF_ONE_PULL_REQUEST =
  /github\.(?:head_ref|run_id|event\.(?:number|pull_request\.(?:number|id|head)|issue\.number|comment\.id))|inputs\./
const OF_ONE_BRANCH = /github\.(?:ref|ref_name|sha)\b/

function checkConcurrency(own: Workflow, job: Job | undefined): Finding {
  const concurrency = job?.concurrency ?? own.concurrency
  if (concurrency === undefined || pullRequests(own) === undefined) return undefined
  const { group, cancels } = concurrency
  if (OF_ONE_PULL_REQUEST.test(group)) return undefined
  const perBranch = OF_ONE_BRANCH.test(group)
  // The run of a merged pull request has the ref of its base branch, as the push has that the merge makes.
  if (perBranch && (cancels === 'false' || !own.triggers.has('push'))) return undefined
  return warning(
    'Concurrency',
    perBranch
      ? `the concurrency group “${group}” is the same for a merge and for the run that removes the preview: one of them cancels the other`
      : `the concurrency group “${group}” is shared by all pull requests: of those that wait only the newest runs, and the run that removes a preview may be dropped`,
    [
      'concurrency:',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
      '  group: ink-deploy-${{ github.workflow }}-${{ github.event.pull_request.number || github.ref }}',
    ],
  )
}

function checkPermissions(own: Workflow, job: Job | undefined, { settings, isPrivate }: WorkflowFacts): Finding {
  const grants = job?.grants ?? own.grants
  // Whoever calls a reusable workflow grants no more than it has; and where nothing is said, the repository's settings count.
  if (job === undefined || grants === undefined) return undefined
  // What is public may be read by every token.
  const read = isPrivate ? 'read' : undefined
  const wanted = [
    ['contents', read],
    ['pull-requests', settings.comment === 'none' ? read : 'write'],
    ['deployments', settings.deploymentRecord === 'false' ? undefined : 'write'],
  ] as const
  const missing = wanted.filter(([subject, level]) => level !== undefined && !allows(grants, subject, level))
  if (missing.length === 0) return undefined
  const before = typeof grants === 'object' ? Object.entries(grants) : []
  const kept = before.filter(([subject]) => !missing.some(([wantedSubject]) => wantedSubject === subject))
  const detail = `the job lacks ${missing.map(([subject, level]) => `${subject}: ${level}`).join(', ')}`
  const fix = ['permissions:', ...[...kept, ...missing].map(([subject, level]) => `  ${subject}: ${level}`)]
  return { ...warning('Permissions', detail, fix), shows: true }
}

function allows(grants: NonNullable<Grants>, subject: string, level: 'read' | 'write'): boolean {
  if (grants === 'write-all') return true
  const given = grants === 'read-all' ? 'read' : (grants[subject] ?? 'none')
  return given === 'write' || given === level
}

function checkSchedule(workflows: Workflows, { settings }: WorkflowFacts): Finding {
  if (isScheduled(workflows)) return undefined
  const wanting = [
    // A life of a day at most is ended by the platform itself, where it can.
    ...((settings.previewTtlMs ?? 0) > 24 * 3_600_000 ? ['previews.ttl'] : []),
    ...(settings.autoscale === undefined ? [] : ['size.autoscale']),
  ]
  if (wanting.length === 0) return undefined
  const detail = `${wanting.join(' and ')} ${wanting.length === 1 ? 'is' : 'are'} carried out by scheduled runs, and no workflow has a schedule`
  return warning('Schedule', detail, ['on:', '  schedule:', "    - cron: '17 3 * * *'"])
}

const SECRET = /^(['"]?)\$\{\{\s*secrets\.(\w+)\s*\}\}\1$/

/** A secret that is not there, or not for this run, is an empty text: nobody is told. */
function checkSecrets(own: Workflow, job: Job | undefined, facts: WorkflowFacts): readonly WorkflowFinding[] {
  const { settings, secretsWithheld } = facts
  if (secretsWithheld !== undefined || job === undefined) return []
  const given = job.steps.find((step) => isThisAction(step.uses, facts.action))?.with ?? {}
  const { shared, preview, production } = settings.environment
  const groups = { env: shared, 'preview-env': preview, 'production-env': production }
  const [, , key] = SECRET.exec(given['api-key']?.trim() ?? '') ?? []
  const variables = Object.entries(groups).flatMap(([input, values]) =>
    (given[input] ?? '').split('\n').flatMap((line) => {
      const [name = '', ...rest] = line.split('=')
      const [, , secret] = SECRET.exec(rest.join('=').trim()) ?? []
      const value = values.get(name.trim())
      return secret !== undefined && value?.reveal() === '' ? [{ what: `${name.trim()} in ${input}`, secret }] : []
    }),
  )
  return [
    ...(key !== undefined && settings.apiKey === undefined
      ? [{ ...emptySecret(own, 'api-key', key), result: 'problem' as const, shows: true }]
      : []),
    ...variables.map(({ what, secret }) => emptySecret(own, what, secret)),
  ]
}

function emptySecret({ path }: Workflow, what: string, secret: string): WorkflowFinding {
  const detail = `${what} is empty: ${path} takes it from the secret ${secret}, which is empty or not there for this repository or environment`
  return warning('Secret', detail, [`gh secret set ${secret}`])
}

/** Whether a step, or a job that calls a workflow, uses this action under the name it is published by, or from its own repository. */
export function isThisAction(uses: string, action: string | undefined): boolean {
  const [name = ''] = uses.split('@')
  return name.toLowerCase() === action?.toLowerCase() || /(?:^|\/)ink-deploy$/.test(name) || uses === './'
}
