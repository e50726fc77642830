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
})

/** What the post step needs in order to settle a deployment that main left open. */
export interface SavedDeployment {
  readonly row: string
  readonly pullRequest: number | undefined
  readonly deploymentId: number | undefined
}

/** Saves for the post step what would be left open if this process were killed now. */
export function saveOpenDeployments(open: readonly SavedDeployment[]): void {
  core.saveState(stateName, open.length > 0 ? JSON.stringify(open) : '')
}

/** What main left open, in the post step; nothing when it ended well, or was killed before it began anything. */
export function readOpenDeployments(environment: Environment): SavedDeployment[] {
  const text = environment[`STATE_${stateName}`]
  if (!text) return []
  const open = z.array(openDeployment).parse(JSON.parse(text))
  return open.map(({ row, pullRequest, deploymentId }) => ({ row, pullRequest, deploymentId }))
}
