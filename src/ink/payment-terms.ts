import { z } from 'zod'

const field = z.union([z.string(), z.number()]).transform(String).nullish()

// x402: version 1 says `maxAmountRequired`, version 2 `amount`, and puts resource and description beside the list.
const requirement = z.object({
  scheme: field,
  network: field,
  maxAmountRequired: field,
  amount: field,
  asset: field,
  payTo: field,
  resource: field,
  description: field,
})
const termsSchema = z.object({
  error: field,
  resource: z.union([z.string(), z.object({ url: field, description: field })]).nullish(),
  accepts: z.array(requirement).min(1),
})

type Requirement = z.output<typeof requirement>

const mostShown = 3
const longestField = 80

/**
 * What a payment that is asked for would be, in one line, read off an x402 answer (a JSON body with `accepts`). Every
 * part is a stranger's text: it comes back on one line, without invisible characters, and short.
 * @returns undefined when the body is no such answer
 */
export function paymentTerms(body: string): string | undefined {
  const parsed = termsSchema.safeParse(jsonOf(body))
  if (!parsed.success) return undefined
  const { error, accepts, resource } = parsed.data
  const about =
    typeof resource === 'string' ? { resource } : { resource: resource?.url, description: resource?.description }
  const ways = accepts.slice(0, mostShown).map((one) => wayInWords({ ...about, ...withoutEmpty(one) }))
  const more = accepts.length > mostShown ? [`${accepts.length - mostShown} more ways`] : []
  return [...(error ? [tidy(error)] : []), ...ways, ...more].join('; ')
}

/** The terms of version 2 come in a header, as base64 of the same JSON. */
export function decodedTerms(header: string | null): string | undefined {
  return header === null ? undefined : Buffer.from(header, 'base64').toString('utf8')
}

function withoutEmpty(given: Requirement): Requirement {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => Boolean(value)))
}

function wayInWords({ scheme, network, maxAmountRequired, amount, asset, payTo, resource, description }: Requirement) {
  const sum = maxAmountRequired ?? amount
  return [
    // Amounts are in the asset's smallest unit, and how many make one only its chain knows.
    sum ? `${tidy(sum)} of the smallest unit` : 'an amount that is not told',
    asset && `of ${tidy(asset)}`,
    network && `on ${tidy(network)}`,
    scheme && `(${tidy(scheme)})`,
    payTo && `to ${tidy(payTo)}`,
    resource && `for ${tidy(resource)}`,
    description && `“${tidy(description)}”`,
  ]
    .filter(Boolean)
    .join(' ')
}

function tidy(text: string): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, ' ').trim()
  return line.length > longestField ? `${line.slice(0, longestField - 1)}…` : line
}

function jsonOf(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
