/**
 * An error for the person who reads the log: the message says what happened and to what, the hint what to do about it.
 * Every error that this project throws on purpose derives from this class; anything else is a defect of ours.
 */
export class DeployError extends Error {
  override readonly name: string = 'DeployError'
  /** What the reader can change. One or two sentences, no secret. */
  readonly hint: string | undefined

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.hint = options.hint
  }
}

const causesShown = 4

/**
 * The text of anything that was thrown, with the reasons behind it: a failed fetch says only "fetch failed" and keeps
 * the real reason in its `cause` (and, for a host with several addresses, in the `errors` of that cause).
 */
export function errorMessage(thrown: unknown): string {
  const parts: string[] = []
  let current: unknown = thrown
  for (let depth = 0; depth < causesShown && current !== undefined && current !== null; depth++) {
    const text = ownMessage(current)
    if (text && !parts.some((part) => part.includes(text))) parts.push(text)
    current = nextCause(current)
  }
  return parts.join(': ') || 'unknown error'
}

function ownMessage(thrown: unknown): string {
  // Node reports a failed connection to a host of several addresses as an aggregate without a text of its own.
  if (thrown instanceof AggregateError && thrown.message === '') {
    return [...new Set(thrown.errors.map((each: unknown) => ownMessage(each)))].join(', ')
  }
  if (thrown instanceof Error) return thrown.message || errorCode(thrown) || thrown.name
  return typeof thrown === 'string' ? thrown : (JSON.stringify(thrown) ?? String(thrown))
}

function nextCause(thrown: unknown): unknown {
  if (thrown instanceof AggregateError && thrown.message !== '') return thrown.errors[0]
  return thrown instanceof Error ? thrown.cause : undefined
}

/** The `code` that Node's system and network errors carry (`ECONNREFUSED`), looked for along the causes. */
export function errorCode(thrown: unknown): string | undefined {
  let current: unknown = thrown
  for (let depth = 0; depth < causesShown && current instanceof Error; depth++) {
    if ('code' in current && typeof current.code === 'string') return current.code
    current = nextCause(current)
  }
  return undefined
}

// How Temporal, which runs the platform's builds, writes an error around its cause (go.temporal.io/sdk, `temporal/error.go`).
const WRAPPER = /(?:activity error|(?:child )?workflow execution error) \([^()]{0,1000}\): /
const TYPE_OF_ERROR = / ?\(type: [^()]{0,200}, retryable: (?:true|false)\)/

/**
 * The reason at the bottom of an error that a workflow engine has wrapped: of `child workflow execution error (…):
 * activity error (…): git clone failed: … (type: wrapError, retryable: true): …` it is `git clone failed: …`.
 * A text without such wrapping comes back as it is.
 */
export function innermostReason(text: string): string {
  const reasons = text.split(WRAPPER).map((part) => (part.split(TYPE_OF_ERROR)[0] ?? '').trim())
  return reasons.findLast((reason) => reason !== '') ?? text.trim()
}

/** A finding at a place of the repository, or of the run where no file is given. */
export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly title: string
  readonly message: string
  /** Relative to the repository's root. */
  readonly file?: string | undefined
  /** Starts at 1, as does the column. */
  readonly line?: number | undefined
  readonly column?: number | undefined
}
