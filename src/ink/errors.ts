import { DeployError, errorCode, errorMessage } from '../core/errors.ts'
import { describeBody } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'

/** What kind of failure talking to ml.ink was, with what its reader can do where nobody knows better. */
const hints = {
  unauthorized: 'Make a new API key at ml.ink (account, API keys) and store it as the repository secret INK_API_KEY.',
  forbidden: 'The API key is valid but may not do this. Use the key of the account that owns the service.',
  'payment-required':
    'Nothing was paid. Top the account up at ml.ink, then run the job again; `on-quota: skip` lets pull requests pass.',
  'no-credits': 'Top up the account at ml.ink, or set `on-quota: skip` to let pull requests pass without a preview.',
  'rate-limited': 'Run fewer deployments at the same time, or run the job again later.',
  'not-found': 'Check the `endpoint` input; the usual one is https://mcp.ml.ink/mcp.',
  unavailable: 'Run the job again in a few minutes.',
  unreachable:
    'Check the `endpoint` input and whether this runner may open connections to that host, through a proxy where HTTPS_PROXY names one.',
  'lost-answer': 'Run the job again; what was started meanwhile is found again.',
  redirected: 'Check the `endpoint` input; the usual one is https://mcp.ml.ink/mcp.',
  'session-ended': 'Run the job again; the server forgets sessions faster than they are used.',
  protocol: 'Check that `endpoint` is an MCP endpoint of ml.ink; the usual one is https://mcp.ml.ink/mcp.',
  'missing-tool':
    'Check the `endpoint` input. If ml.ink has renamed its tools, a newer version of this action knows the new names.',
  tool: 'The text above is the platform’s own; it says what to change.',
} as const

type PlatformFailure = keyof typeof hints

/** A failed conversation with ml.ink. */
export class PlatformError extends DeployError {
  override readonly name: string = 'PlatformError'
  readonly failure: PlatformFailure
  /** Milliseconds that the server asked us to wait (`Retry-After`). */
  readonly retryAfterMs: number | undefined

  constructor(
    failure: PlatformFailure,
    message: string,
    options: { hint?: string | undefined; cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, { ...options, hint: options.hint ?? hints[failure] })
    this.failure = failure
    this.retryAfterMs = options.retryAfterMs
  }
}

/** A tool answered with `isError`. `text` is the platform's own wording and always part of the message. */
export class ToolError extends PlatformError {
  override readonly name = 'ToolError'
  readonly tool: string
  readonly text: string
  readonly reason: ToolFailure

  constructor(tool: string, text: string, reason: ToolFailure = classifyToolError(text)) {
    super('tool', `ml.ink refused ${tool}: ${text}`, { hint: toolHints[reason] })
    this.tool = tool
    this.text = text
    this.reason = reason
  }
}

// The platform gives no codes. First match wins, so the narrow texts come first.
const toolTexts = [
  // The losers of races get the database’s own errors; each means: read again, then update (seen on the server of G1).
  [/one_inflight/i, 'in-flight'],
  [/duplicate key value/i, 'name-taken'],
  [/redeploy failed/i, 'redeploy-failed'],
  [/wind(ing)? down|still (running|in progress|building)|workflow.*already/i, 'winding-down'],
  [/already exists|already taken|already in use|name is taken/i, 'name-taken'],
  [/not authenticated|invalid api key|user not found/i, 'not-authenticated'],
  [/service.* not found/i, 'service-not-found'],
  [/repo.* not found|create it first with/i, 'repository-not-found'],
  [/(resource|database|instance|volume|zone|record).* not found/i, 'resource-not-found'],
  [/insufficient (credit|balance|fund)|out of credit|payment required|no credits/i, 'credits'],
  [
    /quota|limit (reached|exceeded)|exceeds? .*limit|too many services|maximum (number )?of|upgrade your plan/i,
    'quota',
  ],
  [/region/i, 'region'],
  [/belongs to another/i, 'not-our-repository'],
  [/invalid|is required|only supported with|must be/i, 'invalid-argument'],
] as const

/** What a tool's error text means, as far as it is known. */
export type ToolFailure = (typeof toolTexts)[number][1] | 'other'

const toolHints: Partial<Record<ToolFailure, string>> = {
  'not-authenticated': hints.unauthorized,
  'name-taken':
    'Something of this name exists. Where it is a service that is not ours to change: choose another `service` name, or set `adopt: true` if it is yours.',
  'in-flight': 'Another run changed the service at the same moment. Run the job again.',
  quota: 'Remove services that are not needed, raise the plan at ml.ink, or set `on-quota: evict-oldest`.',
  credits: hints['no-credits'],
  region: 'Choose another `region`, or leave the input out for the platform’s default.',
  'not-our-repository':
    'The API key belongs to another account than the repository on ml.ink. Use that account’s key, or set `repo` to another name.',
}

