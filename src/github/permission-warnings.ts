import type { Access, Failure, Permission } from './outcome.ts'

/** Remembers what the token may not do, and tells it once per permission. */
export interface PermissionWarnings {
  /** Why such a call is pointless, when that is known already. */
  known(permission: Permission, access: Access): string | undefined
  report(
    call: { readonly permission: Permission; readonly access: Access; readonly purpose: string },
    failure: Failure,
  ): void
}

export interface PermissionWarningsOptions {
  readonly warning: (message: string) => void
  readonly debug: (message: string) => void
  /** Why this token can write nothing (a pull request from a fork, say), when that is certain beforehand. */
  readonly readOnlyBecause: string | undefined
  readonly hasToken: boolean
}

const NO_TOKEN = "No GitHub token: the input 'github-token' is empty"

/** Starts with what is certain before any call was made. */
export function openPermissionWarnings({
  warning,
  debug,
  readOnlyBecause,
  hasToken,
}: PermissionWarningsOptions): PermissionWarnings {
  const missing = new Map<string, string>()
  let told = false

  function tellOnce(tell: (message: string) => void, message: string): void {
    if (!told) tell(message)
    told = true
  }

  return {
    known(permission, access) {
      if (!hasToken) {
        tellOnce(
          warning,
          `${NO_TOKEN}. There will be no comment and no deployment record; leave the input out to use the job's own token.`,
        )
        return NO_TOKEN
      }
      if (access === 'write' && readOnlyBecause !== undefined) {
        tellOnce(debug, `Nothing is written to GitHub: ${readOnlyBecause}`)
        return readOnlyBecause
      }
      return missing.get(`${permission}: ${access}`)
    },

    report({ permission, access, purpose }, failure) {
      const entry = `${permission}: ${access}`
      if (missing.has(entry)) return
      missing.set(entry, failure.message)
      // Whoever may not read may not write either.
      if (access === 'read') missing.set(`${permission}: write`, failure.message)
      warning(
        [
          `The GitHub token may not ${purpose} (${failure.status ?? 403} ${failure.message}). The deployment goes on without it.`,
          "To allow it, add to the job in the workflow, beside what its 'permissions' has already:",
          '    permissions:',
          `      ${entry}`,
        ].join('\n'),
      )
    },
  }
}
