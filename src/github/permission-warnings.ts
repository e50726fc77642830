import type { Access, Failure, Permission } from './outcome.ts'

/** What a call needs, and what for. */
export interface Need {
  readonly permission: Permission
  readonly access: Access
  readonly purpose: string
}

/** Remembers what the token may not do, and tells it once per permission. */
export interface PermissionWarnings {
  /** Why such a call is pointless, when that is known already. */
  known(need: Need): string | undefined
  report(need: Need, failure: Failure): void
}

// What the action needs of each in the end: whoever is told to add `read` today would be told to add `write` tomorrow.
const WANTED: Readonly<Record<Permission, Access>> = {
  contents: 'read',
  deployments: 'write',
  issues: 'write',
  'pull-requests': 'write',
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
  // By purpose, not by permission: writing comments works with `issues: write` as well.
  const missing = new Map<string, string>()
  const warned = new Set<Permission>()
  let told = false

  function tellOnce(tell: (message: string) => void, message: string): void {
    if (!told) tell(message)
    told = true
  }

  return {
    known({ access, purpose }) {
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
      return missing.get(purpose)
    },

    report({ permission, purpose }, failure) {
      missing.set(purpose, failure.message)
      if (warned.has(permission)) return
      warned.add(permission)
      warning(
        [
          `The GitHub token may not ${purpose} (${failure.status ?? 403} ${failure.message}). The deployment goes on without it.`,
          "To allow it, add to the job in the workflow, beside what its 'permissions' has already:",
          '    permissions:',
          `      ${permission}: ${WANTED[permission]}`,
        ].join('\n'),
      )
    },
  }
}
