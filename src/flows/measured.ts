import type { CardRow } from '../report/row.ts'
import type { Switched } from './switch-service.ts'

/** What was seen of a deployment: its address, how long its build took, how it answered. */
export function measured({ verdict, confirmation }: Switched): Partial<CardRow> {
  const probe = confirmation?.kind === 'probed' ? confirmation.probe : undefined
  const live = verdict.kind === 'live' ? verdict : undefined
  const answered = probe?.outcome === 'healthy' || probe?.status !== undefined
  return {
    ...(live?.url === undefined ? {} : { url: live.url }),
    buildMs: live?.timings.fromCache || !live?.timings.buildMs ? undefined : live.timings.buildMs,
    cached: live?.timings.fromCache,
    health: answered
      ? { status: probe.status ?? 200, latencyMs: probe.latencyMs ?? 0, tools: probe.tools?.length }
      : undefined,
    probe: probe?.outcome === 'skipped' ? 'off' : probe?.outcome === 'no-url' ? 'no-url' : undefined,
  }
}
