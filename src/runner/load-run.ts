import { readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as v from 'valibot'
import { DeployError } from '../core/errors.ts'
import { didYouMean } from '../core/format.ts'
import type { JobEnvironment } from '../core/http.ts'
import { Secret } from '../core/secret.ts'
import { locateInWorkspace } from '../core/workspace-file.ts'
import type { Repository, RunContext } from '../plan/context.ts'
import { branchOf, readEvent } from '../plan/event.ts'
import { refusedProblems } from '../plan/file/placement.ts'
import { secretsWithheld } from '../plan/guards.ts'
import type { RefusedPlan } from '../plan/intent.ts'
import { settingTable } from '../plan/setting-table.ts'
import {
  findMovedInputs,
  type InputName,
  inputNames,
  isInput,
  isMovedInput,
  parseSettings,
  type RawInputs,
  type SettingsSources,
} from '../plan/settings.ts'
import type { WorkflowText } from '../plan/workflow.ts'
import { type Masks, openLog, openMasks, openOutputs } from './output.ts'

/** A run as the runner started it, read and checked. */
export type LoadedRun = Awaited<ReturnType<typeof loadRun>>

/**
 * Reads everything that the runner hands over, and masks what is secret before anything is printed. What is wrong with the
 * inputs is its `problem`, all at once; its `settings` then have what is usual in their place.
 */
export async function loadRun(environment: JobEnvironment) {
  const masks = openMasks()
  const raw = readInputs(environment)
  masks.add(raw['api-key'])
  masks.add(raw['github-token'])
  const payload = readPayload(environment.GITHUB_EVENT_PATH)
  const context = readContext(environment, payload)
  const event = readEvent(context.eventName, payload, context)
  const { warnings, ...log } = openRunLog(masks)
  const given = givenInputs(environment)
  const remarks = undeclaredInputs(given)
  for (const remark of remarks) log.warning(remark)
  const sources = {
    kindOf: (path: string) => kindIn(context.workspace, path),
    secretsWithheld: secretsWithheld(context, event) !== undefined,
  }
  const settingsWith = (file?: Pick<SettingsSources, 'written' | 'variables'>) =>
    parseSettings(raw, { ...sources, ...file })
  const parsed = parseSettings(raw, { ...sources, incomplete: true })
  const moved = findMovedInputs(given, raw.config || settingTable.config.fallback)
  let problem: RefusedPlan | undefined
  if (!parsed.ok || moved.problems.length > 0) {
    // What does not go together is said as well, so that all of it can be put right in one go.
    const all = settingsWith()
    problem = await refusedInputs([...(all.ok ? [] : all.problems), ...moved.problems], moved.settings)
  }
  const { environment: variables, service, project, workspace } = parsed.settings
  for (const group of [variables.shared, variables.preview, variables.production]) masks.addVariables(group)
  const { owner, name, fullName, serverUrl } = context.repository
  const deleted = event.kind === 'delete' ? event.ref : undefined
  masks.spare([owner, name, fullName, `${serverUrl}/${fullName}`, service, project, workspace, deleted])
  return {
    environment,
    context,
    event,
    settings: parsed.settings,
    settingsWith,
    log,
    output: outputsOf(masks, log.warning),
    mask: masks.add,
    maskVariables: (values: Readonly<Record<string, string>>) =>
      masks.addVariables(new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]))),
    secrets: () => masks.values,
    redact: masks.redact,
    remarks,
    problem,
    warnings,
  }
}

/** What the post step needs of a run, whose settings were read and checked by the step itself. */
export function loadRemains(environment: JobEnvironment) {
  const masks = openMasks()
  const raw = readInputs(environment)
  const secret = (name: InputName): Secret | undefined => {
    masks.add(raw[name])
    return raw[name] === '' ? undefined : new Secret(raw[name])
  }
  const context = readContext(environment, readPayload(environment.GITHUB_EVENT_PATH))
  return { context, token: secret('github-token'), apiKey: secret('api-key'), log: openLog() }
}

