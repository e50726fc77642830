import { writeFileSync } from 'node:fs'
import { errorMessage } from '../core/errors.ts'
import type { Environment } from './environment.ts'

/** GitHub refuses the summary of a step beyond this. */
const longestBytes = 1024 * 1024

/**
 * Writes the job summary of this step, in place of what it wrote before. A summary is decoration: where it cannot be
 * written, that is a warning.
 */
export function writeSummary(environment: Environment, markdown: string, warning: (text: string) => void): void {
  const path = environment.GITHUB_STEP_SUMMARY
  // Runners before 2.294 and GitHub Enterprise Server before 3.6 have none.
  if (!path) return
  if (Buffer.byteLength(markdown) > longestBytes) {
    warning('The job summary was left out because it is longer than the 1 MiB that GitHub takes.')
    return
  }
  try {
    writeFileSync(path, markdown)
  } catch (error) {
    warning(`The job summary could not be written: ${errorMessage(error)}`)
  }
}
