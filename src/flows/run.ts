import type { Clock } from '../core/async.ts'
import type { Annotation, DeployError } from '../core/errors.ts'
import { capital, inSeconds } from '../core/format.ts'
import type { GitHub } from '../github/github.ts'
import type { Platform } from '../ink/platform.ts'
import type { SeedDatabase } from '../ink/seed-database.ts'
import type { Place, RunContext } from '../plan/context.ts'
import type { RunEvent } from '../plan/event.ts'
import type { RefusedPlan } from '../plan/intent.ts'
import type { Plan, WorkPlan } from '../plan/plan.ts'
import type { OutputName } from '../plan/setting-table.ts'
import type { CommentMode, ParsedSettings, Settings, SettingsSources } from '../plan/settings.ts'
import type { WorkflowText } from '../plan/workflow.ts'
import type { CardRow, DeployReport, NothingReport, Phase, PreviewEnd, Report } from '../report/model.ts'
import type { Source } from '../source/source.ts'
import type { HttpRequest, McpProbe } from '../watch/probe.ts'

/** What the flows say while they work. Lines of strangers go through `untrusted`, where the runner cannot take them for commands. */
export interface Log {
  startGroup(title: string): void
  endGroup(): void
  info(text: string): void
  debug(text: string): void
  /** A box in the run's page. */
  notice(text: string): void
  warning(text: string): void
  untrusted(line: string): void
}

/** Lines of several services come mixed, so each says whose it is; groups cannot lie within each other. */
export function labelled(log: Log, name: string): Log {
  const label = (text: string) => `${name} │ ${text}`
  return {
    ...log,
    startGroup: (title) => log.info(label(title)),
    endGroup: () => undefined,
    info: (text) => log.info(label(text)),
    debug: (text) => log.debug(label(text)),
    notice: (text) => log.notice(label(text)),
    warning: (text) => log.warning(label(text)),
    untrusted: (line) => log.untrusted(label(line)),
  }
}

/** What a run is about, and the ports that flows may use. Built once, by the entry point. */
export interface Deps {
  readonly context: RunContext
  readonly event: RunEvent
  /** ISO 8601. */
  readonly startedAt: string
  readonly signal: AbortSignal
  readonly settings: Settings
  /** The settings with those of a file below them; all that does not go together is a problem now. */
  readonly settingsWith: (file: Pick<SettingsSources, 'written' | 'variables'> | undefined) => ParsedSettings
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  /** Warnings given so far; grows while the run goes on. */
  readonly warnings: readonly string[]
  /** Said in the comment whatever becomes of the run, such as inputs that do nothing. */
  readonly remarks?: readonly string[]
  /** Why nothing may be done, whatever the event is. */
  readonly problem?: RefusedPlan | undefined
  readonly output: (name: OutputName, value: string | number) => void
  /** Makes the runner mask a value in everything that is printed from now on. */
  readonly mask: (secret: string) => void
  /** The same for those values that are secret by name or by look. */
  readonly maskVariables: (variables: Readonly<Record<string, string>>) => void
  /** Every secret known so far, for what is published outside of the log, where the runner masks nothing. */
  readonly secrets: () => readonly string[]
  /** Masks every value of any variable in a text, or in all texts of a report: for whatever leaves the run's own log. */
  readonly redact: <T>(value: T) => T
  /**
   * Begins to connect to ml.ink, and returns once it has been asked: it answers while other things are done. All that is opened
   * until this is disposed of shares the connection; one that fails shows when the platform is opened.
   */
  readonly connect: () => Promise<AsyncDisposable>
  readonly openPlatform: (place: Place, signal: AbortSignal) => Promise<Platform>
  /** The repository of the run, as a source of snapshots. */
  readonly openSource: (options?: {
    /** Take everything from the origin: what lies in the workspace may have been in a stranger's hands. */
    readonly ignoreWorkspace?: boolean
    /** Milliseconds since the epoch: a git server that is away is asked again until then. */
    readonly deadlineAt?: number
  }) => Source
  readonly github: GitHub
  readonly seedDatabase: SeedDatabase
  readonly http: HttpRequest
  readonly mcp: McpProbe
  /** The workflow files of the checkout; none where nothing is checked out. */
  readonly workflowFiles: () => readonly WorkflowText[]
  /** Remembers for the post step what would be left open if this process were killed now. */
  readonly remember: (open: readonly OpenDeployment[], serviceName: string) => void
}

