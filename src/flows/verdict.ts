import type { Annotation } from '../core/errors.ts'
import { DeployError } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import { diagnose, type Failure } from '../diagnosis/diagnose.ts'
import type { Service } from '../ink/results.ts'
import type { CardRow, DeployReport, DiagnosisView, PhaseResult, RowStatus } from '../report/model.ts'
import { isBad } from '../report/parts.ts'
import type { Evidence, Timings, WaitingPhase } from '../watch/deployment-watch.ts'
import { namedPaths, type ProbeResult } from '../watch/probe.ts'
import { deployReport, type Outcome, type Run } from './run.ts'

/** How a rollout ended. Only `live` is a success; `cancelled`, `superseded` and `gone` are somebody else's doing. */
export type RolloutEnd =
  | ({ readonly kind: 'live' | 'unhealthy'; readonly probe: ProbeResult } & DeployedWithLog)
  /** It was live, and then came to an end by itself. */
  | ({ readonly kind: 'stopped'; readonly status: string; readonly errorMessage: string | undefined } & DeployedWithLog)
  /** The URL answers, but the platform did not say any more whose answers these are. */
  | ({ readonly kind: 'unconfirmed'; readonly why: string } & Deployed)
  | ({ readonly kind: 'failed'; readonly phase: WaitingPhase; readonly timings: Timings } & Evidence)
  | ({ readonly kind: 'crashed'; readonly timings: Timings } & Evidence)
  | ({ readonly kind: 'cancelled' } & Evidence)
  /** `sent`: a start of ours had been acknowledged before that. */
  | { readonly kind: 'superseded'; readonly branch: string | undefined; readonly sent: boolean }
  | { readonly kind: 'gone' }
  | ({
      readonly kind: 'timed-out'
      readonly phase: WaitingPhase
      readonly perPhaseMs: Readonly<Record<WaitingPhase, number>>
    } & Evidence)

interface Deployed {
  readonly url: string | undefined
  readonly timings: Timings
}

interface DeployedWithLog extends Deployed {
  /** The newest lines of the app's own log, sanitized; none where it answers as asked. */
  readonly runtimeLog: readonly string[]
}

/** What a rollout adds up to: a state for the card, and one sentence about it. */
export interface Judgement {
  readonly status: Extract<RowStatus, 'live' | 'failed' | 'unhealthy' | 'superseded' | 'cancelled' | 'timed-out'>
  readonly sentence: string
}

/** Judges a deployment. It is live only when it became active on our branch **and** the probe was content or not wanted. */
export function judge(end: RolloutEnd): Judgement {
  switch (end.kind) {
    case 'live':
      return { status: 'live', sentence: 'Live' }
    case 'unhealthy': {
      const { error, status } = end.probe
      const answer = error ?? (status === undefined ? 'no answer' : `HTTP ${status}`)
      return { status: 'unhealthy', sentence: `Deployed, but the URL does not answer as it should: ${answer}` }
    }
    case 'stopped':
      return { status: 'unhealthy', sentence: `The app started and then ended (${end.status})` }
    case 'unconfirmed': {
      const sentence = `The URL answers, but it could not be confirmed that this deployment does (${end.why})`
      return { status: 'unhealthy', sentence }
    }
    case 'failed':
      return { status: 'failed', sentence: phases[end.phase].failed }
    case 'crashed':
      return { status: 'failed', sentence: 'The app crashed' }
    case 'cancelled': {
      const sentence = 'The platform cancelled this deployment; somebody started another one or stopped it'
      return { status: 'cancelled', sentence }
    }
    case 'superseded': {
      const by = end.branch ? ` (${end.branch})` : ''
      return { status: 'superseded', sentence: `Another deployment took over${by}` }
    }
    case 'gone':
      return { status: 'failed', sentence: 'The service was deleted while it was being deployed' }
    case 'timed-out': {
      const spent = Object.entries(end.perPhaseMs).filter(([, spentMs]) => spentMs > 0)
      const where = spent.map(([phase, spentMs]) => `${phase} ${inSeconds(spentMs)}`).join(', ')
      const sentence = `Not live in time; it was still ${phases[end.phase].waiting} (${where})`
      return { status: 'timed-out', sentence }
    }
  }
}

