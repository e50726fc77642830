import type { Platform } from '../ink/platform.ts'
import type { Deps } from './deps.ts'
import type { Reporter } from './reporter.ts'

/** One run under way: everything a flow may use, with the platform connected and the reporter open. */
export interface Run extends Deps {
  readonly platform: Platform
  readonly reporter: Reporter
  readonly signal: AbortSignal
}
