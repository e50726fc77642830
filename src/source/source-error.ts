/** What went wrong, for callers that act on it. The text is for people. */
export type SourceErrorCode =
  | 'bad-remote'
  | 'no-git'
  | 'no-commit'
  | 'no-directory'
  | 'no-submodule'
  | 'branch-conflict'
  | 'denied'
  | 'rejected'
  | 'unreachable'
  | 'git-failed'

/** A failure of this room: the message says what happened to what, the hint what to do about it. No secrets in either. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly code: SourceErrorCode
  readonly hint: string | undefined

  constructor(code: SourceErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}