/** What a deployment is doing in each phase, and how it has failed there. */
export const phases = {
  triggering: { name: 'queue', waiting: 'being started', failed: 'ml.ink did not start the deployment' },
  queued: { name: 'queue', waiting: 'queued', failed: 'The deployment failed before its build began' },
  building: { name: 'build', waiting: 'building', failed: 'The build failed' },
  'rolling-out': { name: 'roll-out', waiting: 'starting', failed: 'The app does not start' },
} as const

const results: Partial<Record<RowStatus, PhaseResult>> = { live: 'done', superseded: 'cancelled' }

/** Tells log, outputs and card how a rollout ended; `before` is the service as it was, whose address may still answer. */
export function tellEnd(run: Run, end: RolloutEnd, { status, sentence }: Judgement, before: Service | undefined): void {
  if ('url' in end && end.url) run.output('url', end.url)
  if ('timings' in end) run.output('build-seconds', Math.round(end.timings.buildMs / 1000))
  const phase = end.kind === 'failed' ? phases[end.phase].name : undefined
  run.reporter.update({ status, phase, url: before?.url, ...measured(end) })
  run.reporter.timeline.end(results[status] ?? 'failed', sentence)
}

/** One line about what the probe found. */
export function describeProbe({
  outcome,
  status,
  latencyMs,
  attempts,
  error,
  url,
  tools,
  tolerated,
}: ProbeResult): string {
  const answer = status === undefined ? (tools ? `${tools.length} MCP tools` : 'no answer') : `HTTP ${status}`
  switch (outcome) {
    case 'healthy':
      return `${url} answers: ${answer}${tolerated ? ', which is the app’s own' : ''} in ${latencyMs} ms (${attempts} attempts)`
    case 'unhealthy':
      return `${url} does not answer as wanted: ${error ?? answer} (${attempts} attempts)`
    case 'skipped':
      return 'The URL was not asked (`health-path: none`)'
    case 'no-url':
      return 'The service has no URL (a worker), so there is nothing to ask'
  }
}

/** What was seen of a deployment: its address, how long its build took, how it answered. */
function measured(end: RolloutEnd): Partial<CardRow> {
  const { url, timings } = 'url' in end ? end : {}
  const probe = 'probe' in end ? end.probe : undefined
  const answered = probe?.outcome === 'healthy' || probe?.status !== undefined
  return {
    ...(url === undefined ? {} : { url }),
    buildMs: timings?.fromCache || !timings?.buildMs ? undefined : timings.buildMs,
    cached: timings?.fromCache,
    health: answered
      ? { status: probe.status ?? 200, latencyMs: probe.latencyMs ?? 0, tools: probe.tools?.length }
      : undefined,
    ...(probe?.tolerated ? { note: noteOn(probe, 'runtimeLog' in end ? end.runtimeLog : []) } : {}),
    probe: probe?.outcome === 'skipped' ? 'off' : probe?.outcome === 'no-url' ? 'no-url' : undefined,
  }
}

/** What is to be said of an app that is live without answering as apps do. */
function noteOn({ status, text = '' }: ProbeResult, runtimeLog: readonly string[]): string {
  return `The app answers HTTP ${status} at \`/\`, which counts as live because nothing else is set. ${pathAdvice([...runtimeLog, text])}`
}

/** How a run that deploys comes to its end: as its rollout did, or with the version before back in its place. */
export interface Ended {
  readonly status: Judgement['status'] | 'rolled-back'
  readonly sentence: string
}

/** What a run that deploys comes to. Those states make it red that leave something wrong; the others are somebody's wish. */
export function outcomeOf(
  run: Run,
  { status, sentence }: Ended,
  explanation: Explanation | undefined,
  { action, ...more }: Pick<Outcome, 'action'> & Partial<DeployReport>,
): Outcome {
  const report = deployReport(run, { ...more, annotations: explanation?.annotations ?? [] })
  return { action, status, report, failure: isBad(status) ? failureOf(sentence, explanation) : undefined }
}

function failureOf(sentence: string, explanation: Explanation | undefined): DeployError {
  if (!explanation) return new DeployError(sentence)
  const { cause, hint } = explanation.diagnosis
  // The log may know better where it failed than the last status that was seen.
  const whole = cause === sentence || /^The (?:build failed|app (?:does not start|ended|fails)): /.test(cause)
  return new DeployError(whole ? cause : `${sentence}: ${cause}`, { hint })
}

