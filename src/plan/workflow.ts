import { parse } from 'yaml'
import type { RunContext } from './context.ts'
import { matchesPaths } from './paths.ts'
import type { Settings } from './settings.ts'

/** A file of the repository. `path` is relative to its top. */
export interface WorkflowText {
  readonly path: string
  readonly text: string
}

/** A workflow as far as it decides what becomes of deployments. Expressions are left as they are written. */
export type Workflow = NonNullable<ReturnType<typeof parseWorkflow>>
type Job = ReturnType<typeof jobOf>

/** Reads a workflow file; undefined for what is none. Source: docs.github.com, "Workflow syntax for GitHub Actions". */
export function parseWorkflow({ path, text }: WorkflowText) {
  const { on, name, jobs, ...whole } = fieldsOf(parsed(text))
  const triggers = triggersOf(on)
  if (triggers.size === 0) return undefined
  return {
    path,
    name: textOf(name),
    triggers,
    ...limitsOf(whole),
    jobs: new Map(Object.entries(fieldsOf(jobs)).map(([id, job]) => [id, jobOf(fieldsOf(job))])),
  }
}

function parsed(text: string): unknown {
  try {
    return parse(text, { maxAliasCount: 100 })
  } catch {
    return undefined
  }
}

/** The activities that start a workflow for pull requests where it names none. */
const USUAL_TYPES = ['opened', 'synchronize', 'reopened']

/** When each event starts the workflow; undefined is no filter. */
function triggersOf(on: unknown) {
  const named = typeof on === 'string' ? [on] : Array.isArray(on) ? on.filter((one) => typeof one === 'string') : []
  const given = named.length > 0 ? named.map((name) => [name, {}] as const) : Object.entries(fieldsOf(on))
  return new Map(
    given.map(([name, value]) => {
      const fields = fieldsOf(value)
      const trigger = {
        types: textsOf(fields.types) ?? (PULL_REQUESTS.includes(name) ? USUAL_TYPES : undefined),
        branches: textsOf(fields.branches),
        branchesIgnore: textsOf(fields['branches-ignore']),
        tags: textsOf(fields.tags) ?? textsOf(fields['tags-ignore']),
      }
      return [name, trigger]
    }),
  )
}

function jobOf(job: Fields) {
  const inputsOf = (step: Fields) =>
    Object.entries(fieldsOf(step.with)).map(([name, value]) => [name.toLowerCase(), textOf(value) ?? ''])
  const steps = Array.isArray(job.steps) ? job.steps.map(fieldsOf) : []
  return {
    uses: textOf(job.uses),
    ...limitsOf(job),
    steps: steps.map((step) => ({
      uses: textOf(step.uses) ?? '',
      with: Object.fromEntries(inputsOf(step)) as Readonly<Record<string, string>>,
    })),
  }
}

/** What a workflow or a job says of its token and of running beside others; `cancels` may be an expression. */
function limitsOf({ permissions, concurrency }: Fields) {
  const fields = typeof concurrency === 'string' ? { group: concurrency } : fieldsOf(concurrency)
  const group = textOf(fields.group)
  const cancels = textOf(fields['cancel-in-progress']) ?? 'false'
  return { grants: grantsOf(permissions), concurrency: group === undefined ? undefined : { group, cancels } }
}

/** What a token may do, by subject, where one word does not say it. */
function grantsOf(value: unknown): Readonly<Record<string, string>> | 'read-all' | 'write-all' | undefined {
  if (value === 'read-all' || value === 'write-all') return value
  if (value === undefined || typeof value === 'string') return undefined
  return Object.fromEntries(Object.entries(fieldsOf(value)).map(([subject, level]) => [subject, textOf(level) ?? '']))
}

type Fields = Readonly<Record<string, unknown>>

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
}

function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined
}

function textsOf(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  return (Array.isArray(value) ? value : [value]).flatMap((one) => textOf(one) ?? [])
}

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

/** Whether a step uses this action under the name it is published by, or from its own repository. */
function isThisAction(uses: string, action: string | undefined): boolean {
  const [name = ''] = uses.split('@')
  return name.toLowerCase() === action?.toLowerCase() || /(?:^|\/)ink-deploy$/.test(name) || uses === './'
}