/** Reads a tool's error text by case-insensitive substring. */
export function classifyToolError(text: string): ToolFailure {
  return toolTexts.find(([pattern]) => pattern.test(text))?.[1] ?? 'other'
}

// These say that no connection came about, so the request cannot have been processed.
const neverSent = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** Turns what `fetch` threw into a {@link PlatformError} that says whether the request may have been processed. */
export function networkError(cause: unknown, host: string): PlatformError {
  const reason = errorMessage(cause)
  // A proxy that opens no tunnel has passed nothing on either.
  if (neverSent.test(errorCode(cause) ?? '') || /^Proxy response/.test(reason)) {
    return new PlatformError('unreachable', `ml.ink cannot be reached at ${host}: ${reason}`, { cause })
  }
  const what = `The connection to ml.ink (${host}) broke before its answer was complete: ${reason}`
  return new PlatformError('lost-answer', what, { cause })
}

/** An answer that no honest server of MCP gives, and would give again. */
export function protocolError(message: string, cause?: unknown): PlatformError {
  return new PlatformError('protocol', message, { cause })
}

/** Turns an HTTP status that is not a success into a {@link PlatformError}. `body` is shown, so it must hold no secret. */
export function httpError(status: number, body: string, host: string, retryAfterMs: number | undefined): PlatformError {
  const words = describeBody(body)
  const answer = `(HTTP ${status}${words && `: ${words}`})`
  const known: Readonly<Record<number, readonly [PlatformFailure, string]>> = {
    401: ['unauthorized', 'ml.ink did not accept the API key'],
    403: ['forbidden', 'ml.ink refused the request'],
    404: ['not-found', `There is no MCP endpoint at ${host}`],
    429: ['rate-limited', 'ml.ink asks us to slow down'],
    500: ['unavailable', 'ml.ink is having trouble'],
  }
  const [failure, message] = known[Math.min(status, 500)] ?? []
  if (!failure) return protocolError(`ml.ink gave an answer we do not understand ${answer}`)
  const passing = status === 429 || status >= 500
  return new PlatformError(failure, `${message} ${answer}`, { retryAfterMs: passing ? retryAfterMs : undefined })
}

/** Turns a JSON-RPC error into a {@link PlatformError}. `method` is the tool, or the method of the protocol. */
export function rpcError(method: string, cause: { code: number; message: string }): PlatformError {
  const said = sanitizePhrase(cause.message.replace(/^MCP error -?\d+: /, ''))
  switch (cause.code) {
    // The SDK's own: the request timed out, the connection was closed.
    case -32001:
    case -32000:
      return new PlatformError('lost-answer', `ml.ink did not answer ${method}: ${said}`, { cause })
    // Invalid parameters: G1 answers a call that its own schema forbids in this way and never with `isError`.
    case -32602:
      return new ToolError(method, said, /unknown tool/i.test(said) ? 'other' : 'invalid-argument')
    // A list tool of G1 that fails returns no list, which its own output schema then refuses; the reason is lost there.
    case 0:
      return new ToolError(method, `it failed, and its reason got lost on the way (${said})`, 'other')
    // An internal error.
    case -32603:
      return new PlatformError('unavailable', `ml.ink is having trouble with ${method}: ${said}`, { cause })
    default:
      return protocolError(`ml.ink refused ${method}: ${said} (JSON-RPC error ${cause.code})`, cause)
  }
}

function failedAs(error: unknown, ...failures: readonly PlatformFailure[]): error is PlatformError {
  return error instanceof PlatformError && failures.includes(error.failure)
}

/** Whether the same request may succeed a little later: network faults, 429 and 5xx, nothing else. */
export function isTransient(error: unknown): error is PlatformError {
  return failedAs(error, 'rate-limited', 'unavailable', 'unreachable', 'lost-answer')
}

/** Whether the server gave no answer at all. */
export function isSilence(error: unknown): error is PlatformError {
  return failedAs(error, 'unreachable', 'lost-answer')
}

/** Whether the request may have been carried out although its answer never came. */
export function mayHaveHappened(error: unknown): boolean {
  return failedAs(error, 'lost-answer', 'unavailable')
}

/** Whether it is certain that the request was not carried out: no connection, or turned away before anything was done. */
export function neverCarriedOut(error: unknown): boolean {
  return failedAs(error, 'unreachable', 'rate-limited')
}

/** Whether an error says that the name is taken, which a service in deletion and a lost race also cause. */
export function isNameTaken(error: unknown): boolean {
  return error instanceof ToolError && error.reason === 'name-taken'
}

/** Whether an error says that the account may not have more. */
export function isOverQuota(error: unknown): boolean {
  return (error instanceof ToolError && error.reason === 'quota') || isOutOfMoney(error)
}

/** Whether an error says that the account cannot pay, which removing a service does not help. */
export function isOutOfMoney(error: unknown): boolean {
  if (error instanceof ToolError) return error.reason === 'credits'
  return failedAs(error, 'payment-required', 'no-credits')
}
