import { DeployError, errorCode, errorMessage } from '../core/errors.ts'
import { type AnswerTooLarge, describeBody } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'

/** What kind of failure talking to ml.ink was. */
type PlatformFailure =
  | 'unauthorized'
  | 'forbidden'
  | 'payment-required'
  | 'no-credits'
  | 'rate-limited'
  | 'not-found'
  | 'unavailable'
  | 'unreachable'
  | 'lost-answer'
  | 'redirected'
  | 'session-ended'
  | 'protocol'
  | 'missing-tool'
  | 'tool'

/** A failed conversation with ml.ink. */
export class PlatformError extends DeployError {
  override readonly name: string = 'PlatformError'
  readonly failure: PlatformFailure
  /** Milliseconds that the server asked us to wait (`Retry-After`). */
  readonly retryAfterMs: number | undefined

  constructor(
    failure: PlatformFailure,
    message: string,
    options: { hint?: string; cause?: unknown; retryAfterMs?: number } = {},
  ) {
    super(message, options)
    this.failure = failure
    this.retryAfterMs = options.retryAfterMs
  }
}

/** What a tool's error text means; the platform gives no codes, so texts are classified by substring. */
export type ToolFailure =
  | 'not-authenticated'
  | 'service-not-found'
  | 'repository-not-found'
  | 'resource-not-found'
  | 'name-taken'
  | 'in-flight'
  | 'redeploy-failed'
  | 'winding-down'
  | 'region'
  | 'invalid-argument'
  | 'not-our-repository'
  | 'quota'
  | 'credits'
  | 'other'

/** A tool answered with `isError`. `text` is the platform's own wording and always part of the message. */
export class ToolError extends PlatformError {
  override readonly name = 'ToolError'
  readonly tool: string
  readonly text: string
  readonly reason: ToolFailure

  constructor(tool: string, text: string, reason: ToolFailure = classifyToolError(text)) {
    super('tool', `ml.ink refused ${tool}: ${text}`, {
      hint: toolHints[reason] ?? 'The text above is the platform’s own; it says what to change.',
    })
    this.tool = tool
    this.text = text
    this.reason = reason
  }
}

// First match wins, so the narrow texts come first.
const toolTexts: readonly (readonly [RegExp, ToolFailure])[] = [
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
]

const toolHints: Partial<Record<ToolFailure, string>> = {
  'not-authenticated': 'Make a new API key at ml.ink (account, API keys) and store it as the secret INK_API_KEY.',
  'name-taken':
    'Something of this name exists. Where it is a service that is not ours to change: choose another `service` name, or set `adopt: true` if it is yours.',
  'in-flight': 'Another run changed the service at the same moment. Run the job again.',
  quota: 'Remove services that are not needed, raise the plan at ml.ink, or set `on-quota: evict-oldest`.',
  credits: 'Top up the account at ml.ink, or set `on-quota: skip` to let pull requests pass without a preview.',
  region: 'Choose another `region`, or leave the input out for the platform’s default.',
  'not-our-repository':
    'The API key belongs to another account than the repository on ml.ink. Use that account’s key, or set `repo` to another name.',
}

/** Reads a tool's error text by case-insensitive substring. */
export function classifyToolError(text: string): ToolFailure {
  return toolTexts.find(([pattern]) => pattern.test(text))?.[1] ?? 'other'
}

// These say that no connection came about, so the request cannot have been processed.
const neverSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** Turns what `fetch` threw into a {@link PlatformError} that says whether the request may have been processed. */
export function networkError(thrown: unknown, host: string): PlatformError {
  const reason = errorMessage(thrown)
  // A proxy that opens no tunnel has passed nothing on either.
  if (neverSent.has(errorCode(thrown) ?? '') || /^Proxy response/.test(reason)) {
    return new PlatformError('unreachable', `ml.ink cannot be reached at ${host}: ${reason}`, {
      cause: thrown,
      hint: 'Check the `endpoint` input and whether this runner may open connections to that host, through a proxy where HTTPS_PROXY names one.',
    })
  }
  return new PlatformError(
    'lost-answer',
    `The connection to ml.ink (${host}) broke before its answer was complete: ${reason}`,
    {
      cause: thrown,
      hint: 'Run the job again; a deployment that was started meanwhile is found again by its branch.',
    },
  )
}

/** An answer that is larger than any honest one, which would not be smaller the next time. */
export function tooLargeError(cause: AnswerTooLarge, host: string): PlatformError {
  return new PlatformError('protocol', `ml.ink (${host}) answered with more than can be taken: ${cause.message}`, {
    cause,
    hint: 'Check that `endpoint` is an MCP endpoint of ml.ink.',
  })
}

