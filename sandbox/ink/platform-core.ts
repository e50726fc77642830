import type { FaultRegistry } from '../fault.ts'
import type { Accounts } from './accounts.ts'
import type { Databases } from './databases/databases.ts'
import type { Deployer } from './deployer.ts'
import type { Domains } from './domains.ts'
import type { InkFaultName } from './faults.ts'
import type { Repositories } from './git/repositories.ts'
import type { InkTiming } from './options.ts'
import type { Services } from './services.ts'

/** What the tools act on. */
export interface PlatformCore {
  readonly accounts: Accounts
  readonly repositories: Repositories
  readonly services: Services
  readonly deployer: Deployer
  readonly databases: Databases
  readonly domains: Domains
  readonly faults: FaultRegistry<InkFaultName>
  readonly timing: InkTiming
  readonly nowMs: () => number
  readonly maxServices: number
  /** The remote of a repository with a token in it. */
  readonly gitRemote: (fullName: string, token: string) => string
  /** Runs something after so many milliseconds, unless the platform stops first. */
  readonly later: (ms: number, action: () => void) => void
}
