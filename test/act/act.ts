import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parse, stringify } from 'yaml'
import type { Repository, Sandbox, WebhookEvent } from '../../sandbox/index.ts'
import { jobContext } from '../../sandbox/runner/job-context.ts'
import { goProgram } from '../support/go.ts'
import { node24 } from '../support/node-24.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ACT = { module: 'github.com/nektos/act', version: 'v0.2.89', name: 'act' }
const PERMISSIONS = { contents: 'read', 'pull-requests': 'write', deployments: 'write', issues: 'write' } as const

export interface WorkflowRun {
  readonly sandbox: Sandbox
  readonly repository: Repository
  readonly event: WebhookEvent
  /** The workflow's text, used as it is. */
  readonly workflow: string
  /** Further files of the repository that workflows call by path, such as `.github/workflows/called.yml`. */
  readonly files?: Readonly<Record<string, string>>
  readonly secrets?: Readonly<Record<string, string>>
  /** Further actions by `owner/name@ref`, each a folder. */
  readonly actions?: Readonly<Record<string, string>>
  readonly timeoutMs?: number
}

export interface WorkflowResult {
  readonly succeeded: boolean
  /** Everything that was logged, with commands of the runner obeyed. */
  readonly log: string
  /** Conclusion by job, `success` or `failure`; a job whose `if` did not hold is absent. */
  readonly jobs: Readonly<Record<string, string>>
  /** Conclusion by step: `success`, `failure` or `skipped`. */
  readonly steps: Readonly<Record<string, string>>
  /** What the steps set as outputs, by name; of equal names the last. */
  readonly outputs: Readonly<Record<string, string>>
}

/** A line of act's log. Source: nektos/act, `pkg/runner/logger.go` and `command.go`. */
interface Entry {
  readonly msg?: string
  readonly job?: string
  readonly jobID?: string
  readonly step?: string
  readonly stepResult?: string
  readonly jobResult?: string
  readonly command?: string
  readonly name?: string
  readonly arg?: string
  readonly raw_output?: boolean
}

/** Runs a workflow with nektos/act on this machine: a runner, and an evaluator of expressions, that nobody here wrote. */
export async function runWorkflow(options: WorkflowRun): Promise<WorkflowResult> {
  const { sandbox, repository, event, workflow, files = {} } = options
  const { github, ink } = sandbox
  const context = await jobContext(repository, event)
  const token = github.token({ repository, permissions: PERMISSIONS })
  return runAct({
    eventName: event.name,
    payload: event.payload,
    workflow,
    files,
    actor: context.actor,
    secrets: { INK_API_KEY: ink.apiKey, GITHUB_TOKEN: token, ...options.secrets },
    endpoint: ink.endpoint,
    actions: options.actions ?? {},
    timeoutMs: options.timeoutMs ?? 240_000,
    environment: {
      GITHUB_API_URL: github.apiUrl,
      GITHUB_SERVER_URL: github.serverUrl,
      GITHUB_REF: context.ref,
      GITHUB_REPOSITORY: repository.fullName,
      GITHUB_REPOSITORY_ID: String(repository.id),
      GITHUB_REPOSITORY_OWNER: repository.owner.login,
      GITHUB_RUN_ID: String(9_500_000_000 + github.journal.length),
      SHA_REF: context.sha,
    },
  })
}

export interface ActRun {
  readonly eventName: string
  readonly payload: unknown
  readonly workflow: string
  readonly files: Readonly<Record<string, string>>
  readonly actor: string
  readonly secrets: Readonly<Record<string, string>>
  /** Where the action finds ml.ink unless the workflow says otherwise. */
  readonly endpoint: string
  readonly actions: Readonly<Record<string, string>>
  readonly timeoutMs: number
  /** `GITHUB_*` that act would otherwise work out itself. */
  readonly environment: Readonly<Record<string, string>>
  /** Cancels the run as a runner does: its steps are ended, and what they have to do afterwards is still done. */
  readonly signal?: AbortSignal
  /** Every line as it comes. */
  readonly onLine?: (line: string) => void
}

