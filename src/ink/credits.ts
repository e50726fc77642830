import { z } from 'zod'

/** What the account can still spend, as far as the server says. */
export interface Credits {
  /** Undefined when no amount was given, or one whose unit is not certain. */
  readonly dollars: number | undefined
  /** The server says that nothing more may be started, or an amount whose unit is certain is used up. */
  readonly spent: boolean
  /** Nothing is left of something that may be money and may be anything else: a reason to look, none to stop. */
  readonly perhapsSpent: boolean
  /** The amount for people: `$0.42`, or the bare figure when its unit is not known. */
  readonly shown: string | undefined
}

type Fields = Readonly<Record<string, unknown>>

// The tool is named by documentation that shows no result, so the forms which servers of its kind have are understood.
// A name that says the unit is believed; any other may be a balance that is never topped up where a card pays.
const named = [
  { unit: 'dollars', names: ['balance_usd', 'credits_usd', 'credit_balance_usd', 'remaining_usd', 'available_usd'] },
  { unit: 'cents', names: ['balance_cents', 'credits_cents', 'credit_balance_cents', 'remaining_cents'] },
  {
    unit: 'unknown',
    names: [
      ...['balance', 'credits', 'credit_balance', 'deposit_balance', 'remaining', 'remaining_credits'],
      ...['credits_remaining', 'available', 'available_credits', 'amount'],
    ],
  },
] as const
const nests = ['credits', 'balance', 'account', 'billing', 'data']
const refusals = ['can_deploy', 'can_create', 'sufficient', 'has_credits']

/** Reads the answer of `check_credits`. */
export const creditsSchema = z.record(z.string(), z.unknown()).transform(readCredits)

function readCredits(raw: Fields): Credits {
  const levels = [raw, ...nests.map((name) => raw[name]).filter(isFields)]
  const found = levels.map(amountIn).find((amount) => amount !== undefined)
  const refused = levels.some((level) => level.suspended === true || refusals.some((name) => level[name] === false))
  // Whoever pays by card at the end of the month has a balance of nothing and may go on.
  const paysLater = levels.some(({ payment_method: method }) => Boolean(method) && method !== 'none')
  const nothingLeft = !paysLater && found !== undefined && found.figure <= 0
  const spent = refused || (nothingLeft && found.dollars !== undefined)
  return {
    dollars: found?.dollars,
    spent,
    perhapsSpent: nothingLeft && !spent,
    shown: found && (found.dollars === undefined ? String(found.figure) : `$${found.dollars.toFixed(2)}`),
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function amountIn(level: Fields): { figure: number; dollars: number | undefined } | undefined {
  for (const { unit, names } of named) {
    for (const name of names) {
      const value = level[name]
      const figure = figureOf(value)
      if (figure === undefined) continue
      const saysDollars =
        unit === 'dollars' ||
        (typeof value === 'string' && value.includes('$')) ||
        (typeof level.currency === 'string' && level.currency.toUpperCase() === 'USD')
      if (unit === 'cents') return { figure, dollars: figure / 100 }
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
