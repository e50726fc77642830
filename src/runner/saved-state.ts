import * as core from '@actions/core'
import { z } from 'zod'
import type { Environment } from './environment.ts'

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

/** Saves for the post step what would be left open if this process were killed now; undefined when nothing would. */
export function saveOpenDeployment(open: SavedDeployment | undefined): void {
  core.saveState(stateName, open ? JSON.stringify(open) : '')
}

/** What main left open, in the post step; undefined when it ended well, or was killed before it began anything. */
export function readOpenDeployment(environment: Environment): SavedDeployment | undefined {
  const text = environment[`STATE_${stateName}`]
  if (!text) return undefined
  const { row, pullRequest, deploymentId } = openDeployment.parse(JSON.parse(text))
  return { row, pullRequest, deploymentId }
}
