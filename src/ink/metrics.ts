import { z } from 'zod'

/** What a service uses as a share of what it has: 0.5 is half. Undefined where the answer does not tell. */
export interface ServiceUsage {
  readonly memory: number | undefined
  readonly cpu: number | undefined
}

const point = z.object({ value: z.number() })
const amount = z
  .union([z.number(), z.object({ data_points: z.array(point).nullish() })])
  .nullish()
  // A reading is the mean of what the answer spans: a moment's peak is no evidence.
  .transform((value) => (typeof value === 'object' && value ? mean(value.data_points ?? []) : (value ?? undefined)))

/**
 * The fields of `serviceMetrics` in the platform's GraphQL interface, as its official clients read them: usage in MB and in
 * vCPUs, as series or as single figures, beside the limits. Names are compared without underscores, because several
 * capitals in a row (`memoryUsageMB`) come out differently from different servers.
 */
export const metricsSchema = z
  .record(z.string(), z.unknown())
  .transform((raw) =>
    Object.fromEntries(Object.entries(raw).map(([name, value]) => [name.replaceAll('_', '').toLowerCase(), value])),
  )
  .pipe(
    z.object({
      memoryusagemb: amount,
      memorylimitmb: z.number().nullish(),
      cpuusage: amount,
      cpulimitvcpus: z.number().nullish(),
    }),
  )
  .transform(
    (raw): ServiceUsage => ({
      memory: share(raw.memoryusagemb, raw.memorylimitmb),
      cpu: share(raw.cpuusage, raw.cpulimitvcpus),
    }),
  )

function mean(points: readonly { value: number }[]): number | undefined {
  return points.length === 0 ? undefined : points.reduce((sum, { value }) => sum + value, 0) / points.length
}

function share(used: number | undefined, limit: number | null | undefined): number | undefined {
  return used === undefined || !limit || limit < 0 || used < 0 ? undefined : used / limit
}