/** Why a deployment failed, for the reports. */
export interface Explanation {
  readonly diagnosis: DiagnosisView
  readonly annotations: readonly Annotation[]
}

/**
 * Finds the reason of a failure in what the platform said and logged; undefined where there is nothing to explain.
 * @param rootDirectory the folder of the repository that is built
 * @param files those of the deployed tree; annotations are made on such alone
 * @param howToStart what they tell of how it is to be started
 */
export function explain(
  end: RolloutEnd,
  rootDirectory = '',
  files: ReadonlySet<string> = new Set(),
  howToStart?: string,
): Explanation | undefined {
  const { status, sentence } = judge(end)
  if (status === 'live' || status === 'superseded') return undefined
  const failure = { ...evidenceOf(end), rootDirectory, files, howToStart }
  const { cause, hint, decisive, tail, annotations, found } = diagnose(failure)
  if (end.kind !== 'unhealthy' || (found && !saysItself(end.probe)))
    return { diagnosis: { cause, hint, decisive, tail }, annotations }
  // The log tells no more than the answer does.
  const log = end.runtimeLog.length === 0 ? { decisive: [], tail: [] } : { decisive, tail }
  return { diagnosis: { cause: sentence, hint: hintOnAnswer(end.probe, end.runtimeLog), ...log }, annotations }
}

/** An app that answers has no reason in its log for what is missing in its answer, or for a page that it does not have. */
function saysItself({ status = 0, lacksText }: ProbeResult): boolean {
  return lacksText === true || (status >= 400 && status < 500)
}

function hintOnAnswer({ status, lacksText, byEdge, text = '' }: ProbeResult, runtimeLog: readonly string[]): string {
  if (lacksText)
    return 'Let the app answer with what `health.contains` says, such as its variable `INK_GIT_COMMIT_SHA`; or another version, or another account’s service, answers at this address.'
  if (byEdge && status === 404)
    return `If the app itself answers 404 there, in words that a proxy uses as well: ${pathAdvice([...runtimeLog, text])} Otherwise ml.ink does not lead to it yet; a longer \`health.timeout\` in ink.yml waits for that.`
  if (status === undefined || byEdge)
    return 'Let the app listen on 0.0.0.0 and on the port in `PORT`. A slow start needs a longer `health.timeout` in ink.yml.'
  if (status >= 500)
    return 'The app runs and fails at this request: look for the error in its own log, and at the variables that it needs.'
  return `The app runs and answers. ${pathAdvice([...runtimeLog, text])} Where this is how it should answer, \`health: { status: ${status} }\` in ink.yml says so.`
}

/** Which path to ask instead; those that the app itself has named come first. */
function pathAdvice(lines: readonly string[]): string {
  const named = namedPaths(lines).map((path) => `\`${path}\``)
  const known = named.length === 0 ? '`/health`, `/docs` or `/api`' : `${named.join(', ')}, which the app itself names`
  return `Name a path that it knows with \`health-path\`, such as ${known}.`
}

function evidenceOf(end: RolloutEnd): Omit<Failure, 'rootDirectory' | 'files' | 'howToStart'> {
  const logs = {
    errorMessage: 'errorMessage' in end ? end.errorMessage : undefined,
    deployLogs: 'deployLog' in end ? end.deployLog : [],
    runtimeLogs: 'runtimeLog' in end ? end.runtimeLog : [],
  }
  const running = { ...logs, phase: 'run', wasLive: true } as const
  switch (end.kind) {
    case 'failed':
    case 'timed-out':
      return { ...logs, status: end.kind, phase: end.phase === 'rolling-out' ? 'run' : 'build' }
    case 'crashed':
      return { ...logs, status: 'crashed', phase: 'run' }
    case 'stopped':
      return { ...running, status: 'crashed' }
    case 'unhealthy': {
      // A proxy that finds nobody at the port says 502 or the like; 404 it says for want of a route.
      const { status, byEdge } = end.probe
      return { ...running, status: 'unhealthy', answers: status !== undefined && !(byEdge && status >= 500) }
    }
    case 'unconfirmed':
      return { ...running, status: 'unhealthy' }
    default:
      return { ...logs, status: 'failed', phase: undefined }
  }
}
