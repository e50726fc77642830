import type { WaitingPhase } from '../deployment-watch.ts'

/** Where a recogniser looks. The runtime log only says something about a deployment whose container was started. */
export type LogKind = 'platform' | 'build' | 'runtime'

/** How the deployment ended, as far as it matters for the search. */
export type FailureKind = 'failed' | 'crashed' | 'timed-out' | 'unhealthy' | 'cancelled'

/** A line that a recogniser's pattern matched. */
export interface Match {
  readonly groups: Readonly<Record<string, string>>
  /** The matched line, without container prefixes. */
  readonly line: string
  /** How many lines of this log the pattern matches. */
  readonly count: number
  /** The first match of a pattern on the lines from the matched one on, at most `lines` of them. */
  readonly find: (pattern: RegExp, lines?: number) => Readonly<Record<string, string>> | undefined
  /** The matched line and those after it, at most `lines` of them, joined to one line. Tools wrap their messages. */
  readonly text: (lines: number) => string
}

/** Knows one way to fail, by one telling line. */
export interface Recogniser {
  /** `family/failure`, unique. */
  readonly name: string
  /** The tool that failed, as its users write it. */
  readonly tool?: string
  readonly in: readonly LogKind[]
  /** Matched against single lines, without container prefixes and terminal codes. */
  readonly pattern: RegExp
  /** What must, or must not, stand near the line as well, it included. */
  readonly near?: {
    readonly pattern: RegExp
    readonly above?: number
    readonly below?: number
    readonly absent?: boolean
  }
  /** Takes the last matching line instead of the first: some tools tell the reason at the end. */
  readonly last?: boolean
  /** Applies only to these ends of a deployment, or only when the time went into one of these phases. */
  readonly when?: { readonly kinds?: readonly FailureKind[]; readonly phases?: readonly WaitingPhase[] }
  /** One line: what failed, to what. */
  readonly cause: (match: Match) => string
  /** What to do about it. */
  readonly hint: (match: Match) => string
}

/** A hint or cause that does not depend on the match. */
export function always(text: string): () => string {
  return () => text
}

/** A path of the container as its owner knows it. */
export function shownPath(path: string | undefined): string {
  return (path ?? '').replace(/^(?:file:\/\/)?\/(?:app|workspace|usr\/src\/app)\/|^\.\//, '')
}

/** `, and 3 more` when a pattern matched more than once. */
export function andMore(match: Match): string {
  return match.count > 1 ? `, and ${match.count - 1} more` : ''
}
