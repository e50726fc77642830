import { DeployError, errorCode, errorMessage } from '../core/errors.ts'
import { paymentTerms } from './payment-terms.ts'

/** What kind of failure talking to ml.ink was. */
export type PlatformFailure =
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
  | 'already-exists'
  | 'redeploy-failed'
  | 'winding-down'
  | 'region'
  | 'invalid-argument'
  | 'foreign-repository'
  | 'quota'
  | 'credits'
  | 'other'

/** A tool answered with `isError`. `text` is the platform's own wording and always part of the message. */
export class ToolError extends PlatformError {
  override readonly name = 'ToolError'
  readonly tool: string
  readonly text: string
  readonly reason: ToolFailure

  constructor(tool: string, text: string) {
    const reason = classifyToolError(text)
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
  [/redeploy failed/i, 'redeploy-failed'],
  [/wind(ing)? down|still (running|in progress|building)|workflow.*already/i, 'winding-down'],
  // The loser of two simultaneous creations gets the database’s own error (seen on the server of G1).
  [/duplicate key value/i, 'already-exists'],
  [/already exists|already taken|already in use|name is taken/i, 'already-exists'],
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
  [/belongs to another/i, 'foreign-repository'],
  [/invalid|is required|only supported with|must be/i, 'invalid-argument'],
]

const toolHints: Partial<Record<ToolFailure, string>> = {
  'not-authenticated': 'Make a new API key at ml.ink (account, API keys) and store it as the secret INK_API_KEY.',
  'already-exists':
    'A service of this name exists and is not ours to change. Choose another `service` name, or set `adopt: true` if it is yours.',
  quota: 'Remove services that are not needed, raise the plan at ml.ink, or set `on-quota: evict-oldest`.',
  credits: 'Top up the account at ml.ink, or set `on-quota: skip` to let pull requests pass without a preview.',
  region: 'Choose another `region`, or leave the input out for the platform’s default.',
  'foreign-repository':
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
  if (neverSent.has(errorCode(thrown) ?? '')) {
    return new PlatformError('unreachable', `ml.ink cannot be reached at ${host}: ${reason}`, {
      cause: thrown,
      hint: 'Check the `endpoint` input and whether this runner may open connections to that host.',
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

/** Turns an HTTP status that is not a success into a {@link PlatformError}. `body` is shown, so it must hold no secret. */
export function httpError(status: number, body: string, host: string, retryAfterMs: number | undefined): PlatformError {
  const said = body.trim() ? `: ${body.trim().slice(0, 300)}` : ''
  const options = retryAfterMs === undefined ? {} : { retryAfterMs }
  switch (status) {
    case 401:
      return new PlatformError('unauthorized', `ml.ink did not accept the API key (HTTP 401${said})`, {
        hint: 'Make a new API key at ml.ink (account, API keys) and store it as the repository secret INK_API_KEY.',
      })
    case 402:
      return paymentRequired(paymentTerms(body) ?? body.trim().slice(0, 300))
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

// Never paid and never asked again: what a deployment may cost is for people to decide.
function paymentRequired(terms: string): PlatformError {
  return new PlatformError(
    'payment-required',
    `ml.ink answered “payment required” (HTTP 402)${terms ? `. Its terms: ${terms}` : ''}`,
    {
      hint: 'Nothing was paid. Top the account up at ml.ink, then run the job again; `on-quota: skip` lets pull requests pass.',
    },
  )
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
