import * as z from 'zod'
import { fitting, ifFits, listUnder, optionalText } from './fields.ts'

export const accountSchema = z
  .object({ userId: optionalText, githubUsername: optionalText, name: optionalText, email: optionalText })
  .transform(({ userId, githubUsername, name, email }) => ({ name: githubUsername ?? name ?? email ?? userId }))

const project = z
  .object({ name: z.string(), ref: optionalText, slug: optionalText })
  .transform(({ name, ref, slug }) => ({ name, ref: ref ?? slug }))
export const projectsSchema = listUnder(['projects'], project)

const workspace = z
  .object({ slug: optionalText, name: optionalText })
  .transform(({ slug, name }) => ({ slug: slug ?? name ?? '' }))
export const workspacesSchema = listUnder(['workspaces'], workspace).transform((all) =>
  all.filter(({ slug }) => slug !== ''),
)

// The tool is named by documentation that shows no result, so the forms which servers of its kind have are understood.
// A name that says the unit is believed; any other may be a balance that is never topped up where a card pays.
const amountNames = [
  { unit: 'dollars', names: ['balanceUsd', 'creditsUsd', 'creditBalanceUsd', 'remainingUsd', 'availableUsd'] },
  { unit: 'cents', names: ['balanceCents', 'creditsCents', 'creditBalanceCents', 'remainingCents'] },
  {
    unit: 'unknown',
    names: [
      ...['balance', 'credits', 'creditBalance', 'depositBalance', 'remaining', 'remainingCredits'],
      ...['creditsRemaining', 'available', 'availableCredits', 'amount'],
    ],
  },
] as const
const nestedUnder = ['credits', 'balance', 'account', 'billing', 'data']
const refusals = ['canDeploy', 'canCreate', 'sufficient', 'hasCredits']

type Fields = Readonly<Record<string, unknown>>

/** Reads the answer of `check_credits`. */
export const creditsSchema = z.record(z.string(), z.unknown()).transform(readCredits)

/** What the account can still spend, as far as the server says. */
export type Credits = z.output<typeof creditsSchema>

function readCredits(raw: Fields) {
  const levels = [raw, ...nestedUnder.map((name) => raw[name]).filter(isFields)]
  const found = levels.map(amountIn).find((amount) => amount !== undefined)
  const refused = levels.some((level) => level.suspended === true || refusals.some((name) => level[name] === false))
  // Whoever pays by card at the end of the month has a balance of nothing and may go on.
  const paysLater = levels.some(({ paymentMethod: method }) => Boolean(method) && method !== 'none')
  const nothingLeft = !paysLater && found !== undefined && found.figure <= 0
  const spent = refused || (nothingLeft && found.dollars !== undefined)
  return {
    /** Undefined when no amount was given, or one whose unit is not certain. */
    dollars: found?.dollars,
    /** The server says that nothing more may be started, or an amount whose unit is certain is used up. */
    spent,
    /** Nothing is left of something that may be money and may be anything else: a reason to look, none to stop. */
    perhapsSpent: nothingLeft && !spent,
    /** The amount for people: `$0.42`, or the bare figure when its unit is not known. */
    shown: found && (found.dollars === undefined ? String(found.figure) : `$${found.dollars.toFixed(2)}`),
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function amountIn(level: Fields): { figure: number; dollars: number | undefined } | undefined {
  const inDollars = typeof level.currency === 'string' && level.currency.toUpperCase() === 'USD'
  for (const { unit, names } of amountNames) {
    for (const name of names) {
      const value = level[name]
      const figure = figureOf(value)
      if (figure === undefined) continue
      if (unit === 'cents') return { figure, dollars: figure / 100 }
      const saysDollars = unit === 'dollars' || inDollars || (typeof value === 'string' && value.includes('$'))
      return { figure, dollars: saysDollars ? figure : undefined }
    }
  }
  return undefined
}

function figureOf(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  const [, sign = '', digits] = typeof value === 'string' ? (/^\s*(-?)\$?\s*(\d+(?:\.\d+)?)\s*$/.exec(value) ?? []) : []
  return digits === undefined ? undefined : Number(`${sign}${digits}`)
}

const digits = z
  .string()
  .regex(/^\d+(\.\d+)?$/)
  .transform(Number)
const limitFigure = ifFits(z.union([z.number(), digits]))
  // A limit below 1 is how some answers write “none”.
  .transform((value) => (value !== undefined && value > 0 ? value : undefined))

/** The fields of `resourceLimits` in the platform's GraphQL interface, under which official clients read them. */
export const limitsSchema = z.object({
  tier: optionalText,
  maxServices: limitFigure,
  maxMemoryMi: limitFigure,
  maxVcpus: limitFigure,
})

/** What the account's plan allows, as far as a tool tells. */
export type AccountLimits = z.output<typeof limitsSchema>

const usage = ifFits(z.union([z.number(), z.object({ dataPoints: fitting(z.object({ value: z.number() })) })]))
  // A reading is the mean of what the answer spans: a moment's peak proves nothing.
  .transform((value) => (typeof value === 'object' ? mean(value.dataPoints ?? []) : value))

/**
 * What a service uses as a share of what it has: 0.5 is half; undefined where the answer does not tell. Read from the fields
 * of `serviceMetrics` in the platform's GraphQL interface, as its official clients read them: usage in MB and in vCPUs, as
 * series or as single figures, beside the limits. Names are compared without underscores, because several capitals in a
 * row (`memoryUsageMB`) come out differently from different servers.
 */
export const metricsSchema = z
  .record(z.string(), z.unknown())
  .transform((raw) =>
    Object.fromEntries(Object.entries(raw).map(([name, value]) => [name.replaceAll('_', '').toLowerCase(), value])),
  )
  .pipe(
    z.object({
      memoryusagemb: usage,
      memorylimitmb: ifFits(z.number()),
      cpuusage: usage,
      cpulimitvcpus: ifFits(z.number()),
    }),
  )
  .transform((raw) => ({
    memory: share(raw.memoryusagemb, raw.memorylimitmb),
    cpu: share(raw.cpuusage, raw.cpulimitvcpus),
  }))

function mean(points: readonly { value: number }[]): number | undefined {
  return points.length === 0 ? undefined : points.reduce((sum, { value }) => sum + value, 0) / points.length
}

function share(used: number | undefined, limit: number | undefined): number | undefined {
  return used === undefined || !limit || limit < 0 || used < 0 ? undefined : used / limit
}

/** What a service is billed for. */
export interface ServiceSize {
  /** With the platform's unit, such as `256Mi`. */
  readonly memory: string
  readonly vcpus: string
}

const minutesPerDay = 24 * 60

/**
 * Estimates what a running service costs a day, in dollars, from its size alone: traffic, builds and the platform's
 * rounding are not in it.
 * @param rates dollars per minute
 * @returns undefined when a rate is 0, which means that no estimate is wanted
 */
export function costPerDay(size: ServiceSize, rates: { vcpuMinute: number; gbMinute: number }): number | undefined {
  if (rates.vcpuMinute === 0 || rates.gbMinute === 0) return undefined
  const gigabytes = mebibytes(size.memory) / 1024
  return minutesPerDay * (Number(size.vcpus) * rates.vcpuMinute + gigabytes * rates.gbMinute)
}

/** `1Gi` → 1024. */
export function mebibytes(memory: string): number {
  const figure = Number.parseFloat(memory)
  return /gi?b?$/i.test(memory) ? figure * 1024 : figure
}

/** A size, for the line behind an estimate. */
export function describeSize(size: ServiceSize): string {
  return `${size.vcpus} vCPU, ${mebibytes(size.memory)} MiB`
}
