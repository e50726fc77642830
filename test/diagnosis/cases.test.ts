import { expect, it } from 'vitest'
import { judgeCases } from '../../bench/diagnosis.ts'

const judged = judgeCases()
const share = (of: readonly boolean[]): number => of.filter(Boolean).length / of.length

it('the cause is right in at least 95 of 100 cases', () => {
  expect(judged.length).toBeGreaterThan(50)
  expect(share(judged.map(({ cause }) => cause))).toBeGreaterThanOrEqual(0.95)
})

it('a decisive line is always among those shown', () => {
  expect(judged.filter(({ decisive }) => !decisive).map(({ name }) => name)).toEqual([])
})

it('the place is right in at least 95 of 100 cases that have one', () => {
  expect(share(judged.flatMap(({ place }) => place ?? []))).toBeGreaterThanOrEqual(0.95)
})

it('no cause sends the reader the wrong way', () => {
  expect(judged.filter(({ misleading }) => misleading).map(({ name }) => name)).toEqual([])
})
