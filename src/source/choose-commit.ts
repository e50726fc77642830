import type { Checkout } from './checkout.ts'
import type { SnapshotRequest } from './contract.ts'

export interface ChosenCommit {
  readonly sha: string
  readonly ref: string
  /** One sentence, when it is not the commit that the event asks for or does not lie in the checkout. */
  readonly why?: string
}

/**
 * Which commit is deployed. The default checkout of a pull request stands at the merge commit, which nobody wrote: then
 * it is the head. Somebody who checked out another commit on purpose gets what they checked out.
 */
export function chooseCommit(
  checkout: Checkout | undefined,
  request: Pick<SnapshotRequest, 'wanted' | 'ordinaryCheckouts'>,
): ChosenCommit {
  const { wanted, ordinaryCheckouts } = request
  if (checkout?.head === undefined) {
    const why = `This repository is not checked out in the workspace, so commit ${short(wanted.sha)} was fetched.`
    return { ...wanted, why }
  }
  if (checkout.head === wanted.sha || ordinaryCheckouts.includes(checkout.head)) return wanted
  const place = checkout.headRef === undefined ? '' : ` (${checkout.headRef})`
  return {
    sha: checkout.head,
    ref: checkout.headRef ?? checkout.head,
    why:
      `The workflow checked out ${short(checkout.head)}${place} and not ${short(wanted.sha)}, the commit of this event, ` +
      'so what it checked out is what is deployed.',
  }
}

/** A commit's name for people. */
export function short(sha: string): string {
  return sha.slice(0, 7)
}