/** The same for whoever knows all that act has to be told. */
export async function runAct(options: ActRun): Promise<WorkflowResult> {
  const { executable } = await goProgram(ACT)
  const folder = await mkdtemp(join(tmpdir(), 'act-run-'))
  try {
    const { args, env } = await prepare(options, folder)
    return await run(executable, args, env, join(folder, 'work'), options)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function prepare(options: ActRun, folder: string) {
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await write('work/.github/workflows/workflow.yml', options.workflow)
  for (const [path, text] of Object.entries(options.files)) await write(`work/${path}`, text)
  await write('event.json', JSON.stringify(options.payload))
  const secrets = Object.entries(options.secrets).map(([name, value]) => `${name}=${value}\n`)
  await write('secrets', secrets.join(''))
  const stage = join(folder, 'ink-deploy')
  await stageAction(stage, options.endpoint)
  await stageCheckout(join(folder, 'checkout'))
  const actions = {
    'OWNER/ink-deploy@v1': stage,
    ...Object.fromEntries(checkoutsIn(options).map((name) => [name, join(folder, 'checkout')])),
    ...options.actions,
  }
  const nothing = join(folder, 'nothing')
  // A Gitea's address ends with a slash, to which act adds one of its own.
  const { GITHUB_SERVER_URL: server = '' } = options.environment
  const origin = server.endsWith('/') ? `${server}/` : ''
  const args = [
    options.eventName,
    ...['-C', join(folder, 'work'), '-W', join(folder, 'work/.github/workflows/workflow.yml')],
    ...['-e', join(folder, 'event.json'), '--secret-file', join(folder, 'secrets')],
    ...['-P', 'ubuntu-latest=-self-hosted', '--actor', options.actor, '--action-cache-path', join(folder, 'cache')],
    ...['--no-cache-server', '--no-skip-checkout', '--pull=false', '--json'],
    // By default act reads files of these kinds where it stands.
    ...['--env-file', nothing, '--var-file', nothing, '--input-file', nothing],
    ...Object.entries(actions).flatMap(([name, path]) => ['--local-repository', `${origin}${name}=${path}`]),
    ...Object.entries(options.environment).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
  ]
  const path = [dirname(await node24()), process.env.PATH ?? ''].join(':')
  await mkdir(join(folder, 'home'))
  return { args, env: { PATH: path, HOME: join(folder, 'home'), GIT_CONFIG_NOSYSTEM: '1' } }
}

/** The action as a release has it, but for the platform it speaks to: that is the sandbox unless the workflow says otherwise. */
export async function stageAction(stage: string, endpoint: string): Promise<void> {
  await cp(join(root, 'dist'), join(stage, 'dist'), { recursive: true })
  const action = parse(await readFile(join(root, 'action.yml'), 'utf8')) as {
    inputs: Record<string, { default?: string }>
  }
  const { endpoint: input } = action.inputs
  if (input) input.default = endpoint
  await writeFile(join(stage, 'action.yml'), stringify(action))
}

/** actions/checkout cannot be had here; the sandbox's own way of doing the same stands in for it. */
export async function stageCheckout(stage: string): Promise<void> {
  await mkdir(stage, { recursive: true })
  const inputs = {
    'fetch-depth': { default: '1' },
    ref: {},
    'persist-credentials': { default: 'true' },
    token: { default: `\${{ github.token }}` },
  }
  const action = { name: 'Checkout', description: 'Stand-in', inputs, runs: { using: 'node24', main: 'main.mjs' } }
  await writeFile(join(stage, 'action.yml'), stringify(action))
  const module = pathToFileURL(join(root, 'sandbox/runner/checkout.ts')).href
  await writeFile(
    join(stage, 'main.mjs'),
    `import { checkOut } from ${JSON.stringify(module)}
const env = process.env
await checkOut(
  {
    workspace: env.GITHUB_WORKSPACE,
    temp: env.RUNNER_TEMP,
    home: env.HOME,
    serverUrl: env.GITHUB_SERVER_URL.replace(/\\/$/, ''),
    fullName: env.GITHUB_REPOSITORY,
    token: env.INPUT_TOKEN,
    sha: env.GITHUB_SHA,
    ref: env.GITHUB_REF,
  },
  {
    depth: Number(env['INPUT_FETCH-DEPTH']),
    persistCredentials: env['INPUT_PERSIST-CREDENTIALS'] === 'true',
    ...(env.INPUT_REF ? { ref: env.INPUT_REF } : {}),
  },
)
console.log('Checked out ' + env.GITHUB_SHA)
`,
  )
}

/** `actions/checkout` in all the ways in which a workflow, or what it calls, names it. */
function checkoutsIn({ workflow, files }: ActRun): string[] {
  const text = [workflow, ...Object.values(files)].join('\n')
  return [...new Set([...text.matchAll(/\bactions\/checkout@[\w.]+/g)].map(([name]) => name))]
}

async function run(
  executable: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  workingDirectory: string,
  options: Pick<ActRun, 'timeoutMs' | 'onLine' | 'signal'>,
): Promise<WorkflowResult> {
  const child = spawn(executable, args, {
    cwd: workingDirectory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const end = () => child.pid !== undefined && killGroup(child.pid)
  const timer = setTimeout(end, options.timeoutMs)
  options.signal?.addEventListener('abort', () => child.kill('SIGINT'))
  const log: string[] = []
  const result = {
    jobs: {} as Record<string, string>,
    steps: {} as Record<string, string>,
    outputs: {} as Record<string, string>,
  }
  const take = (line: string) => {
    const entry = asEntry(line)
    log.push(entry.msg ?? line)
    options.onLine?.((entry.msg ?? line).trimEnd())
    const { jobResult, stepResult, command, name, arg } = entry
    if (jobResult !== undefined && entry.job !== undefined) result.jobs[entry.job] = jobResult
    if (stepResult !== undefined && entry.step !== undefined) result.steps[entry.step] = stepResult
    if (command === 'set-output' && name !== undefined) result.outputs[name] = arg ?? ''
  }
  createInterface({ input: child.stdout }).on('line', take)
  createInterface({ input: child.stderr }).on('line', take)
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  clearTimeout(timer)
  end()
  return { succeeded: exitCode === 0, log: log.join('\n'), ...result }
}

function asEntry(line: string): Entry {
  try {
    return JSON.parse(line) as Entry
  } catch {
    // act's own complaints are plain text.
    return {}
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
