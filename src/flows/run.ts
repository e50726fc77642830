import type { Clock } from '../core/async.ts'
import type { Annotation, DeployError } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import type { GitHub } from '../github/github.ts'
import type { Platform } from '../ink/platform.ts'
import type { SeedDatabase } from '../ink/seed-database.ts'
import type { Place, RunContext } from '../plan/event.ts'
import type { RefusedPlan } from '../plan/intent.ts'
import type { WorkPlan } from '../plan/plan.ts'
import type { OutputName } from '../plan/setting-table.ts'
import type { CommentMode, ParsedSettings, Settings, SettingsSources } from '../plan/settings.ts'
import type { WorkflowText } from '../plan/workflow.ts'
import type {
  CardRow,
  DeployReport,
  NothingReport,
  Phase,
  PhaseName,
  PhaseResult,
  PreviewEnd,
  Report,
} from '../report/model.ts'
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

/** Everything that a flow may use. Built once, by the entry point. */
export interface Deps {
  readonly context: RunContext
  readonly settings: Settings
  /** The settings with those of a file below them; all that does not go together is a problem now. */
  readonly settingsWith: (file: Pick<SettingsSources, 'written' | 'variables'> | undefined) => ParsedSettings
  readonly clock: Clock
  readonly random: () => number
  readonly log: Log
  readonly output: (name: OutputName, value: string | number) => void
  /** Makes the runner mask a value in everything that is printed from now on. */
  readonly mask: (secret: string) => void
  /** The same for those values that are secret by name or by look. */
  readonly maskVariables: (variables: Readonly<Record<string, string>>) => void
  /** Every secret known so far, for what is published outside of the log, where the runner masks nothing. */
  readonly secrets: () => readonly string[]
  /**
   * Masks every value that a variable was given or a service has, whatever its name, in a text or in all texts of a
   * report: for whatever leaves the run's own log.
   */
  readonly redact: <T>(value: T) => T
  readonly openPlatform: (place: Place, signal: AbortSignal) => Promise<Platform>
  /** The repository of the run, as a source of snapshots. */
  readonly openSource: (options?: SourceWish) => Source
  readonly github: GitHub
  readonly seedDatabase: SeedDatabase
  readonly http: HttpRequest
  readonly mcp: McpProbe
  /** The workflow files of the checkout; none where nothing is checked out. */
  readonly workflowFiles: () => readonly WorkflowText[]
  /** Remembers for the post step what would be left open if this process were killed now. */
  readonly remember: (open: readonly OpenDeployment[], serviceName: string) => void
}

/** How a source is to be opened. */
export interface SourceWish {
  /** Take everything from the origin: what lies in the workspace may have been in a stranger's hands. */
  readonly ignoreWorkspace?: boolean
  /** Milliseconds since the epoch: a git server that is away is asked again until then. */
  readonly deadlineAt?: number
}

