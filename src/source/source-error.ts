import { DeployError } from '../core/errors.ts'

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
  | 'payment-required'
  | 'unreachable'
  | 'git-failed'

/** A failure of this room. No secrets in it. */
export class SourceError extends DeployError {
  override readonly name = 'SourceError'
  readonly code: SourceErrorCode

  constructor(code: SourceErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}
