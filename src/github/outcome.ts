/** What became of one call to GitHub. Nothing here is thrown: GitHub's side decorates the job, it does not decide it. */
export type Outcome<T> = { readonly ok: true; readonly data: T } | Failure

export interface Failure {
  readonly ok: false
  readonly problem: Problem
  /** HTTP status, where there was an answer. */
  readonly status?: number | undefined
  /** GitHub's own words, or those of the network. */
  readonly message: string
}

export type Problem =
  /** The token may not do this, and a `permissions:` entry would let it. */
  | 'missing-permission'
  | 'not-found'
  /** The conversation is locked. */
  | 'locked'
  /** GitHub understood and will not. */
  | 'refused'
  /** Network, 429 or 5xx until the deadline; whether the call had an effect is not known. */
  | 'unreachable'
  /** An answer that is not what GitHub documents. */
  | 'unreadable'

/** An entry below `permissions:` in a workflow. */
export type Permission = 'contents' | 'deployments' | 'issues' | 'pull-requests'

export type Access = 'read' | 'write'
