import { describe, expect, it } from 'vitest'
import { KNOWN_STATUSES, meaningOf } from '../../src/watch/readings.ts'

describe('the meaning of a status', () => {
  it('is known for every status of every generation', () => {
    const documented =
      'pending queued building deploying active failed cancelled superseded crashed completed removed running provisioning suspended error stopped'
    expect(documented.split(' ').filter((status) => meaningOf(status) === undefined)).toEqual([])
  })

  it('does not depend on case or surrounding blanks', () => {
    expect(meaningOf(' ACTIVE\n')).toEqual({ phase: 'live', verdict: 'active' })
  })

  it('is unknown for anything else, also for names every object has', () => {
    expect([meaningOf('hibernating'), meaningOf(''), meaningOf('constructor')]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('has a verdict exactly when nothing more will happen', () => {
    for (const status of KNOWN_STATUSES) {
      const meaning = meaningOf(status)
      const over = meaning?.phase === 'live' || meaning?.phase === 'ended'
      expect([status, meaning?.verdict !== undefined]).toEqual([status, over])
    }
  })
})
