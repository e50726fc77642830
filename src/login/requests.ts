import { OAuthError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { DeployError, errorMessage } from '../core/errors.ts'
import { sanitizePhrase } from '../core/sanitize.ts'

/** The part of `fetch` that logging in needs; injected, so that tests can stand between. */
export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>

const requestTimeoutMs = 20_000

/**
 * `fetch` with a time limit, whose failures are errors of ours: the SDK takes a `TypeError` for a browser's refusal and
 * would go on as if there were nothing at that address.
 */
export function boundedFetch(fetch: Fetch, signal: AbortSignal): Fetch {
  return async (url, init) => {
    try {
      return await fetch(url, { ...init, signal: AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]) })
    } catch (cause) {
      signal.throwIfAborted()
      throw new DeployError(`${new URL(url).host} could not be reached`, {
        cause,
        hint: 'Check the network, the proxy settings and --endpoint.',
      })
    }
  }
}

/**
 * Carries out one step with the SDK, whose errors become ours.
 * @param step completes “ml.ink did not …”
 */
export async function step<T>(step: string, signal: AbortSignal, act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeployError) throw error
    const code = error instanceof OAuthError ? `${error.errorCode}: ` : ''
    // Foreign words, of any length: a page of HTML where a proxy answers.
    const words = sanitizePhrase(`${code}${errorMessage(error)}`)
    throw new DeployError(`ml.ink did not ${step}: ${words}`, {
      hint: 'Log in again. If it stays so, make a key at ml.ink (account, API keys) and save it as the secret by hand.',
    })
  }
}