/** What the post step needs in order to settle a deployment that main left open. */
export interface OpenDeployment {
  /** Its row of the card, as `encodeState` writes it. */
  readonly row: string
  readonly pullRequest?: number | undefined
  readonly deploymentId?: number | undefined
  /** By what the record is found that was being made when the run was ended; undefined when its id is known, or there is none. */
  readonly recordOf?: { readonly task: string; readonly sha: string } | undefined
  /** What the run was to do about its comment. */
  readonly comment?: CommentMode | undefined
  /** What ends the preview, as its card says. */
  readonly removal?: PreviewEnd | undefined
}

/** What is left to do when the time is over, such as going back to the version before, gets at most this long. */
export const windUpMs = 5 * 60_000

/** A service of production, or of a preview. */
export interface NamedService {
  readonly serviceName: string
  /** Undefined for one of production. */
  readonly pullRequest: number | undefined
}

/** Keeps GitHub informed while a deployment goes on. Nothing in here fails a run: what cannot be written is one warning. */
export interface Reporter {
  readonly timeline: Timeline
  /** The row as it stands. */
  row(): CardRow
  update(change: Partial<CardRow>): void
  /** The platform ends the preview by itself, so many milliseconds after the deployment. */
  noteExpiry(afterMs: number): void
  /** The row that the card had for this service before this run, if it was read. */
  previous(): CardRow | undefined
  /** The commit that was live before, as the platform tells; undefined when it does not. */
  replaces(commit: string | undefined): void
  /** Opens the deployment record, and writes the card if the run takes long. */
  begin(): Promise<void>
  /** Brings record and card to their final state. @returns the row, with what only the card knew */
  finish(): Promise<CardRow>
  /** Remembers for the post step which previews are being taken down. */
  removing(previews: readonly NamedService[]): void
  /** After the removal of a preview its row says what came of it. Only a card that exists is changed. */
  markRemoved(preview: NamedService, status: 'removed' | 'failed', reason: string): Promise<void>
  /** Says on the card why nothing was begun: a mistake, or, where there is a card, a reason to skip the commit. */
  noteIdle(why: Pick<CardRow, 'reason' | 'diagnosis'>): Promise<void>
}

/** `only-existing` changes a card that is there, and makes none. */
export type WriteMode = 'create' | 'only-existing' | 'not'

/** A row that was put into a card: the comment, and what it had of the same service before, and has now. */
export interface WrittenRow {
  readonly id: number | undefined
  readonly before: CardRow | undefined
  readonly after: CardRow | undefined
}

/** The comments of a run on its pull requests, shared by all of its services. */
export interface Cards {
  /** @param expiresAfterMs milliseconds after which the platform ends the preview by itself, where it does */
  write(
    pullRequest: number | undefined,
    row: CardRow,
    mode: WriteMode,
    expiresAfterMs?: number,
  ): Promise<WrittenRow | undefined>
}

/** What a run has once its settings are known. */
export interface RunDeps extends Deps {
  readonly cards: Cards
  /** When the time that `timeout` gives the whole run is over, in milliseconds since the epoch. */
  readonly deadlineAt: number
}

/** One run under way: everything a flow may use, with the platform connected and the reporter open. */
export interface Run extends RunDeps {
  readonly platform: Platform
  readonly reporter: Reporter
}

/** The action's `status` output, the worst first: what a run of several services is called. */
export const runStatuses = [
  ...(['failed', 'unhealthy', 'rolled-back', 'timed-out', 'cancelled', 'superseded'] as const),
  ...(['live', 'planned', 'removed', 'swept', 'skipped', 'nothing'] as const),
] as const
export type Status = (typeof runStatuses)[number]

/** The action's `action` output. */
export type Action = 'preview' | 'production' | 'teardown' | 'sweep' | 'monitor' | 'rollback' | 'plan' | 'none'

