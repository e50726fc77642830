import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import { countsChecks } from './monitor.ts'
import { openStage, type Stage } from './stage.ts'

// The oldest generation has no domains.
const profiles: readonly InkProfile[] = ['g1', 'g1-nested', 'g2', 'mixed', 'unknown-argument']

describe.each(profiles)('on a platform of the generation %s', (profile) => {
  let stage: Stage
  beforeAll(async () => {
    stage = await openStage({ profile })
    stage.ink.delegateZone('example.com')
  })
  afterAll(async () => stage[Symbol.asyncDispose]())

  it('production has its database, its domain and its DNS records, and neither a second run nor the monitor changes that', async () => {
    const scene = await stage.scene()
    const sqlite = profile !== 'g2'
    const after = await scene.repository.commit({
      branch: 'main',
      files: { 'index.html': 'all', 'seed.sql': 'create table fruit (name text);' },
      message: 'All of it',
    })
    const record = { zone: 'example.com', name: 'www', type: 'CNAME', content: 'app.example.com' }
    const inputs = {
      database: sqlite ? 'sqlite' : 'postgres',
      ...(sqlite ? { 'database-seed': 'seed.sql' } : {}),
      domain: 'app.example.com',
      'dns-records': JSON.stringify([record]),
    }
    const push = () => scene.act('push', { before: scene.first, after }, { inputs, runAttempt: 2 })
    const first = await push()
    expect(first.told).toBe('live')
    expect(first.log).toContain('DNS: added CNAME www.example.com app.example.com')
    const state = () => ({
      env: stage.ink.service(scene.production)?.env,
      domain: stage.ink.service(scene.production)?.customDomain?.domain,
      records: stage.ink.dnsRecords('example.com').map(({ id }) => id),
      databases: stage.ink.databases().map(({ name }) => name),
      volumes: stage.ink.volumes(),
    })
    const before = state()
    expect(before.env).toHaveProperty('DATABASE_URL')
    expect(before.domain).toBe('app.example.com')
    expect((await push()).told).toBe('live')
    expect(state()).toEqual(before)
    // `uptime` looks at the first generation.
    if (profile === 'g1') return
    await countsChecks(stage, scene, 0)
    expect(state()).toEqual(before)
  })
})
