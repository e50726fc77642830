import { shortSha } from '../core/format.ts'
import type { PullRequest } from './event.ts'
import type { PlanInput, ProductionIntent } from './intent.ts'
import { previewName } from './names.ts'
import { matchesPaths } from './paths.ts'
import type { ChangedFilesOf, Facts, NeededFact, NeedsPlan, NonePlan, Place } from './plan.ts'

/**
 * What is to be deployed, held against what is live. Never against the push before: its run may have been cancelled, or have
 * failed, or a push may have taken back what is live. Where nothing is known, the answer is to deploy.
 */

/** Why no file counts that has changed since the version that the preview runs, or, where there is none, since the base. */
export function unchangedPreview(
  input: PlanInput,
  { number, head }: PullRequest,
  place: Place,
  facts: Facts,
): NeedsPlan | string | undefined {
  const { paths } = input.settings
  if (paths === undefined) return undefined
  const { live } = facts
  if (live === undefined) return needs({ fact: 'live', place, serviceName: previewName(place.baseName, number) })
  if (live === 'absent') return unchangedPaths(paths, { kind: 'pull-request', number }, facts)
  if (live === 'unknown') return undefined
  if (live.commit === head.sha) return unchangedReason(paths)
  return unchangedPaths(paths, { kind: 'range', before: live.commit, after: head.sha }, facts)
}

/** Why production stays as it is: something newer is live, or none of the files that changed since counts. */
export function heldByLive(
  { settings, context }: PlanInput,
  { wanted, byPerson }: ProductionIntent,
  place: Place,
  facts: Facts,
): NeedsPlan | NonePlan | undefined {
  const compares = settings.paths !== undefined && !byPerson
  const startedAgain = context.runAttempt > 1
  if (!compares && !startedAgain) return undefined
  const { live } = facts
  if (live === undefined) return needs({ fact: 'live', place, serviceName: place.baseName })
  if (typeof live === 'string' || (startedAgain && live.commit === wanted.sha)) return undefined
  const newer = startedAgain ? newerIsLive(wanted, live.commit, facts) : undefined
  if (newer || !compares) return newer
  const { paths = [] } = settings
  const unchanged =
    live.commit === wanted.sha
      ? unchangedReason(paths)
      : unchangedPaths(paths, { kind: 'range', before: live.commit, after: wanted.sha }, facts)
  if (typeof unchanged !== 'string') return unchanged
  return { kind: 'none', status: 'skipped', reason: unchanged, pullRequest: undefined }
}

/** A run that is started again must not put its old commit over a newer one without a word. */
function newerIsLive(wanted: ProductionIntent['wanted'], live: string, facts: Facts): NeedsPlan | NonePlan | undefined {
  const { relation } = facts
  if (relation === undefined) return needs({ fact: 'relation', of: { base: wanted.sha, head: live, ref: wanted.ref } })
  if (relation !== 'ahead') return undefined
  const [old, now] = [shortSha(wanted.sha), shortSha(live)]
  const reason = `this run was started again for ${old}, and production runs the newer ${now} already; to go back on purpose use command: rollback with rollback-to: ${old}`
  return { kind: 'none', status: 'superseded', reason, pullRequest: undefined }
}

/** Why none of the changed files counts; undefined when one does, or when nobody knows. */
function unchangedPaths(paths: readonly string[], of: ChangedFilesOf, facts: Facts): NeedsPlan | string | undefined {
  const { changedFiles } = facts
  if (changedFiles === undefined) return needs({ fact: 'changedFiles', of })
  // Better one deployment too many than a change that is not live.
  if (changedFiles === 'unreadable' || matchesPaths(paths, changedFiles)) return undefined
  return unchangedReason(paths)
}

function unchangedReason(paths: readonly string[]): string {
  return `none of the changed files matches paths (${paths.join(', ')}); what was deployed before stays`
}

function needs(need: NeededFact): NeedsPlan {
  return { kind: 'needs', need }
}
