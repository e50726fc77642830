import { describe, expect, it } from 'vitest'
import { fitsBudget, roomInBudget } from '../../src/plan/guards.ts'

const running = (...costs: readonly (readonly [string, number, boolean?])[]) =>
  costs.map(([preview, perDay, mayGo = true]) => ({ preview, perDay, mayGo }))

describe('room in a budget', () => {
  it('is there as long as the sum does not pass the limit, to the cent', () => {
    const three = running(['a', 0.1], ['b', 0.2], ['c', 0.3])
    expect(fitsBudget(three, 0.1, 0.7)).toBe(true)
    expect(fitsBudget(three, 0.11, 0.7)).toBe(false)
  })

  it('is made by the fewest, in the order given', () => {
    expect(roomInBudget(running(['old', 1], ['new', 1]), 1, 3)).toEqual([])
    expect(roomInBudget(running(['old', 1], ['new', 1]), 1, 2)).toEqual(['old'])
    expect(roomInBudget(running(['old', 1], ['new', 1]), 2, 2)).toEqual(['old', 'new'])
  })

  it('is not made at the cost of others’ previews, nor in vain', () => {
    expect(roomInBudget(running(['theirs', 1, false], ['ours', 1]), 1, 2)).toEqual(['ours'])
    expect(roomInBudget(running(['theirs', 1, false], ['ours', 1]), 1.5, 2)).toBeUndefined()
    expect(roomInBudget(running(['ours', 1]), 3, 2)).toBeUndefined()
  })
})
