import { DeployError } from '../core/errors.ts'
import { sanitizePhrase } from '../core/sanitize.ts'

/** What an answer to our request must agree with. */
export interface Expected {
  /** Made for this one request. */
  readonly state: string
  readonly redirectUri: string
  readonly issuer: string
  /** Whether the server has announced that its answers name it (RFC 9207). */
  readonly namesIssuer: boolean
}

/**
 * The code in an answer, once it is clear that it answers our request and comes from whom we asked. Errors are checked
 * in the same way, as anybody can send one.
 *
 * @throws DeployError when it does not, or when access was not given
 */
export function codeIn(answer: URLSearchParams, expected: Expected): string {
  for (const name of ['state', 'iss', 'error', 'code']) {
    if (answer.getAll(name).length > 1) throw suspicious(`it has more than one ${name}`)
  }
  if (answer.get('state') !== expected.state) throw suspicious('its state is not the one of this login')
  const issuer = answer.get('iss')
  if (issuer === null && expected.namesIssuer) throw suspicious('it does not say who sent it')
  if (issuer !== null && issuer !== expected.issuer) {
    throw suspicious(`it comes from ${sanitizePhrase(issuer)} instead of ${expected.issuer}`)
  }
  const error = answer.get('error')
  if (error !== null) throw refused(error, answer.get('error_description'))
  const code = answer.get('code')
  if (!code) throw suspicious('it has no code')
  return code
}

/**
 * The code in what somebody pasted: the address that the browser was led to, or the code alone. A code alone comes
 * without state and issuer; that it is ours shows when it is exchanged, as it is bound to our verifier.
 *
 * @throws DeployError
 */
export function codePasted(text: string, expected: Expected): string {
  const pasted = text.trim()
  if (!/^https?:/i.test(pasted)) {
    if (/^[\x21-\x7e]{1,2048}$/.test(pasted)) return pasted
    throw new DeployError('what was pasted is neither an address nor a code', { hint: AGAIN })
  }
  const address = URL.canParse(pasted) ? new URL(pasted) : undefined
  if (address === undefined || address.origin + address.pathname !== expected.redirectUri) {
    throw new DeployError(`the address pasted is not the one that the browser was led to`, {
      hint: `It starts with ${expected.redirectUri}?. ${AGAIN}`,
    })
  }
  return codeIn(address.searchParams, expected)
}

const AGAIN = 'Log in again.'

function suspicious(why: string): DeployError {
  return new DeployError(`the answer that came back is not for this login: ${why}`, {
    hint: `No key was asked for. ${AGAIN} If it happens again, somebody or something may be interfering.`,
  })
}

function refused(error: string, description: string | null): DeployError {
  const words = sanitizePhrase([error, description].filter(Boolean).join(': '))
  return new DeployError(`ml.ink did not give access: ${words}`, {
    hint: error === 'access_denied' ? `Allow it in the browser to get a key. ${AGAIN}` : AGAIN,
  })
}
