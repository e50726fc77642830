import type { PullRequest, Repository } from './event.ts'
import type { FileProblem } from './file/references.ts'
import type { DatabaseSettings, EnvStrategy, Settings } from './settings.ts'
import type { Variables } from './variables.ts'

/** Where everything of one service happens on the platform. */
export interface Place {
  readonly project: string
  readonly workspace: string | undefined
  /** Name of the repository on the platform, without owner and slug. */
  readonly repositoryName: string
  /** The GitHub repository whose marks the services carry. */
  readonly repository: Repository
  /** The service's name in production, or in the environment that the file names; a preview's is derived from it by `previewName`. */
  readonly baseName: string
  /** The service's name in a file that has several. */
  readonly serviceKey?: string | undefined
  /** The environment that the file names; undefined for production and previews. */
  readonly environment?: string | undefined
}

interface Common {
  /** Say what would be done, and change nothing. */
  readonly dryRun: boolean
  /** Why this plan and no other, in half a sentence: "pull request #12 was opened". */
  readonly because: string
  readonly place: Place
}

/** What services cost, and what their databases are: what money has to be counted with. */
export type Costing = Pick<Settings, 'build' | 'database' | 'prices' | 'creditsWarning'>

type Source = Pick<Settings, 'directory' | 'exportIgnore' | 'lfsPointers' | 'paths'>
type Rules = Pick<Settings, 'removeDomain' | 'health' | 'timeoutMs' | 'adopt' | 'onQuota'>

interface Deploy extends Common, Costing, Source, Rules {
  /** `production/acme-web` or `pr-12/acme-web-pr-12`; the middle of the branch name. */
  readonly target: string
  readonly environment: string
  readonly serviceName: string
  /** The commit that the event asks for, and the ref it can be fetched by. */
  readonly wanted: { readonly sha: string; readonly ref: string }
  /** Commits at which the default checkout may stand for this event; anything else was checked out on purpose. */
  readonly ordinaryCheckouts: readonly string[]
  /** Source commits that the platform probably has already, the most likely first. */
  readonly bases: readonly string[]
  /** What the service should have, marks included. */
  readonly variables: Variables
  readonly envStrategy: EnvStrategy
  readonly database: DatabasePlan | undefined
  readonly domain: string | undefined
}

export type DatabasePlan = DatabaseSettings & { readonly name: string }

type PreviewRules = Pick<Settings, 'previewLabel' | 'maxPreviews' | 'maxCostPerDay' | 'previewTtlMs'>

export interface PreviewPlan extends Deploy, PreviewRules {
  readonly kind: 'preview'
  readonly pullRequest: PullRequest
  /** True for a fork's code deployed with the repository's key: it gets the values of `preview-env` and no others. */
  readonly untrusted: boolean
  /** A draft keeps its preview: drafts have some, or a person asked for this one. */
  readonly previewDrafts: boolean
  /** Set when a comment asked for it: where the reaction goes. */
  readonly askedBy: Asked | undefined
}

/** To production, or to an environment that the file names, whose place says so. */
export interface ProductionPlan extends Deploy, Pick<Settings, 'dnsRecords' | 'autoscale' | 'rollback'> {
  readonly kind: 'production'
}

/** A command in a comment: who asked, and where the reaction goes. */
export interface Asked {
  readonly commentId: number
  readonly login: string
}

type TeardownRules = Pick<Settings, 'timeoutMs' | 'previewLabel' | 'previewDrafts'>

export interface TeardownPlan extends Common, Costing, TeardownRules {
  readonly kind: 'teardown'
  readonly target: string
  readonly environment: 'preview'
  readonly serviceName: string
  readonly pullRequest: number
  readonly databaseName: string
  /** Somebody asked for it, so that it goes although the pull request is open. */
  readonly onDemand: boolean
  readonly askedBy: Asked | undefined
}

/** Takes down what a branch had deployed to an environment of its own, now that the branch is gone. */
export interface RetirePlan extends Common {
  readonly kind: 'retire'
  readonly branch: string
}

export type SweepRules = Pick<Settings, 'previewLabel' | 'previewTtlMs' | 'maxPreviews'>

export interface SweepPlan extends Common, Costing, SweepRules, Pick<Settings, 'timeoutMs'> {
  readonly kind: 'sweep'
  /** What comes after it, on a schedule. */
  readonly followedBy: MonitorPlan | undefined
}

export interface MonitorPlan extends Common, Costing, Pick<Settings, 'health' | 'autoscale' | 'timeoutMs'> {
  readonly kind: 'monitor'
  readonly serviceName: string
}

/** Switches a service to the branch before its present one, or to that of a given commit. */
export interface RollbackPlan extends Common, Pick<Settings, 'health' | 'timeoutMs' | 'adopt'> {
  readonly kind: 'rollback'
  readonly target: string
  readonly environment: string
  readonly serviceName: string
  readonly pullRequest: PullRequest | undefined
  /** A source commit, whole or abbreviated; undefined means the one before. */
  readonly to: string | undefined
  readonly askedBy: Asked | undefined
}

