import { describe, expect, it } from 'vitest'
import { creditsSchema } from '../../src/ink/account.ts'
import { readResult } from '../../src/ink/results.ts'

const read = (answer: Record<string, unknown>) => readResult(creditsSchema, answer, 'check_credits')

describe('what an account has left', () => {
  it.each([
    [{ balance_usd: 1.5 }, 1.5],
    [{ creditBalanceUsd: '0.25' }, 0.25],
    [{ balanceCents: 42 }, 0.42],
    [{ credits: '$3.10' }, 3.1],
    [{ balance: 2, currency: 'usd' }, 2],
    [{ credits: { balance: 2, currency: 'USD' } }, 2],
    [{ account: { remaining_usd: -0.1 } }, -0.1],
  ])('%j is so many dollars', (answer, dollars) => {
    expect(read(answer)).toEqual({
      dollars,
      spent: dollars <= 0,
      perhapsSpent: false,
      shown: `$${dollars.toFixed(2)}`,
    })
  })

  it.each([
    [{ credits: 150 }, '150'],
    [{ message: 'You have $2.00 left, of $5.00' }, undefined],
    [{ credits_used: 12 }, undefined],
    [{ balance: 'plenty' }, undefined],
    [{}, undefined],
  ])('%j is not an amount of dollars, and nothing is made up', (answer, shown) => {
    expect(read(answer)).toEqual({ dollars: undefined, spent: false, perhapsSpent: false, shown })
  })

  it.each(['amount', 'available', 'remaining', 'balance', 'credits', 'deposit_balance'])(
    'of which “%s” says 0, and not of what, may be enough',
    (name) => {
      const doubt = { dollars: undefined, spent: false, perhapsSpent: true, shown: '0' }
      expect(read({ [name]: 0 })).toEqual(doubt)
      expect(read({ [name]: 0, payment_method: 'card' })).toEqual({ ...doubt, perhapsSpent: false })
      expect(read({ [name]: 0, suspended: true })).toEqual({ ...doubt, spent: true, perhapsSpent: false })
      expect(read({ [name]: 0, currency: 'USD' })).toMatchObject({ spent: true, shown: '$0.00' })
    },
  )

  it.each([
    [{ balance_usd: 5, suspended: true }, true],
    [{ can_deploy: false }, true],
    [{ balance_usd: 0, can_deploy: true }, true],
    [{ balance_usd: 0, payment_method: 'card' }, false],
    [{ balance_usd: 0, payment_method: 'none' }, true],
    [{ balance_usd: 0, payment_method: null }, true],
  ])('%j: nothing may be started any more: %s', (answer, spent) => {
    expect(read(answer).spent).toBe(spent)
  })
})
