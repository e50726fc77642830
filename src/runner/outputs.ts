import * as core from '@actions/core'
import type { Masks } from './masks.ts'

/** The action's outputs, by their names in `action.yml`. */
export const outputNames = [
  'url',
  'status',
  'action',
  'environment',
  'service',
  'service-id',
  'repo',
  'branch',
  'commit',
  'snapshot',
  'duration-seconds',
  'build-seconds',
  'comment-id',
  'deployment-id',
  'skipped-reason',
  'removed',
  'cost-per-day',
] as const
export type OutputName = (typeof outputNames)[number]

/**
 * Sets outputs as soon as they are known. One that contains a starred value does not leave its job, for the runner
 * drops it without a word; that word is said here, once for each.
 */
export function openOutputs(masks: Pick<Masks, 'hides'>, warning: (text: string) => void) {
  const warned = new Set<OutputName>()
  return (name: OutputName, value: string | number): void => {
    core.setOutput(name, value)
    if (warned.has(name) || !masks.hides(String(value))) return
    warned.add(name)
    warning(
      `The output ${name} contains a value that is masked as a secret, so GitHub will not pass it on to other jobs. ` +
        'Look for a secret that is part of a name or URL, and make it a plain variable or choose another name.',
    )
  }
}
