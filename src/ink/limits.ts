import { z } from 'zod'

/** What the account's plan allows, as far as a tool tells. */
export interface AccountLimits {
  readonly tier: string | undefined
  readonly maxServices: number | undefined
  readonly maxMemoryMi: number | undefined
  readonly maxVcpus: number | undefined
}

const figure = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .nullish()
  // A limit below 1 is how some answers write “none”.
  .transform((value) => (typeof value === 'number' && value > 0 ? value : undefined))

/** The fields of `resourceLimits` in the platform's GraphQL interface, under which official clients read them. */
export const limitsSchema = z
  .object({
    tier: z.string().nullish(),
    max_services: figure,
    max_memory_mi: figure,
    max_vcpus: figure,
  })
  .transform(
    (raw): AccountLimits => ({
      tier: raw.tier || undefined,
      maxServices: raw.max_services,
      maxMemoryMi: raw.max_memory_mi,
      maxVcpus: raw.max_vcpus,
    }),
  )
