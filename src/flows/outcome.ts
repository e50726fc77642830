import type { DeployError } from '../core/errors.ts'
import type { Report } from '../report/model.ts'

/** The action's `status` output. */
export type Status =
  | 'live'
  | 'failed'
  | 'unhealthy'
  | 'rolled-back'
  | 'superseded'
  | 'cancelled'
  | 'timed-out'
  | 'removed'
  | 'swept'
  | 'skipped'
  | 'planned'
  | 'nothing'

/** The action's `action` output. */
export type Action = 'preview' | 'production' | 'teardown' | 'sweep' | 'monitor' | 'rollback' | 'plan' | 'none'

/** How a flow ended. */
export interface Outcome {
  readonly action: Action
  readonly status: Status
  readonly report: Report
  /** A second report of the same run, as when a schedule sweeps and then monitors. */
  readonly also?: Report
  /** Why the run is red; undefined when it is green. */
  readonly failure: DeployError | undefined
}
