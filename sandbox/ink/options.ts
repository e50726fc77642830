/** How the stand-in is started: its generation, its clockwork and its limits. */

/** Which generation of the platform's tool names and fields is spoken. */
export type InkProfile = 'g0' | 'g1' | 'g1-nested' | 'g2' | 'mixed' | 'unknown-argument'

/** How long things take, in milliseconds. Short enough for tests, never zero: a client must wait as it must in production. */
export interface InkTiming {
  /** From the trigger to the start of the build. */
  queueMs: number
  /** Least time that a deployment spends rolling out. */
  rolloutMs: number
  /** From the deletion call until the service is gone. */
  deletionMs: number
  /** For how long the build of a cancelled deployment blocks the next one. */
  windDownMs: number
  /** For how long the edge answers 404 after the first activation, and still answers after a deletion. */
  edgeDelayMs: number
  /** How long each of three tries waits for a new container to accept connections. The platform allows 3 minutes. */
  healthGateMs: number
  /** The same for one that never will, as `rollout.unhealthy` has it: nothing is lost by a short wait. */
  unhealthyMs: number
  /** How long one attempt at a build may take. The platform allows 10 minutes. */
  buildTimeoutMs: number
  /** Pause before the second and last attempt at a failed build. */
  buildRetryMs: number
  /** How long a process may take to end after SIGTERM before it is killed. */
  killGraceMs: number
}

export const DEFAULT_TIMING: Readonly<InkTiming> = {
  queueMs: 50,
  rolloutMs: 100,
  deletionMs: 800,
  windDownMs: 150,
  edgeDelayMs: 300,
  healthGateMs: 10_000,
  unhealthyMs: 1_000,
  buildTimeoutMs: 120_000,
  buildRetryMs: 50,
  killGraceMs: 1_500,
}

export interface InkOptions {
  /** Port of the MCP endpoint on 127.0.0.1. Default: a free one. */
  readonly port?: number
  /** Default: `g1`. */
  readonly profile?: InkProfile
  /** How requests are answered: one JSON document or, as the platform does, a stream of server-sent events. Default: `sse`. */
  readonly answers?: 'json' | 'sse'
  readonly timing?: Partial<InkTiming>
  /**
   * What a push to the branch that a service tracks does. It is meant to start a deployment, and on the platform as it was seen it
   * starts nothing; a client has to do with both. Default: `starts-nothing`.
   */
  readonly trackedPush?: 'starts-nothing' | 'deploys'
  /**
   * Whether an app that ends makes its deployment `crashed`. The status is documented, and was never seen in generation 1, where
   * a dead app stays `active`. Default: in the generations 2 and mixed.
   */
  readonly reportsCrashes?: boolean
  /** Whether the account has been made with GitHub, so that it has a name there. Default: yes. */
  readonly github?: boolean
  /** The address that a database is told to have. Default: the one that it really answers at. */
  readonly databaseAddress?: (user: string, name: string) => string
  /** The account's plan. Default: no limit. */
  readonly limits?: { readonly services?: number }
  /**
   * What `check_credits` answers, in the generations with that name; without it there is no such tool, as on the public
   * server. Given whole, because documentation names the tool and does not show its result.
   */
  readonly credits?: Readonly<Record<string, unknown>>
  /** Offer `service_metrics` and `resource_limits` in the generations 2 and mixed. Default: no, as on the public server. */
  readonly insight?: boolean
  /** Receives one line per thing that happens, without secrets. */
  readonly log?: (line: string) => void
}
