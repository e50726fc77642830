import type { Annotation } from '../core/errors.ts'
import { DeployError } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import { diagnose, type Failure } from '../diagnosis/diagnose.ts'
import type { CardRow, DiagnosisView, RowStatus } from '../report/model.ts'
import { namedPaths, type ProbeResult } from '../watch/probe.ts'
import type { RolloutEnd } from './observe.ts'

/** What a rollout adds up to: a state for the card, and one sentence about it. */
export interface Judgement {
  readonly status: Extract<RowStatus, 'live' | 'failed' | 'unhealthy' | 'superseded' | 'cancelled' | 'timed-out'>
  readonly sentence: string
}

/** Judges a deployment. It is live only when it became active on our branch **and** the probe was content or not wanted. */
export function judge(end: RolloutEnd): Judgement {
  const [status, sentence] = judgementOf(end)
  return { status, sentence }
}

function judgementOf(end: RolloutEnd): readonly [Judgement['status'], string] {
  switch (end.kind) {
    case 'live':
      return ['live', 'Live']
    case 'unhealthy':
      return ['unhealthy', `Deployed, but the URL does not answer as it should: ${answerOf(end.probe)}`]
    case 'stopped':
      return ['unhealthy', `The app started and then ended (${end.status})`]
    case 'unconfirmed':
      return ['unhealthy', `The URL answers, but it could not be confirmed that this deployment does (${end.why})`]
    case 'failed':
      return ['failed', failedIn[end.phase]]
    case 'crashed':
      return ['failed', 'The app crashed']
    case 'cancelled':
      return ['cancelled', 'The platform cancelled this deployment; somebody started another one or stopped it']
    case 'superseded':
      return ['superseded', `Another deployment took over${end.branch ? ` (${end.branch})` : ''}`]
    case 'gone':
      return ['failed', 'The service was deleted while it was being deployed']
    case 'timed-out': {
      const { phase, perPhaseMs } = end
      return ['timed-out', `Not live in time; it was still ${waitingWords[phase]} (${wheresTheTime(perPhaseMs)})`]
    }
  }
}

function answerOf({ status, error }: ProbeResult): string {
  return error ?? (status === undefined ? 'no answer' : `HTTP ${status}`)
}

const failedIn = {
  triggering: 'ml.ink did not start the deployment',
  queued: 'The deployment failed before its build began',
  building: 'The build failed',
  'rolling-out': 'The app does not start',
} as const

const waitingWords = {
  triggering: 'being started',
  queued: 'queued',
  building: 'building',
  'rolling-out': 'starting',
} as const

function wheresTheTime(perPhaseMs: Readonly<Record<string, number>>): string {
  return Object.entries(perPhaseMs)
    .filter(([, spentMs]) => spentMs > 0)
    .map(([phase, spentMs]) => `${phase} ${inSeconds(spentMs)}`)
    .join(', ')
}

/** The states that make a run red, as an error for the log; undefined for the green ones. */
export function failureOf(
  status: RowStatus,
  sentence: string,
  explanation: Explanation | undefined,
): DeployError | undefined {
  const red: readonly RowStatus[] = ['failed', 'unhealthy', 'rolled-back', 'timed-out']
  if (!red.includes(status)) return undefined
  if (!explanation) return new DeployError(sentence)
  const { cause, hint } = explanation.diagnosis
  // The log may know better where it failed than the last status that was seen.
  const whole = cause === sentence || /^The (?:build failed|app (?:does not start|ended|fails)): /.test(cause)
  return new DeployError(whole ? cause : `${sentence}: ${cause}`, { hint })
}

/** What was seen of a deployment: its address, how long its build took, how it answered. */
export function measured(end: RolloutEnd): Partial<CardRow> {
  const deployed = 'url' in end ? end : undefined
  const probe = 'probe' in end ? end.probe : undefined
  const answered = probe?.outcome === 'healthy' || probe?.status !== undefined
  return {
    ...(deployed?.url === undefined ? {} : { url: deployed.url }),
    buildMs: deployed?.timings.fromCache || !deployed?.timings.buildMs ? undefined : deployed.timings.buildMs,
    cached: deployed?.timings.fromCache,
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
  rootDirectory: string | undefined,
  files: ReadonlySet<string>,
  howToStart?: string,
): Explanation | undefined {
  const { status, sentence } = judge(end)
  if (status === 'live' || status === 'superseded') return undefined
  const { cause, hint, decisive, tail, annotations, found } = diagnose({
    ...evidenceOf(end),
    rootDirectory: rootDirectory ?? '',
    files,
    howToStart,
  })
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
  const known =
    named.length === 0
      ? 'such as `/health`, `/docs` or `/api`'
      : `such as ${named.join(', ')}, which the app itself names`
  return `Name a path that it knows with \`health-path\`, ${known}.`
}

type Evidence = Pick<
  Failure,
  'phase' | 'status' | 'errorMessage' | 'deployLogs' | 'runtimeLogs' | 'wasLive' | 'answers'
>

function evidenceOf(end: RolloutEnd): Evidence {
  const logs = {
    errorMessage: 'errorMessage' in end ? end.errorMessage : undefined,
    deployLogs: 'deployLog' in end ? end.deployLog : [],
    runtimeLogs: 'runtimeLog' in end ? end.runtimeLog : [],
  }
  switch (end.kind) {
    case 'failed':
    case 'timed-out':
      return { ...logs, status: end.kind, phase: end.phase === 'rolling-out' ? 'run' : 'build' }
    case 'crashed':
      return { ...logs, status: 'crashed', phase: 'run' }
    case 'stopped':
      return { ...logs, status: 'crashed', phase: 'run', wasLive: true }
    case 'unhealthy': {
      // A proxy that finds nobody at the port says 502 or the like; 404 it says for want of a route.
      const { status, byEdge } = end.probe
      const answers = status !== undefined && !(byEdge && status >= 500)
      return { ...logs, status: 'unhealthy', phase: 'run', wasLive: true, answers }
    }
    case 'unconfirmed':
      return { ...logs, status: 'unhealthy', phase: 'run', wasLive: true }
    default:
      return { ...logs, status: 'failed', phase: undefined }
  }
}