// Scheduled runs have come with and without a repository in their payload.
const repositoryPayload = v.object({
  repository: v.nullish(v.object({ default_branch: v.nullish(v.string()), private: v.nullish(v.boolean()) })),
})

/**
 * Who runs where, from the variables that the runner sets (docs.github.com, "Variables reference") and the payload.
 * @throws DeployError when a variable is missing without which nothing can be done
 */
export function readContext(environment: JobEnvironment, payload: unknown): RunContext {
  const needed = (name: string): string => {
    const value = environment[name]
    if (value) return value
    throw new DeployError(`The variable ${name} is not set`, {
      hint: 'This program is an action: it is started by the GitHub Actions runner, which sets it.',
    })
  }
  const repository = readRepository(environment, needed('GITHUB_REPOSITORY'), payload)
  const runId = Number(needed('GITHUB_RUN_ID'))
  const runAttempt = Number(environment.GITHUB_RUN_ATTEMPT ?? '1')
  const runPage = `${repository.serverUrl}/${repository.fullName}/actions/runs/${runId}`
  return {
    repository,
    actor: environment.GITHUB_ACTOR ?? '',
    runId,
    runAttempt,
    runUrl: runAttempt > 1 ? `${runPage}/attempts/${runAttempt}` : runPage,
    workflow: environment.GITHUB_WORKFLOW ?? '',
    workflowPath: workflowPath(environment),
    workflowSha: environment.GITHUB_WORKFLOW_SHA || undefined,
    action: environment.GITHUB_ACTION_REPOSITORY || undefined,
    job: environment.GITHUB_JOB ?? '',
    runnerName: environment.RUNNER_NAME ?? '',
    sha: needed('GITHUB_SHA'),
    ref: environment.GITHUB_REF ?? '',
    eventName: needed('GITHUB_EVENT_NAME'),
    workspace: needed('GITHUB_WORKSPACE'),
    tempDir: environment.RUNNER_TEMP || tmpdir(),
  }
}

/** `owner/name/.github/workflows/deploy.yml@refs/heads/main` without what is around the path; a Gitea tells nothing. */
function workflowPath({ GITHUB_WORKFLOW_REF: ref = '', GITHUB_REPOSITORY: repository = '' }: JobEnvironment) {
  const [file = ''] = ref.split('@')
  return file.toLowerCase().startsWith(`${repository.toLowerCase()}/`) ? file.slice(repository.length + 1) : undefined
}

function readRepository(environment: JobEnvironment, fullName: string, payload: unknown): Repository {
  const [owner = '', name = ''] = fullName.split('/')
  const parsed = v.safeParse(repositoryPayload, payload)
  const described = parsed.success ? parsed.output.repository : undefined
  const serverUrl = withoutSlash(environment.GITHUB_SERVER_URL || 'https://github.com')
  return {
    owner,
    name,
    id: environment.GITHUB_REPOSITORY_ID || undefined,
    fullName,
    // What has no payload of its own, such as a schedule, runs on the default branch.
    defaultBranch: described?.default_branch ?? branchOf(environment.GITHUB_REF ?? '') ?? 'main',
    private: described?.private ?? true,
    serverUrl,
    apiUrl: withoutSlash(environment.GITHUB_API_URL || 'https://api.github.com'),
  }
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/**
 * Reads the file that the runner names in `GITHUB_EVENT_PATH`.
 * @throws DeployError when it is missing or no JSON
 */
export function readPayload(path: string | undefined): unknown {
  if (!path) return {}
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new DeployError('The description of the event could not be read', {
      cause,
      hint: 'The runner writes it to the file named by GITHUB_EVENT_PATH. No step may change that variable or file.',
    })
  }
}