/** Turns an HTTP status that is not a success into a {@link PlatformError}. `body` is shown, so it must hold no secret. */
export function httpError(status: number, body: string, host: string, retryAfterMs: number | undefined): PlatformError {
  const words = describeBody(body)
  const said = words ? `: ${words}` : ''
  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  switch (status) {
    case 401:
      return new PlatformError('unauthorized', `ml.ink did not accept the API key (HTTP 401${said})`, {
        hint: 'Make a new API key at ml.ink (account, API keys) and store it as the repository secret INK_API_KEY.',
      })
    case 403:
      return new PlatformError('forbidden', `ml.ink refused the request (HTTP 403${said})`, {
        hint: 'The API key is valid but may not do this. Use the key of the account that owns the service.',
      })
    case 404:
      return new PlatformError('not-found', `There is no MCP endpoint at ${host} (HTTP 404${said})`, {
        hint: 'Check the `endpoint` input; the usual one is https://mcp.ml.ink/mcp.',
      })
    case 429:
      return new PlatformError('rate-limited', `ml.ink asks us to slow down (HTTP 429${said})`, {
        ...options,
        hint: 'Run fewer deployments at the same time, or run the job again later.',
      })
    default:
      return status >= 500
        ? new PlatformError('unavailable', `ml.ink is having trouble (HTTP ${status}${said})`, {
            ...options,
            hint: 'Run the job again in a few minutes.',
          })
        : new PlatformError('protocol', `ml.ink gave an answer we do not understand (HTTP ${status}${said})`, {
            hint: 'Check that `endpoint` is an MCP endpoint of ml.ink.',
          })
  }
}

/** Never paid and never asked again: what a deployment may cost is for people to decide. `terms` are shown. */
export function paymentRequired(terms: string): PlatformError {
  return new PlatformError(
    'payment-required',
    `ml.ink answered “payment required” (HTTP 402)${terms ? `. Its terms: ${terms}` : ''}`,
    {
      hint: 'Nothing was paid. Top the account up at ml.ink, then run the job again; `on-quota: skip` lets pull requests pass.',
    },
  )
}

const rpc = {
  requestTimedOut: -32001,
  connectionClosed: -32000,
  invalidParams: -32602,
  internal: -32603,
  failedListing: 0,
}

/** Turns a JSON-RPC error into a {@link PlatformError}. `method` is the tool, or the method of the protocol. */
export function rpcError(method: string, error: { code: number; message: string }): PlatformError {
  const said = sanitizePhrase(error.message.replace(/^MCP error -?\d+: /, ''))
  switch (error.code) {
    case rpc.requestTimedOut:
    case rpc.connectionClosed:
      return new PlatformError('lost-answer', `ml.ink did not answer ${method}: ${said}`, {
        cause: error,
        hint: 'Run the job again; what was started meanwhile is found again.',
      })
    case rpc.invalidParams:
      // G1 answers a call that its own schema forbids in this way and never with `isError`.
      return new ToolError(method, said, /unknown tool/i.test(said) ? 'other' : 'invalid-argument')
    case rpc.failedListing:
      // A list tool of G1 that fails returns no list, which its own output schema then refuses; the reason is lost there.
      return new ToolError(method, `it failed, and its reason got lost on the way (${said})`, 'other')
    case rpc.internal:
      return new PlatformError('unavailable', `ml.ink is having trouble with ${method}: ${said}`, {
        cause: error,
        hint: 'Run the job again in a few minutes.',
      })
    default:
      return new PlatformError('protocol', `ml.ink refused ${method}: ${said} (JSON-RPC error ${error.code})`, {
        cause: error,
        hint: 'The server speaks another dialect of MCP than expected; check `endpoint`.',
      })
  }
}

/** Whether the same request may succeed a little later: network faults, 429 and 5xx, nothing else. */
export function isTransient(error: unknown): error is PlatformError {
  return (
    error instanceof PlatformError &&
    ['rate-limited', 'unavailable', 'unreachable', 'lost-answer'].includes(error.failure)
  )
}

/** Whether the request may have been carried out although its answer never came. */
export function mayHaveHappened(error: unknown): boolean {
  return error instanceof PlatformError && (error.failure === 'lost-answer' || error.failure === 'unavailable')
}

/** Whether it is certain that the request was not carried out: no connection, or turned away before anything was done. */
export function neverCarriedOut(error: unknown): boolean {
  return error instanceof PlatformError && (error.failure === 'unreachable' || error.failure === 'rate-limited')
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
  return error instanceof PlatformError && (error.failure === 'payment-required' || error.failure === 'no-credits')
}