export interface WorkflowFacts {
  readonly settings: Pick<Settings, 'apiKey' | 'autoscale' | 'comment' | 'deploymentRecord'> &
    Pick<Settings, 'previewLabel' | 'previewTtlMs'> & {
      readonly environment: Pick<Settings['environment'], 'shared' | 'preview' | 'production'>
    }
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
export type WorkflowFinding = ReturnType<typeof finding>

/** @param shows whether a run that is concerned says so by itself, when it comes to that */
function finding(name: string, detail: string, fix: readonly string[], shows = false) {
  return { name, result: 'warning' as 'warning' | 'problem', detail, fix, shows }
}

/** What in the workflow, as it is written, will not do what is asked of it. Each finding names the lines to put in. */
export function checkWorkflow(workflows: Workflows, facts: WorkflowFacts): readonly WorkflowFinding[] {
  const { own } = workflows
  const job = own.jobs.get(facts.job)
  return [
    ...checkPullRequests(workflows, facts),
    ...checkBranches(workflows, facts),
    ...checkConcurrency(own, job),
    ...checkPermissions(own, job, facts),
    ...checkSchedule(workflows, facts),
    ...checkSecrets(own, job, facts),
  ]
}

const PULL_REQUESTS = ['pull_request', 'pull_request_target']

/** Under which name a workflow hears of pull requests, and of what about them. */
function pullRequests({ path, triggers }: Workflow) {
  const event = PULL_REQUESTS.find((name) => triggers.has(name))
  return event === undefined ? undefined : { path, event, types: triggers.get(event)?.types ?? [] }
}

const isScheduled = ({ own, others }: Workflows) => [own, ...others].some(({ triggers }) => triggers.has('schedule'))

/** What takes a preview away once its pull request closes, as far as the workflows tell. */
export function removalBy(workflows: Workflows | undefined): 'closing' | 'sweep' | 'nothing' | undefined {
  if (workflows === undefined) return undefined
  const all = [workflows.own, ...workflows.others]
  if (all.some((workflow) => pullRequests(workflow)?.types.includes('closed'))) return 'closing'
  return isScheduled(workflows) ? 'sweep' : 'nothing'
}

function* checkPullRequests(workflows: Workflows, { settings: { previewLabel } }: WorkflowFacts) {
  const heard = pullRequests(workflows.own)
  if (heard === undefined) return
  const { path, event, types } = heard
  const fix = (...missing: string[]) => ['on:', `  ${event}:`, `    types: [${[...types, ...missing].join(', ')}]`]
  if (removalBy(workflows) !== 'closing') {
    const until = isScheduled(workflows) ? 'until the next scheduled sweep' : 'for good, and is billed'
    const detail = `${path} does not run when a pull request closes, so that its preview stays ${until}`
    yield finding('Closing', detail, fix('closed'))
  }
  const missing = ['labeled', 'unlabeled'].filter((type) => !types.includes(type))
  if (previewLabel === undefined || missing.length === 0) return
  const detail = `previews.label is “${previewLabel}”, and ${path} does not run for ${missing.join(' and ')}: putting it on or off does nothing until the next push`
  yield finding('Label', detail, fix(...missing))
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
function* checkBranches({ own, others }: Workflows, { productionBranch, environmentBranches = [] }: WorkflowFacts) {
  const push = own.triggers.get('push')
  const missing = (name: string, branches: readonly string[], what: string) => {
    const detail = `${own.path} does not run for pushes to ${branches.at(-1)}, which ${what} is never deployed by a push`
    return finding(name, detail, ['on:', '  push:', `    branches: [${branches.join(', ')}]`])
  }
  if (push !== undefined && !runsFor(own, productionBranch))
    yield missing('Production branch', [productionBranch], 'is the production branch: production')
  for (const branch of environmentBranches.filter((one) => ![own, ...others].some((all) => runsFor(all, one)))) {
    const branches = [...(push?.branches ?? [productionBranch]), branch]
    yield missing('Environment', branches, 'has an environment in ink.yml: that')
  }
}

/** What differs between pull requests. */
const OF_ONE_PULL_REQUEST =
  /github\.(?:head_ref|run_id|event\.(?:number|pull_request\.(?:number|id|head)|issue\.number|comment\.id))|inputs\./
const OF_ONE_BRANCH = /github\.(?:ref|ref_name|sha)\b/

function* checkConcurrency(own: Workflow, job: Job | undefined) {
  const { group, cancels } = job?.concurrency ?? own.concurrency ?? {}
  if (group === undefined || pullRequests(own) === undefined || OF_ONE_PULL_REQUEST.test(group)) return
  const perBranch = OF_ONE_BRANCH.test(group)
  // The run of a merged pull request has the ref of its base branch, as the push has that the merge makes.
  if (perBranch && (cancels === 'false' || !own.triggers.has('push'))) return
  const why = perBranch
    ? 'the same for a merge and for the run that removes the preview: one of them cancels the other'
    : 'shared by all pull requests: of those that wait only the newest runs, and the run that removes a preview may be dropped'
  yield finding('Concurrency', `the concurrency group “${group}” is ${why}`, [
    'concurrency:',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
    '  group: ink-deploy-${{ github.workflow }}-${{ github.event.pull_request.number || github.ref }}',
  ])
}

function* checkPermissions(own: Workflow, job: Job | undefined, { settings, isPrivate }: WorkflowFacts) {
  const grants = job?.grants ?? own.grants
  // Whoever calls a reusable workflow grants no more than it has; and where nothing is said, the repository's settings count.
  if (job === undefined || grants === undefined || grants === 'write-all') return
  const given = grants === 'read-all' ? {} : grants
  // What is public may be read by every token.
  const read = isPrivate ? 'read' : undefined
  const wanted = {
    contents: read,
    'pull-requests': settings.comment === 'none' ? read : 'write',
    deployments: settings.deploymentRecord === 'false' ? undefined : 'write',
  }
  const missing = Object.entries(wanted).filter(([subject, level]) => {
    const has = grants === 'read-all' ? 'read' : given[subject]
    return level !== undefined && has !== 'write' && has !== level
  })
  if (missing.length === 0) return
  const line = ([subject, level]: readonly [string, unknown]) => `${subject}: ${level}`
  const kept = Object.entries(given).filter(([subject]) => !missing.some(([lacking]) => lacking === subject))
  const fix = ['permissions:', ...[...kept, ...missing].map((one) => `  ${line(one)}`)]
  yield finding('Permissions', `the job lacks ${missing.map(line).join(', ')}`, fix, true)
}

function* checkSchedule(workflows: Workflows, { settings: { previewTtlMs = 0, autoscale } }: WorkflowFacts) {
  // A life of a day at most is ended by the platform itself, where it can.
  const wanting = [previewTtlMs > 24 * 3_600_000 && 'previews.ttl', autoscale && 'size.autoscale'].filter(Boolean)
  if (wanting.length === 0 || isScheduled(workflows)) return
  const detail = `${wanting.join(' and ')} ${wanting.length === 1 ? 'is' : 'are'} carried out by scheduled runs, and no workflow has a schedule`
  yield finding('Schedule', detail, ['on:', '  schedule:', "    - cron: '17 3 * * *'"])
}

const SECRET = /^(['"]?)\$\{\{\s*secrets\.(\w+)\s*\}\}\1$/

/** A secret that is not there, or not for this run, is an empty text: nobody is told. */
function* checkSecrets({ path }: Workflow, job: Job | undefined, { settings, secretsWithheld, action }: WorkflowFacts) {
  if (secretsWithheld !== undefined) return
  const given = job?.steps.find((step) => isThisAction(step.uses, action))?.with ?? {}
  const empty = (what: string, value: string, shows = false) => {
    const [, , secret] = SECRET.exec(value.trim()) ?? []
    const detail = `${what} is empty: ${path} takes it from the secret ${secret}, which is empty or not there for this repository or environment`
    return secret === undefined ? [] : [finding('Secret', detail, [`gh secret set ${secret}`], shows)]
  }
  if (settings.apiKey === undefined)
    for (const found of empty('api-key', given['api-key'] ?? '', true)) yield { ...found, result: 'problem' as const }
  const { shared, preview, production } = settings.environment
  for (const [input, values] of Object.entries({ env: shared, 'preview-env': preview, 'production-env': production }))
    for (const line of (given[input] ?? '').split('\n')) {
      const [name = '', ...rest] = line.split('=')
      if (values.get(name.trim())?.reveal() === '') yield* empty(`${name.trim()} in ${input}`, rest.join('='))
    }
}