/** `/ink logs`: the runtime log, answered in a comment. */
export interface LogsPlan extends Common {
  readonly kind: 'logs'
  readonly serviceName: string
  readonly pullRequest: PullRequest
  readonly askedBy: Asked
}

/** `/ink help`, or a command that does not exist, answered in a comment. */
export interface HelpPlan extends Common {
  readonly kind: 'help'
  readonly pullRequest: number
  /** The word that is not a command; undefined when help was asked for. */
  readonly unknown: string | undefined
  readonly askedBy: Asked
}

/** A command by somebody who may not give it: refused once, in a comment. */
export interface DeclinePlan extends Common {
  readonly kind: 'decline'
  readonly pullRequest: number
  readonly reason: string
  readonly askedBy: Asked
}

/** `command: plan`: checks key, permissions, checkout and workflow around what `auto` would do. */
export interface CheckPlan extends Common, Costing {
  readonly kind: 'check'
  readonly hasKey: boolean
  readonly would: PlanToRun
}

export interface NonePlan {
  readonly kind: 'none'
  /**
   * `skipped`: there was something to do and a rule forbids it; `superseded`: something newer runs already; `nothing`: this
   * event means nothing here. All green.
   */
  readonly status: 'skipped' | 'superseded' | 'nothing'
  /** For the notice and the output `skipped-reason`; says what to do when something can be done. */
  readonly reason: string
  /** Where a card may say so. */
  readonly pullRequest: number | undefined
  /** A preview that was to be taken down is still there, if there was one. */
  readonly stillRuns?: boolean
  /** Given where none of the changed files counts: the globs, and the commit that they were meant for. */
  readonly skippedBy?: SkippedByPaths
}

/** What `watch` has left out. */
export interface SkippedByPaths {
  readonly paths: readonly string[]
  readonly wanted: { readonly sha: string }
  /** Commits at which the default checkout may stand for this event. */
  readonly ordinaryCheckouts: readonly string[]
}

/** The run cannot go on, and that is red: a missing key, a command that lacks what it needs. */
export interface RefusedPlan {
  readonly kind: 'refused'
  readonly problem: string
  readonly hint: string
  /** Where in `ink.yml` it is to be put right. */
  readonly places?: readonly FilePlace[]
}

/** A place in a file of the repository, and what is wrong there. */
export type FilePlace = FileProblem & { readonly file: string }

/** A fact is needed before the plan can be made: look it up, add it to the facts, and plan again. */
export interface NeedsPlan {
  readonly kind: 'needs'
  readonly need: NeededFact
}

/** Plans that need the platform. */
export type WorkPlan =
  | PreviewPlan
  | ProductionPlan
  | TeardownPlan
  | RetirePlan
  | SweepPlan
  | MonitorPlan
  | RollbackPlan
  | LogsPlan
export type PlanToRun = WorkPlan | HelpPlan | DeclinePlan | NonePlan | RefusedPlan
export type Plan = PlanToRun | CheckPlan

export type NeededFact =
  | { readonly fact: 'pullRequest'; readonly number: number }
  | ({ readonly fact: 'pullRequest' } & HeadOfPullRequest)
  | { readonly fact: 'permission'; readonly login: string }
  | { readonly fact: 'approval'; readonly of: Approval }
  | { readonly fact: 'live'; readonly place: Place; readonly serviceName: string }
  | { readonly fact: 'changedFiles'; readonly of: ChangedFilesOf }
  | { readonly fact: 'relation'; readonly of: Relatives }

/** The open pull request whose head is this commit, for `workflow_run`, whose payload does not name a fork's. */
export interface HeadOfPullRequest {
  readonly headSha: string
  readonly headBranch: string
  readonly headRepository: string | undefined
  /** Those that are named, where several have this head; empty when none is. */
  readonly numbers: readonly number[]
}

export type ChangedFilesOf =
  | { readonly kind: 'pull-request'; readonly number: number }
  | { readonly kind: 'range'; readonly before: string; readonly after: string }

/** Whether a label was put on after this commit had become the head of the pull request. */
export interface Approval {
  readonly number: number
  readonly label: string
  readonly sha: string
}

/** Two commits, of which one may lead to the other, and the ref that the first was taken from. */
export interface Relatives {
  readonly base: string
  readonly head: string
  readonly ref: string
}

/** What a service runs, as its branch tells. `unknown` also when its latest deployment is not live. */
export type RunningVersion = { readonly commit: string } | 'absent' | 'unknown'

/** What was looked up so far. `unreadable`: asked, and GitHub did not say. */
export interface Facts {
  readonly pullRequest?: PullRequest | 'not-found' | 'unreadable'
  readonly permission?: 'admin' | 'write' | 'read' | 'none' | 'unreadable'
  readonly approval?: 'given' | 'not-given' | 'unreadable'
  readonly live?: RunningVersion
  /** `unreadable` also when the first commit of a range does not lead to the second, or the list is not whole. */
  readonly changedFiles?: readonly string[] | 'unreadable'
  /** `ahead`: the head has all that the base has and more, and the base is where its ref stands no longer. */
  readonly relation?: 'ahead' | 'other' | 'unreadable'
}
