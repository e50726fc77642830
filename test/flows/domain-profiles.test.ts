import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import { openStage, type Stage } from './stage.ts'

// The oldest generation has no domains, and the first that has them is the one of all other tests.
const profiles: readonly InkProfile[] = ['g1-nested', 'g2', 'mixed', 'unknown-argument']

describe.each(profiles)('on a platform of the generation %s', (profile) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ profile })
    stage.ink.delegateZone('example.com')
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  it('a preview has a domain of its own, which goes with it', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const inputs = { 'preview-domain': 'pr-{number}-preview.example.com' }
    const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(opened.told).toBe('live')
    const domain = `pr-${number}-preview.example.com`
    expect(stage.ink.service(scene.preview(number))?.customDomain?.domain).toBe(domain)
    expect(stage.ink.dnsRecords('example.com').map(({ name }) => name)).toEqual([`pr-${number}-preview`])
    expect(scene.rows(number)[0]?.domain).toMatchObject({ name: domain, status: 'active' })

    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.outputs.removed).toContain(`domain:${domain}`)
    expect(stage.ink.dnsRecords('example.com')).toEqual([])
  })
})
