import { type StatusRange, shortDuration } from './values.ts'

/** What has to answer, and how, before a deployment counts as live. */
export type HealthCheck =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'http'
      readonly path: string
      readonly statuses: readonly StatusRange[]
      /** What body or headers have to contain; `{sha}` stands for the commit that was deployed. */
      readonly contains?: string | undefined
      /** Nobody said what a good answer is: then one by which the app refuses, or knows no such page, will do as well. */
      readonly tolerant?: boolean
      readonly timeoutMs: number
    }
  /** Speaks the MCP handshake with the service instead of plain HTTP. */
  | { readonly kind: 'mcp'; readonly timeoutMs: number }

interface HealthValues {
  readonly 'health-path': string
  readonly 'health-status': readonly StatusRange[]
  readonly 'health-contains': string | undefined
  readonly 'health-timeout': number
  readonly 'build-pack': string | undefined
  readonly 'publish-directory': string | undefined
  readonly directory: string | undefined
}

/**
 * The health check that was asked for.
 *
 * @param isUsual whether nobody said what a good answer is
 */
export function healthOf(values: HealthValues, isUsual: boolean): HealthCheck {
  const path = values['health-path']
  const timeoutMs = values['health-timeout']
  if (path === 'none') return { kind: 'none' }
  if (path === 'mcp') return { kind: 'mcp', timeoutMs }
  // Files without an index.html are published from the wrong directory.
  const isFiles = values['build-pack'] === 'static' || (values['publish-directory'] ?? values.directory) !== undefined
  const tolerant = isUsual && !isFiles
  const [statuses, contains] = [values['health-status'], values['health-contains']]
  return { kind: 'http', path, statuses, contains, timeoutMs, ...(tolerant ? { tolerant } : {}) }
}

/** What has to answer, and how, for a plan that is read. */
export function describeHealth(health: HealthCheck): string {
  switch (health.kind) {
    case 'none':
      return 'the platform says that it runs (health-path: none)'
    case 'mcp':
      return `it answers the MCP handshake within ${shortDuration(health.timeoutMs)}`
    case 'http': {
      const statuses = health.statuses.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
      const contains =
        health.contains === undefined ? '' : ` with ${JSON.stringify(health.contains)} in body or headers`
      return `${health.path} answers ${statuses}${contains} within ${shortDuration(health.timeoutMs)}`
    }
  }
}