/** How a flow ended. */
export interface Outcome {
  readonly action: Action
  readonly status: Status
  readonly report: Report
  /** Those of the other services, where a run has several, and of what came after, as when a schedule also monitors. */
  readonly others?: readonly Report[]
  /** What is wrong in files of the repository, beside what a deployment's report has. */
  readonly annotations?: readonly Annotation[]
  /** Why the run is red; undefined when it is green. */
  readonly failure?: DeployError | undefined
}

/** What every report has. */
export function reportBase({ context, warnings }: RunDeps) {
  return { runUrl: context.runUrl, warnings }
}

/** The report of a deployment: what its reporter has heard of it, and more. */
export function deployReport(run: RunDeps & Pick<Run, 'reporter'>, more: Partial<DeployReport> = {}): DeployReport {
  const { timeline, row } = run.reporter
  const heard = { row: row(), phases: timeline.phases, envNames: [], annotations: [] }
  return { kind: 'deploy', ...heard, ...more, ...reportBase(run) }
}

/** The report of a run that comes to no deployment and has no report of its own. */
export function nothingReport(deps: RunDeps, status: NothingReport['status'], reason: string, hint?: string) {
  return { kind: 'none', status, reason, hint, ...reportBase(deps) } as const
}

/** How a run ends that had nothing to do, and says so. */
export function nothingToDo(deps: RunDeps, reason: string): Outcome {
  return { action: 'none', status: 'nothing', report: nothingReport(deps, 'nothing', reason) }
}

/** On a schedule both are done; the sweep is what the run is called, and what the monitor found decides with it. */
export function withMonitor(swept: Outcome, { report, others = [], failure }: Outcome): Outcome {
  const status = swept.failure === undefined && failure !== undefined ? 'unhealthy' : swept.status
  return { ...swept, status, failure: swept.failure ?? failure, others: [report, ...others] }
}

/** What is wrong in `ink.yml`, for the lines where it stands. */
export function annotationsOf({ places = [] }: RefusedPlan): Annotation[] {
  return places.map(({ text, ...place }) => ({ level: 'error', title: 'Ink Deploy', message: text, ...place }))
}

/** The pull request whose previews a plan is about; undefined for production. */
export function previewOf(plan: Plan): number | undefined {
  return 'pullRequest' in plan && typeof plan.pullRequest === 'object' ? plan.pullRequest.number : undefined
}

/** What a plan counts as in the output `action`. */
export function actionOf({ kind }: WorkPlan): Action {
  if (kind === 'logs') return 'none'
  return kind === 'retire' ? 'teardown' : kind
}

/**
 * When each phase of a run began and ended, in milliseconds since the epoch. Phases follow one another; each is a group of
 * the log, ended by a line with result and seconds.
 */
export class Timeline {
  readonly #deps: Pick<Deps, 'clock' | 'log'>
  readonly #phases: Phase[] = []

  constructor(deps: Pick<Deps, 'clock' | 'log'>) {
    this.#deps = deps
  }

  get phases(): readonly Phase[] {
    return this.#phases
  }

  /** Begins a phase and ends the one before it, which then counts as done. A phase that runs already just goes on. */
  begin(name: Phase['name'], title: string, atMs: number = this.#deps.clock.now()): void {
    const last = this.#phases.at(-1)
    if (last?.result === 'running' && last.name === name) return
    this.end('done', undefined, atMs)
    this.#phases.push({ name, startMs: atMs, result: 'running' })
    this.#deps.log.startGroup(title)
  }

  /** Begins a phase unless it, or one that comes after it, is under way: log lines may come before their phase was seen. */
  ensure(name: Phase['name'], title: string): void {
    const last = this.#phases.at(-1)
    if (last?.result !== 'running' || last.name === 'queue') this.begin(name, title)
  }

  /** Ends the phase that runs, if one does. `said` becomes the group's last line. */
  end(result: Phase['result'], said?: string, atMs: number = this.#deps.clock.now()): void {
    const last = this.#phases.at(-1)
    if (last?.result !== 'running') return
    const endMs = Math.max(atMs, last.startMs)
    this.#phases[this.#phases.length - 1] = { ...last, endMs, result }
    const { log } = this.#deps
    log.info(`${said ?? capital(result)} (${inSeconds(endMs - last.startMs)})`)
    log.endGroup()
  }
}
