import { expect, test } from 'vitest'
import { createFaultRegistry, type FaultOptions } from '../../sandbox/fault.ts'

const known = { storm: 'it rains', frost: 'it freezes' }

test('a fault strikes as often as it was told to, and never again', () => {
  const faults = createFaultRegistry(known)
  faults.set('storm', { times: 2 })
  const strikes = [1, 2, 3].map(() => faults.strike('storm') !== undefined)
  expect(strikes).toEqual([true, true, false])
})

test('a fault without a number strikes until it is cleared', () => {
  const faults = createFaultRegistry(known)
  faults.set('frost')
  expect([faults.strike('frost'), faults.strike('frost')].every(Boolean)).toBe(true)
  faults.clear('frost')
  expect(faults.strike('frost')).toBeUndefined()
})

test('a fault lets the first calls pass when told so', () => {
  const faults = createFaultRegistry(known)
  faults.set('storm', { after: 1, times: 1 })
  expect(faults.strike('storm')).toBeUndefined()
  expect(faults.strike('storm')).toBeDefined()
})

test('a fault ends when its time is over', () => {
  let nowMs = 1000
  const faults = createFaultRegistry(known, () => nowMs)
  faults.set('storm', { forMs: 50 })
  nowMs = 1050
  expect(faults.strike('storm')).toBeDefined()
  nowMs = 1051
  expect(faults.strike('storm')).toBeUndefined()
  expect(faults.armed()).toEqual([])
})

test('a fault meant for something else neither strikes nor is counted', () => {
  const faults = createFaultRegistry(known)
  faults.set('storm', { times: 1, tool: 'get_service' })
  const meantFor = (tool: string) => (options: FaultOptions) => options.tool === tool
  expect(faults.strike('storm', meantFor('whoami'))).toBeUndefined()
  expect(faults.strike('storm', meantFor('get_service'))?.options.tool).toBe('get_service')
})

test('faults of one name queue up', () => {
  const faults = createFaultRegistry(known)
  faults.set('storm', { times: 1, status: 500 })
  faults.set('storm', { times: 1, status: 502 })
  expect([faults.strike('storm')?.options.status, faults.strike('storm')?.options.status]).toEqual([500, 502])
})

test('a fault that nobody knows is an error that lists those there are', () => {
  const faults = createFaultRegistry<string>(known)
  expect(() => faults.set('strom')).toThrow('There is no fault named "strom". Known faults: frost, storm.')
})
