import * as core from '@actions/core'
import { z } from 'zod'
import type { Environment } from './event.ts'

/** The part of `process` that tells of signals. */
export interface SignalSource {
  on(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  off(name: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
}

/** Why the run ends: somebody or something cancelled it. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'

  constructor(signal: string) {
    super(`The run was cancelled (${signal})`)
  }
}

/**
 * Makes an abort signal of the runner's SIGINT, and of the SIGTERM that follows 7.5 s later. Listening keeps the process
 * alive, so that what is under way can be wound up; dispose of it at the end.
 */
export function cancelOnSignals(source: SignalSource): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController()
  const onInterrupt = () => controller.abort(new Cancelled('SIGINT'))
  const onTerminate = () => controller.abort(new Cancelled('SIGTERM'))
  source.on('SIGINT', onInterrupt)
  source.on('SIGTERM', onTerminate)
  return {
    signal: controller.signal,
    [Symbol.dispose]() {
      source.off('SIGINT', onInterrupt)
      source.off('SIGTERM', onTerminate)
    },
  }
}

const stateName = 'open-deployment'

const openDeployment = z.object({
  /** The row of the card that belongs to it. */
  row: z.string(),
  pullRequest: z.number().int().optional(),
  deploymentId: z.number().int().optional(),
  recordOf: z.object({ task: z.string(), sha: z.string() }).optional(),
})

/** What the post step needs in order to settle a deployment that main left open. */
export interface SavedDeployment {
  readonly row: string
  readonly pullRequest: number | undefined
  readonly deploymentId: number | undefined
  readonly recordOf?: { readonly task: string; readonly sha: string } | undefined
}

/** Saves for the post step what would be left open if this process were killed now; undefined when nothing would. */
export function saveOpenDeployment(open: SavedDeployment | undefined): void {
  core.saveState(stateName, open ? JSON.stringify(open) : '')
}

/** What main left open, in the post step; undefined when it ended well, or was killed before it began anything. */
export function readOpenDeployment(environment: Environment): SavedDeployment | undefined {
  const text = environment[`STATE_${stateName}`]
  if (!text) return undefined
  const { row, pullRequest, deploymentId, recordOf } = openDeployment.parse(JSON.parse(text))
  return { row, pullRequest, deploymentId, recordOf }
}
