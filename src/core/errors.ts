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
