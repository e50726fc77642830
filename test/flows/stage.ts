import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type AccessLevel,
  type EventKind,
  type EventOptions,
  type GitHub,
  type GitHubOptions,
  type Repository,
  startGitHub,
  type WebhookEvent,
} from '../../sandbox/github/github.ts'
import { type InkOptions, type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { jobContext } from '../../sandbox/runner/job-context.ts'
import { buildDeps } from '../../src/adapters.ts'
import { type Clock, systemClock } from '../../src/core/async.ts'
import type { Annotation } from '../../src/core/errors.ts'
import { Secret } from '../../src/core/secret.ts'
import type { Deps, OpenDeployment, Outcome } from '../../src/flows/run.ts'
import { publish, runAction } from '../../src/flows/run-action.ts'
import { readEvent } from '../../src/plan/event.ts'
import { fileTextOf } from '../../src/plan/file/ink-file.ts'
import { secretsWithheld } from '../../src/plan/guards.ts'
import { settingTable } from '../../src/plan/setting-table.ts'
import { inputNames, isFileOnly, parseSettings, type SettingsSources } from '../../src/plan/settings.ts'
import type { CardRow } from '../../src/report/model.ts'
import { decodeState } from '../../src/report/state.ts'
import { readContext, readInputs } from '../../src/runner/load-run.ts'
import { openMasks } from '../../src/runner/output.ts'
import { type Given, inputDefaults } from '../plan/plan-inputs.ts'

/** Settings by name. Those that stand in a file alone are in the `ink.yml` of whatever commit the run is about. */
export type Inputs = Given

/** What a workflow grants its job, as the README recommends. */
export const USUAL = { contents: 'read', 'pull-requests': 'write', deployments: 'write', issues: 'write' } as const

// Long enough that the platform passes through all of its states, short enough for a suite of many scenarios.
const QUICK = {
  queueMs: 10,
  rolloutMs: 10,
  deletionMs: 60,
  windDownMs: 30,
  edgeDelayMs: 20,
  healthGateMs: 3000,
  unhealthyMs: 100,
}
const WORKFLOW = '.github/workflows/deploy.yml'
const PAUSES_SHORTENED_BY = 12

/** How one run differs from the usual one. */
export interface How {
  readonly inputs?: Inputs
  readonly permissions?: Readonly<Record<string, AccessLevel>>
  readonly runAttempt?: number
  readonly actor?: string
  readonly signal?: AbortSignal
  /** Called for every line of the log, so that a test can do something at a certain moment. */
  readonly onLine?: (line: string) => void
  /** The text of the workflow that runs it. */
  readonly workflow?: string
  /** Puts into the workspace what earlier steps leave there. */
  readonly prepare?: (workspace: string) => Promise<void>
  /** Ports that are to behave otherwise. */
  readonly change?: (deps: Deps) => Deps
}

/** Everything one run left behind, except what it did to the platform and to GitHub. */
export interface Act {
  /** Undefined when it threw, as a cancelled run does. */
  readonly outcome: Outcome | undefined
  readonly thrown: unknown
  readonly red: boolean
  /** The status, and for a red run why: for expectations that explain themselves. */
  readonly told: string
  readonly outputs: Readonly<Record<string, string>>
  readonly log: readonly string[]
  readonly warnings: readonly string[]
  readonly notices: readonly string[]
  readonly summary: string
  readonly annotations: readonly Annotation[]
  readonly secrets: readonly string[]
  /** What the post step would find: all of it, and the first. */
  readonly open: readonly OpenDeployment[]
  readonly remembered: OpenDeployment | undefined
  /** Calls to GitHub's API, as `operation`. */
  readonly githubCalls: readonly string[]
}

/** A repository of its own on the stage. */
export interface Scene {
  readonly repository: Repository
  /** Name of its production service. */
  readonly production: string
  /** The commit on `main`. */
  readonly first: string
  preview(number: number): string
  act(kind: EventKind, options?: EventOptions, how?: How): Promise<Act>
  play(event: WebhookEvent, how?: How): Promise<Act>
  /** Commits a page with this text to a branch. */
  write(text: string, branch?: string): Promise<string>
  /** Opens a pull request whose page has this text. */
  open(text: string, labels?: readonly string[]): Promise<{ readonly number: number; readonly sha: string }>
  /** Pushes a page with this text to a pull request; returns commit and the one before. */
  push(number: number, text: string): Promise<{ readonly sha: string; readonly before: string }>
  /** Rows of the one card of a pull request. */
  rows(number: number): readonly CardRow[]
  /** What the service's address answers. */
  page(serviceName: string): Promise<string>
  /** Names of this repository's branches on the platform. */
  branches(): Promise<string[]>
  /** Deployment records whose last status says that they are active. */
  activeRecords(): string[]
}

/** ml.ink and GitHub in this process, and runs of the action that need no process of their own. */
export interface Stage extends AsyncDisposable {
  readonly ink: InkPlatform
  readonly github: GitHub
  scene(name?: string): Promise<Scene>
}

/** Opens a stage. Its scenes share platform and GitHub, and have nothing else in common. */
export async function openStage(options: InkOptions = {}, forge?: GitHubOptions): Promise<Stage> {
  const ink = await startInkPlatform({ ...options, timing: { ...QUICK, ...options.timing } })
  const github = await startGitHub(forge)
  const folder = await mkdtemp(join(tmpdir(), 'flows-'))
  const machine = { PATH: process.env.PATH, HOME: folder }
  let scenes = 0
  return {
    ink,
    github,
    scene: async (name = `shop${++scenes}`) => openScene({ ink, github, folder, machine }, name),
    [Symbol.asyncDispose]: async () => {
      await Promise.all([ink.stop(), github.stop()])
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface World {
  readonly ink: InkPlatform
  readonly github: GitHub
  readonly folder: string
  /** The variables of the machine that all runs are on: what is asked of it is asked once. */
  readonly machine: { readonly PATH: string | undefined; readonly HOME: string }
}

async function openScene(world: World, name: string): Promise<Scene> {
  const { ink, github } = world
  const repository = await github.createRepository({ owner: 'acme', name })
  const write = (text: string, branch = 'main') =>
    repository.commit({ branch, files: { 'index.html': text }, message: `Say ${text}` })
  const first = await write('first')
  const play = (event: WebhookEvent, how: How = {}) => run(world, repository, event, how)
  return {
    repository,
    production: `acme-${name}`,
    first,
    preview: (number) => `acme-${name}-pr-${number}`,
    act: async (kind, options, how) => play(await repository.event(kind, options), how),
    play,
    write,
    async open(text, labels = []) {
      const branch = `change-${repository.pulls.size + 1}`
      const sha = await repository.commit({ branch, parent: first, files: { 'index.html': text }, message: text })
      const { number } = await repository.openPullRequest({ head: branch, title: text })
      for (const label of labels) repository.label(number, label)
      return { number, sha }
    },
    async push(number, text) {
      const before = repository.pull(number).headSha
      return { sha: await write(text, repository.pull(number).headRef), before }
    },
    rows(number) {
      const cards = repository.comments(number).filter(({ body }) => body.includes('ink-deploy:card'))
      if (cards.length > 1) throw new Error(`Pull request ${number} has ${cards.length} cards.`)
      return decodeState(cards[0]?.body ?? '') ?? []
    },
    async page(serviceName) {
      const url = ink.service(serviceName)?.url
      return url === undefined ? 'no address' : (await fetch(url)).text()
    },
    branches: async () => Object.keys(await ink.branches(name)).sort(),
    activeRecords: () =>
      repository
        .deployments()
        .filter(({ statuses }) => ['success', 'queued', 'in_progress', undefined].includes(statuses.at(-1)?.state))
        .map(({ task }) => task),
  }
}

async function run(world: World, repository: Repository, event: WebhookEvent, how: How): Promise<Act> {
  const { ink, github, folder, machine } = world
  const inputs: Inputs = {
    'api-key': ink.apiKey,
    'github-token': github.token({ repository, permissions: how.permissions ?? USUAL }),
    endpoint: ink.endpoint,
    'build-pack': 'static',
    timeout: '60s',
    ...how.inputs,
  }
  const startedAt = new Date().toISOString()
  const environment = await environmentOf(world, repository, event, how, inputs)
  const workspace = await mkdtemp(join(folder, 'workspace-'))
  await how.prepare?.(workspace)
  const context = readContext({ ...environment, GITHUB_WORKSPACE: workspace }, event.payload)
  const read = readEvent(event.name, event.payload, context)
  const sources = { secretsWithheld: secretsWithheld(context, read) !== undefined }
  // Nobody waits for minutes here, whatever the file of a test says of other things.
  const impatient: NonNullable<SettingsSources['written']> = (name) =>
    name === 'health-timeout' ? { text: '6s', label: name } : undefined
  const settingsWith: Deps['settingsWith'] = (file) =>
    parseSettings(readInputs(environment), {
      ...sources,
      ...file,
      written: (name) => file?.written?.(name) ?? impatient(name),
    })
  const parsed = parseSettings(readInputs(environment), { ...sources, incomplete: true })
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  const { settings } = parsed
  const masks = openMasks(() => undefined)
  for (const secret of [settings.apiKey, settings.githubToken]) masks.add(secret?.reveal() ?? '')
  for (const group of [settings.environment.shared, settings.environment.preview, settings.environment.production])
    masks.addVariables(group)

  const log: string[] = []
  const warnings: string[] = []
  const notices: string[] = []
  const outputs: Record<string, string> = {}
  let summary = ''
  const annotations: Annotation[] = []
  let open: readonly OpenDeployment[] = []
  const say = (line: string) => {
    log.push(line)
    how.onLine?.(line)
  }
  const signal = how.signal ?? new AbortController().signal
  const built = buildDeps({
    context,
    event: read,
    settings,
    settingsWith,
    environment: machine,
    log: {
      startGroup: say,
      endGroup: () => undefined,
      info: say,
      debug: () => undefined,
      untrusted: say,
      notice: (text) => void notices.push(text),
      warning: (text) => void warnings.push(text),
    },
    output: (name, value) => {
      outputs[name] = String(value)
    },
    mask: masks.add,
    maskVariables: (values) =>
      masks.addVariables(new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]))),
    secrets: () => masks.values,
    redact: masks.redact,
    workflowFiles: () => (how.workflow === undefined ? [] : [{ path: WORKFLOW, text: how.workflow }]),
    remember: (left) => {
      open = left
    },
    startedAt,
    warnings,
    signal,
  })
  const hasty = withInkFile({ ...built, clock: hastyClock }, inputs)
  const deps = how.change?.(hasty) ?? hasty
  const callsBefore = github.journal.length
  let outcome: Outcome | undefined
  let thrown: unknown
  try {
    outcome = await runAction(deps)
    await publish(outcome, deps, {
      annotate: (attached) => void annotations.push(...attached),
      writeSummary: (markdown) => {
        summary = markdown
      },
    })
  } catch (error) {
    thrown = error
  }
  return {
    outcome,
    thrown,
    red: thrown !== undefined || outcome?.failure !== undefined,
    told: [outputs.status ?? 'no status', outcome?.failure?.message, thrown && String(thrown)]
      .filter(Boolean)
      .join(': '),
    outputs,
    log,
    warnings,
    notices,
    summary,
    annotations,
    secrets: masks.values,
    open,
    remembered: open[0],
    githubCalls: github.journal.slice(callsBefore).flatMap(({ operation }) => (operation === 'git' ? [] : [operation])),
  }
}

/** Every commit that has no `ink.yml` of its own has one that says these settings. */
function withInkFile(deps: Deps, inputs: Inputs): Deps {
  const text = fileTextOf(
    Object.fromEntries(Object.entries(inputs).filter(([name, value]) => isFileOnly(name) && value)),
  )
  const { files } = deps.github
  const read: typeof files.read = async (path, sha) => {
    const found = await files.read(path, sha)
    return found === 'absent' && path === settingTable.config.fallback ? text : found
  }
  return { ...deps, github: { ...deps.github, files: { ...files, read } } }
}

/** Real time with short pauses: what is waited for comes sooner than in production. Limits stay, as machines may be slow. */
const hastyClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal, isLimit) => systemClock.sleep(isLimit ? ms : ms / PAUSES_SHORTENED_BY, signal),
}

