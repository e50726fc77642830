import { createHash, randomBytes } from 'node:crypto'
import type { Account, Accounts } from '../accounts.ts'
import type { AuthorizationRequest } from './authorization-request.ts'
import { OAuthRefusal } from './refusal.ts'

/** RFC 6749 (4.1.2) recommends ten minutes at most. */
const CODE_LIFETIME_MS = 60_000
const QUESTION_LIFETIME_MS = 600_000

/** What a client presents to turn a code into a key. */
export interface Presented {
  readonly code: string
  readonly clientId: string
  readonly redirectUri: string
  readonly verifier: string
  readonly resources: readonly string[]
}

/** Requests that wait for somebody's decision, and the codes of those that were allowed. */
export interface Grants {
  /** Notes a request down; returns the ticket that the answer to it has to bring along. */
  ask(request: AuthorizationRequest): string
  /** The request that a ticket stands for. A ticket is good for one answer. */
  answered(ticket: string): AuthorizationRequest | undefined
  /** @returns a code that lives for a minute */
  allow(request: AuthorizationRequest, account: Account): string
  /**
   * Makes an API key of a code. A code is spent by being presented, and one that comes back revokes the key it had led to.
   * @throws OAuthRefusal `invalid_grant` or `invalid_target`
   */
  redeem(presented: Presented): string
}

interface Code {
  readonly request: AuthorizationRequest
  readonly account: Account
  readonly expiresAtMs: number
  spent: boolean
  key: string | undefined
}

/** @param nowMs the clock */
export function createGrants(accounts: Accounts, nowMs: () => number): Grants {
  const questions = new Map<string, { readonly request: AuthorizationRequest; readonly expiresAtMs: number }>()
  const codes = new Map<string, Code>()
  return {
    ask(request) {
      const ticket = unguessable()
      questions.set(ticket, { request, expiresAtMs: nowMs() + QUESTION_LIFETIME_MS })
      return ticket
    },
    answered(ticket) {
      const question = questions.get(ticket)
      questions.delete(ticket)
      return question !== undefined && nowMs() < question.expiresAtMs ? question.request : undefined
    },
    allow(request, account) {
      const code = unguessable()
      const expiresAtMs = nowMs() + CODE_LIFETIME_MS
      codes.set(code, { request, account, expiresAtMs, spent: false, key: undefined })
      return code
    },
    redeem(presented) {
      const code = codes.get(presented.code)
      // A code in the wrong hands is as good as unknown: whoever finds one must not be able to spend it.
      if (code === undefined || code.request.client.id !== presented.clientId) {
        throw new OAuthRefusal('invalid_grant', 'the code is not known')
      }
      if (code.spent) {
        if (code.key !== undefined) accounts.revokeKey(code.key)
        throw new OAuthRefusal('invalid_grant', 'the code was used before')
      }
      code.spent = true
      if (nowMs() >= code.expiresAtMs) throw new OAuthRefusal('invalid_grant', 'the code has expired')
      checkBinding(code.request, presented)
      code.key = accounts.addKey(code.account)
      return code.key
    },
  }
}

function checkBinding(request: AuthorizationRequest, presented: Presented): void {
  if (presented.redirectUri !== request.redirectUri) {
    throw new OAuthRefusal('invalid_grant', 'redirect_uri is not the one that the code was sent to')
  }
  if (!/^[A-Za-z0-9._~-]{43,128}$/.test(presented.verifier)) {
    throw new OAuthRefusal('invalid_grant', 'code_verifier must be 43 to 128 characters that need no escape')
  }
  if (createHash('sha256').update(presented.verifier).digest('base64url') !== request.codeChallenge) {
    throw new OAuthRefusal('invalid_grant', 'code_verifier does not fit the challenge')
  }
  if (presented.resources.length === 0 || presented.resources.some((resource) => resource !== request.resource)) {
    throw new OAuthRefusal('invalid_target', 'resource must be the one that access was granted to')
  }
}

function unguessable(): string {
  return randomBytes(32).toString('base64url')
}
