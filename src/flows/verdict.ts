import { DeployError } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import type { RowStatus } from '../report/row.ts'
import type { LostDeployment } from '../watch/confirm-live.ts'
import type { ProbeResult } from '../watch/probe.ts'
import type { Switched } from './switch-service.ts'

/** What watching and probing add up to: a state for the card, and one sentence about it. */
export interface Judgement {
  readonly status: Extract<RowStatus, 'live' | 'failed' | 'unhealthy' | 'superseded' | 'cancelled' | 'timed-out'>
  readonly sentence: string
}

/** Judges a deployment. It is live only when it became active on our branch **and** the probe was content or not wanted. */
export function judge({ verdict, confirmation }: Switched): Judgement {
  switch (verdict.kind) {
    case 'live':
      return confirmation?.kind === 'lost' ? judgeLoss(confirmation.loss) : judgeProbe(confirmation?.probe)
    case 'failed':
      return { status: 'failed', sentence: failedIn[verdict.phase] }
    case 'crashed':
      return { status: 'failed', sentence: 'The app crashed' }
    case 'cancelled':
      return {
        status: 'cancelled',
        sentence: 'The platform cancelled this deployment; somebody started another one or stopped it',
      }
    case 'superseded':
      return superseded(verdict.branch)
    case 'gone':
      return gone
    case 'timed-out':
      return {
        status: 'timed-out',
        sentence: `Not live in time; it was still ${waitingWords[verdict.phase]} (${wheresTheTime(verdict.perPhaseMs)})`,
      }
  }
}

const gone: Judgement = { status: 'failed', sentence: 'The service was deleted while it was being deployed' }

function superseded(branch: string | undefined): Judgement {
  return {
    status: 'superseded',
    sentence: branch ? `Another deployment took over (${branch})` : 'Another deployment took over',
  }
}

function judgeLoss(loss: LostDeployment): Judgement {
  if (loss.kind === 'superseded') return superseded(loss.branch)
  if (loss.kind === 'gone') return gone
  if (loss.kind === 'unconfirmed') {
    return {
      status: 'unhealthy',
      sentence: `The URL answers, but it could not be confirmed that this deployment does (${loss.why})`,
    }
  }
  return { status: 'unhealthy', sentence: `The app started and then ended (${loss.status})` }
}

function judgeProbe(probe: ProbeResult | undefined): Judgement {
  if (probe?.outcome !== 'unhealthy') return { status: 'live', sentence: 'Live' }
  const answer = probe.status === undefined ? (probe.error ?? 'no answer') : `HTTP ${probe.status}`
  return { status: 'unhealthy', sentence: `Deployed, but the URL does not answer as it should: ${answer}` }
}

const failedIn = {
  triggering: 'ml.ink did not start the deployment',
  queued: 'The deployment failed before its build began',
  building: 'The build failed',
  'rolling-out': 'The app did not start',
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
export function failureOf(status: RowStatus, sentence: string, hint: string | undefined): DeployError | undefined {
  const red: readonly RowStatus[] = ['failed', 'unhealthy', 'rolled-back', 'timed-out']
  return red.includes(status) ? new DeployError(sentence, hint === undefined ? {} : { hint }) : undefined
}
