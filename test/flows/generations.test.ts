import { describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import { countsChecks } from './monitor.ts'
import { openStage } from './stage.ts'

// The first generation that has all tools is the one that every other flow is tested on.
const profiles: readonly InkProfile[] = ['g0', 'g1-nested', 'g2', 'mixed', 'unknown-argument']

describe.each(profiles)('a platform of the generation %s', (profile) => {
  it('takes a pull request from preview, with a domain of its own, to update to nothing', async () => {
    await using stage = await openStage({ profile })
    const scene = await stage.scene()
    const { number } = await scene.open('first words')
    // The oldest generation has no domains.
    const hasDomains = profile !== 'g0'
    const domain = `pr-${number}-preview.example.com`
    const named = hasDomains ? { 'preview-domain': 'pr-{number}-preview.example.com' } : {}
    const inputs = { memory: '512Mi', env: 'COLOUR=red', ...named }
    stage.ink.delegateZone('example.com')
    const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(opened.told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('first words')
    expect(stage.ink.service(scene.preview(number))?.config.memory).toBe('512Mi')
    if (hasDomains) {
      expect(stage.ink.service(scene.preview(number))?.customDomain?.domain).toBe(domain)
      expect(stage.ink.dnsRecords('example.com').map(({ name }) => name)).toEqual([`pr-${number}-preview`])
      expect(scene.rows(number)[0]?.domain).toMatchObject({ name: domain, status: 'active' })
    }

    const { sha, before } = await scene.push(number, 'second words')
    const branchesBefore = await scene.branches()
    const pushed = await scene.act('pull_request', { action: 'synchronize', number, before, after: sha }, { inputs })
    if (profile === 'g0') {
      expect(pushed.told).toContain('no tool to change a service')
      expect(await scene.branches()).toEqual(branchesBefore)
    } else {
      expect(pushed.told).toBe('live')
      expect(stage.ink.service(scene.preview(number))?.env).toMatchObject({ COLOUR: 'red', INK_GIT_COMMIT_SHA: sha })
    }
    expect(await scene.page(scene.preview(number))).toBe(profile === 'g0' ? 'first words' : 'second words')

    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.told).toBe('removed')
    expect(closed.outputs.removed?.includes(`domain:${domain}`)).toBe(hasDomains)
    expect(stage.ink.dnsRecords('example.com')).toEqual([])
    expect(stage.ink.services()).toEqual([])
    expect(await scene.branches()).toEqual([])
  })
})

// What lists show differs most between these.
describe.each(['g0', 'g2'] as const)('a platform of the generation %s', (profile) => {
  it('is swept of a forgotten preview, and keeps production', async () => {
    await using stage = await openStage({ profile })
    const scene = await stage.scene()
    expect((await scene.act('push', { after: scene.first })).told).toBe('live')
    const { number } = await scene.open('forgotten')
    expect((await scene.act('pull_request', { action: 'opened', number })).told).toBe('live')
    await scene.repository.close(number)
    const swept = await scene.act('schedule')
    expect(swept.outputs).toMatchObject({ status: 'swept', removed: JSON.stringify([scene.preview(number)]) })
    expect(stage.ink.services().map(({ name }) => name)).toEqual([scene.production])
    // What comes after the sweep is the first look of the monitor. The others are looked at with their data.
    if (profile === 'g0') await countsChecks(stage, scene, 1)
  })
})