async function refusedInputs(
  problems: readonly string[],
  moved: ReturnType<typeof findMovedInputs>['settings'],
): Promise<RefusedPlan> {
  const refused = refusedProblems(problems)
  if (Object.keys(moved).length === 0) return refused
  const { fileTextOf } = await import('../plan/file/ink-file.ts')
  return {
    ...refused,
    hint: `${refused.hint}\nLines for the file, beside what it has already:\n\n${fileTextOf(moved)}`,
  }
}

/** What the run puts out as its name and address is not secret from then on; a reason may hold words of an app. */
function outputsOf(masks: Masks, warning: (text: string) => void): ReturnType<typeof openOutputs> {
  const output = openOutputs(masks, warning)
  return (name, value) => {
    if (name === 'url' || name === 'service') masks.spare([String(value)])
    output(name, name === 'skipped-reason' ? masks.redact(value) : value)
  }
}

/** Boxes in the run's page are read by more people than its log is, and warnings come back in the summary. */
function openRunLog({ redact }: Masks) {
  const plain = openLog()
  const warnings: string[] = []
  const warning = (text: string) => {
    warnings.push(redact(text))
    plain.warning(redact(text))
  }
  return {
    ...plain,
    notice: (text: string) => plain.notice(redact(text)),
    warning,
    warnings: warnings as readonly string[],
  }
}

/** Says what the workflow gives under names that no input has: the runner's own line about it is easily missed. */
export function undeclaredInputs(given: Readonly<Record<string, string>>): string[] {
  return Object.keys(given)
    .filter((name) => name !== '' && !isInput(name) && !isMovedInput(name))
    .map((name) => {
      const advice = didYouMean(name, inputNames) || '.'
      return `There is no input ${JSON.stringify(name)}, so that it does nothing${advice}`
    })
}

/** Every input of the step, declared or not, that is not empty. */
export function givenInputs(environment: JobEnvironment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).flatMap(([name, value]) =>
      name.startsWith('INPUT_') && value?.trim() ? [[name.slice('INPUT_'.length).toLowerCase(), value.trim()]] : [],
    ),
  )
}

/**
 * Reads every input once. The runner hands input `api-key` over as `INPUT_API-KEY`; hyphens stay, so no shell can have
 * set it by accident. The key may come from the job's environment instead, as `INK_API_KEY`.
 */
export function readInputs(environment: JobEnvironment): RawInputs {
  const read = (name: InputName): string => environment[`INPUT_${name.toUpperCase()}`]?.trim() ?? ''
  const raw = Object.fromEntries(inputNames.map((name) => [name, read(name)])) as Record<InputName, string>
  return { ...raw, 'api-key': raw['api-key'] || environment.INK_API_KEY?.trim() || '' }
}

function kindIn(workspace: string, path: string): 'folder' | 'file' | undefined {
  const { kind } = locateInWorkspace(workspace, path)
  if (kind === 'directory') return 'folder'
  return kind === 'file' ? 'file' : undefined
}

/** Where forges look for workflows. */
const workflowFolders = ['.github/workflows', '.gitea/workflows', '.forgejo/workflows']
const mostWorkflows = 100
const longestWorkflowBytes = 1_000_000

/** The workflow files of the checkout; none where nothing is checked out. */
export function readWorkflowFiles(workspace: string): readonly WorkflowText[] {
  return workflowFolders.flatMap((folder) => {
    const located = locateInWorkspace(workspace, folder)
    if (located.kind !== 'directory') return []
    const names = readdirSync(located.path).filter((name) => /\.ya?ml$/.test(name))
    const paths = names.sort().map((name) => `${folder}/${name}`)
    return paths.slice(0, mostWorkflows).flatMap((path) => {
      const file = locateInWorkspace(workspace, path)
      const isRead = file.kind === 'file' && file.bytes <= longestWorkflowBytes
      return isRead ? [{ path, text: readFileSync(file.path, 'utf8') }] : []
    })
  })
}