/** What the post step needs in order to settle a deployment that main left open. */
export interface OpenDeployment {
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

/** What the entry point knows about the run itself. */
export interface RunMeta {
  /** ISO 8601. */
  readonly startedAt: string
  /** Warnings given so far; grows while the run goes on. */
  readonly warnings: readonly string[]
  /** Said in the comment whatever becomes of the run, such as inputs that do nothing. */
  readonly remarks?: readonly string[]
  /** Why nothing may be done, whatever the event is. */
  readonly problem?: RefusedPlan | undefined
  readonly signal: AbortSignal
}

/** What is left to do when the time is over, such as going back to the version before, gets this long and no longer. */
export const windUpMs = 5 * 60_000

/** A preview that is taken down. */
export interface RemovedPreview {
  readonly serviceName: string
  /** Undefined for a service of production. */
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
  previous(): Promise<CardRow | undefined>
  /** The commit that was live before, as the platform tells; undefined when it does not. */
  replaces(commit: string | undefined): void
  /** Opens the deployment record, and writes the card if the run takes long. */
  begin(): Promise<void>
  /** Brings record and card to their final state; the row then has what only the card knew. */
  finish(): Promise<void>
  /** Remembers for the post step which previews are being taken down. */
  removing(previews: readonly RemovedPreview[]): void
  /** After the removal of a preview its row says what came of it. Only a card that exists is changed. */
  markRemoved(
    preview: RemovedPreview,
    outcome: { readonly status: 'removed' | 'failed'; readonly reason: string },
  ): Promise<void>
  /** Says on the card why nothing was begun: a mistake, or, where there is a card, a reason to skip the commit. */
  noteIdle(why: Pick<CardRow, 'reason' | 'diagnosis'>): Promise<void>
}

/** `only-existing` changes a card that is there, and makes none. */
export type WriteMode = 'create' | 'only-existing' | 'not'

/** The comments of a run on its pull requests, shared by all of its services. */
export interface Cards {
  /** Puts a row into a card. `before` and `after` are what it had of the same service, and has now. */
  write(
    pullRequest: number | undefined,
    row: CardRow,
    mode: WriteMode,
    /** Milliseconds after which the platform ends the preview by itself, where it does. */
    expiresAfterMs?: number,
  ): Promise<
    | { readonly id: number | undefined; readonly before: CardRow | undefined; readonly after: CardRow | undefined }
    | undefined
  >
}

/** What a run has from its beginning. */
export type RunDeps = Deps &
  RunMeta & {
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
  /** A second report of the same run, as when a schedule sweeps and then monitors. */
  readonly also?: Report
  /** Those of the other services, where a run has several. */
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
export function deployReport(deps: RunDeps, reporter: Reporter, more: Partial<DeployReport> = {}): DeployReport {
  const { phases } = reporter.timeline
  return { kind: 'deploy', row: reporter.row(), phases, envNames: [], annotations: [], ...more, ...reportBase(deps) }
}

/** The report of a run that comes to no deployment and has no report of its own. */
export function nothingReport(
  deps: RunDeps,
  status: NothingReport['status'],
  reason: string,
  hint?: string,
): NothingReport {
  return { kind: 'none', status, reason, hint, ...reportBase(deps) }
}

/** How a run ends that had nothing to do, and says so. */
export function nothingToDo(deps: RunDeps, reason: string): Outcome {
  return { action: 'none', status: 'nothing', report: nothingReport(deps, 'nothing', reason) }
}

/** What a plan counts as in the output `action`. */
export function actionOf({ kind }: WorkPlan): Action {
  if (kind === 'logs') return 'none'
  return kind === 'retire' ? 'teardown' : kind
}

type PhaseLog = Pick<Log, 'startGroup' | 'endGroup' | 'info'>

/**
 * When each phase of a run began and ended, in milliseconds since the epoch. Phases follow one another; each is a group of
 * the log, ended by a line with result and seconds.
 */
export class Timeline {
  readonly #now: () => number
  readonly #log: PhaseLog
  readonly #phases: Phase[] = []

  constructor(now: () => number, log: PhaseLog) {
    this.#now = now
    this.#log = log
  }

  get phases(): readonly Phase[] {
    return this.#phases
  }

  /** Begins a phase and ends the one before it, which then counts as done. A phase that runs already just goes on. */
  begin(name: PhaseName, title: string, atMs: number = this.#now()): void {
    const last = this.#phases.at(-1)
    if (last?.result === 'running' && last.name === name) return
    this.end('done', undefined, atMs)
    this.#phases.push({ name, startMs: atMs, result: 'running' })
    this.#log.startGroup(title)
  }

  /** Begins a phase unless it, or one that comes after it, is under way: log lines may come before their phase was seen. */
  ensure(name: PhaseName, title: string): void {
    const last = this.#phases.at(-1)
    if (last?.result !== 'running' || last.name === 'queue') this.begin(name, title)
  }

  /** Ends the phase that runs, if one does. `said` becomes the group's last line. */
  end(result: PhaseResult, said?: string, atMs: number = this.#now()): void {
    const last = this.#phases.at(-1)
    if (last?.result !== 'running') return
    const endMs = Math.max(atMs, last.startMs)
    this.#phases[this.#phases.length - 1] = { ...last, endMs, result }
    this.#log.info(`${said ?? result.charAt(0).toUpperCase() + result.slice(1)} (${inSeconds(endMs - last.startMs)})`)
    this.#log.endGroup()
  }
}
