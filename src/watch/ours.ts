import type { ServiceReading } from './verdict.ts'

/** What tells our deployment from others. */
export interface OurMarks {
  /** The branch that this deployment alone uses: the proof of whose status we read. */
  readonly branch: string
  /** The SHA that our branch points at, to check readings of those generations that tell the commit. */
  readonly commitHash?: string
}

/** Whether a reading is about our branch. Without a branch only our commit proves it. */
export function isOurs(reading: ServiceReading, ours: OurMarks): boolean {
  if (reading.branch !== undefined) return reading.branch === ours.branch
  return ours.commitHash !== undefined && reading.commitHash !== undefined && !isOtherCommit(reading, ours)
}

/** Whether a reading names a commit, and another one than ours. Either side may be abbreviated. */
export function isOtherCommit({ commitHash: theirs }: ServiceReading, { commitHash: ours }: OurMarks): boolean {
  if (ours === undefined || theirs === undefined || theirs === '') return false
  return !ours.startsWith(theirs) && !theirs.startsWith(ours)
}