let runs = 9_000_000_000

async function environmentOf(
  { github, folder }: World,
  repository: Repository,
  event: WebhookEvent,
  how: How,
  inputs: Inputs,
): Promise<Record<string, string>> {
  const { sha, ref, actor } = await jobContext(repository, event, { actor: how.actor, profile: github.profile })
  const given = inputNames.map((name) => [`INPUT_${name.toUpperCase()}`, inputs[name] ?? inputDefaults[name]])
  return {
    GITHUB_REPOSITORY: repository.fullName,
    GITHUB_RUN_ID: String(++runs),
    GITHUB_RUN_ATTEMPT: String(how.runAttempt ?? 1),
    GITHUB_ACTOR: actor,
    GITHUB_SHA: sha,
    GITHUB_REF: ref,
    GITHUB_EVENT_NAME: event.name,
    GITHUB_JOB: 'deploy',
    GITHUB_WORKFLOW_REF: `${repository.fullName}/${WORKFLOW}@${ref}`,
    GITHUB_SERVER_URL: github.serverUrl,
    GITHUB_API_URL: github.apiUrl,
    RUNNER_TEMP: folder,
    ...Object.fromEntries(given),
  }
}

/** Waits for something that another part of the test brings about. */
export async function until(holds: () => boolean, what: string, timeoutMs = 25_000): Promise<void> {
  const endAt = Date.now() + timeoutMs
  while (!holds()) {
    if (Date.now() > endAt) throw new Error(`Waited ${timeoutMs} ms in vain: ${what}`)
    await pause(5)
  }
}
