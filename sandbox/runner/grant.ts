import type { AccessLevel } from '../github/github.ts'
import { basicCredential } from './checkout.ts'
import type { JobContext } from './job-context.ts'
import { Masker } from './masker.ts'
import type { RunOptions } from './run-options.ts'

/** What a job may do when neither workflow nor repository say otherwise (GitHub's restricted default). */
const DEFAULT_PERMISSIONS: Readonly<Record<string, AccessLevel>> = { contents: 'read', packages: 'read' }

/** What a job is trusted with. */
export interface Grant {
  readonly token: string
  /** The `secrets` context. */
  readonly secrets: Readonly<Record<string, string>>
  readonly masker: Masker
  /** Ends the validity of a token that was made for this job. */
  revokeToken(): void
}

/** Gives a job its token and secrets, which for forks and Dependabot are a token that can only read, and none. */
export function grant(options: RunOptions, context: JobContext): Grant {
  const { github, repository } = options
  const token = options.token ?? github.token({ repository, permissions: permissionsOf(options, context) })
  const { named, hidden } = secretsOf(options, context)
  const masker = new Masker()
  for (const secret of [token, basicCredential(token), ...hidden]) masker.add(secret)
  return {
    token,
    secrets: { ...named, GITHUB_TOKEN: token },
    masker,
    revokeToken() {
      if (options.token === undefined) github.revokeToken(token)
    },
  }
}

/** GitHub turns every `write` into `read` for pull requests of forks and of Dependabot. */
function permissionsOf(options: RunOptions, context: JobContext): Readonly<Record<string, AccessLevel>> {
  const wanted = options.permissions ?? DEFAULT_PERMISSIONS
  if (!context.untrusted) return wanted
  return Object.fromEntries(Object.entries(wanted).map(([name, level]) => [name, level === 'write' ? 'read' : level]))
}

function secretsOf(options: RunOptions, context: JobContext) {
  const { secrets = {} } = options
  if (isList(secrets)) return { named: {}, hidden: secrets }
  const named = context.untrusted ? {} : secrets
  return { named, hidden: Object.values(named) }
}

/** `Array.isArray` does not tell readonly lists from records. */
function isList(secrets: NonNullable<RunOptions['secrets']>): secrets is readonly string[] {
  return Array.isArray(secrets)
}
