import { describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import { openStage } from './stage.ts'
import { useStage } from './use-stage.ts'

const profiles: readonly InkProfile[] = ['g2', 'mixed']

describe.each(profiles)('a database of a template, on a platform of the generation %s', (profile) => {
  const stage = useStage({ profile })

  it('is made before the service, masked, found again, and goes with its preview and its volume', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const inputs = { database: 'postgres' }
    const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(opened.told).toBe('live')
    const name = `${scene.preview(number)}-db`
    expect(stage.ink.service(name)?.status).toBe('active')
    const url = stage.ink.service(scene.preview(number))?.env.DATABASE_URL ?? ''
    expect(url).toMatch(/^postgresql:\/\/app:.+@/)
    expect(opened.secrets).toContain(url)
    expect(opened.secrets).toContain(new URL(url).password)
    expect([...opened.log, opened.summary].join()).not.toContain(url)
    expect(scene.rows(number)[0]?.database).toBe(name)
    // Two services of the size that the server gives where none is asked for, at the default rates.
    const { vcpus, perDay } = profile === 'g2' ? { vcpus: '0.25', perDay: 0.3989 } : { vcpus: '0.5', perDay: 0.6818 }
    expect(opened.outputs['cost-per-day']).toBe(String(perDay))
    expect(opened.summary).toContain(`and its postgres database (${vcpus} vCPU, 256 MiB assumed)`)
    const other = await scene.open('other')
    const limited = { ...inputs, 'max-cost-per-day': '0.70' }
    const refused = await scene.act('pull_request', { action: 'opened', number: other.number }, { inputs: limited })
    const each = `$${perDay.toFixed(2)}`
    expect(refused.told).toContain(`1 open preview costs about ${each} a day, this one about ${each}`)

    const { sha, before } = await scene.push(number, 'again')
    await scene.act('pull_request', { action: 'synchronize', number, after: sha, before }, { inputs })
    expect(stage.ink.service(scene.preview(number))?.env.DATABASE_URL).toBe(url)

    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.outputs.removed).toContain(`database:${name}`)
    expect(stage.ink.service(name)).toBeUndefined()
    expect(stage.ink.volumes()).toEqual([])
  })
})

describe('a database of a template, on the second generation', () => {
  const stage = useStage({ profile: 'g2' })

  it('of production outlives everything, and its outputs go where they are wanted', async () => {
    const scene = await stage.scene()
    const inputs = { database: 'redis', 'database-env': 'REDIS_URL=url\nREDIS_PASSWORD=password' }
    const run = await scene.act('push', { after: scene.first }, { inputs })
    expect(run.told).toBe('live')
    const env = stage.ink.service(scene.production)?.env ?? {}
    expect(new URL(env.REDIS_URL ?? '').password).toBe(env.REDIS_PASSWORD)
    expect(env).not.toHaveProperty('DATABASE_URL')
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number }, { inputs })
    await scene.repository.close(number)
    await scene.act('pull_request', { action: 'closed', number }, { inputs })
    expect(stage.ink.volumes()).toEqual([`${scene.production}-db-data`])
    expect(stage.ink.service(`${scene.production}-db`)?.status).toBe('active')
  })

  it('without the output that was asked for stops the run with those that there are', async () => {
    const scene = await stage.scene()
    const inputs = { database: 'mysql', 'database-env': 'DB=sslmode' }
    const run = await scene.act('push', { after: scene.first }, { inputs })
    expect(run.red).toBe(true)
    expect(run.told).toContain('no output “sslmode”, which database.env wants as DB')
    expect(run.outcome?.failure?.hint).toContain('password')
    expect(stage.ink.service(scene.production)).toBeUndefined()
  })
})

describe('a database of a template, where there are others as well', () => {
  const stage = useStage({ profile: 'mixed' })

  it('that does not start stops the run', async () => {
    const scene = await stage.scene()
    stage.ink.fault('rollout.unhealthy', { times: 1 })
    const run = await scene.act('push', { after: scene.first }, { inputs: { database: 'mongodb' } })
    expect(run.red).toBe(true)
    expect(run.told).toContain(`${scene.production}-db (mongodb) did not start on ml.ink; it is failed`)
  })

  it('is made once although the answer to its making got lost', async () => {
    const scene = await stage.scene()
    stage.ink.fault('mcp.reset-after', { tool: 'template_deploy', times: 1 })
    const run = await scene.act('push', { after: scene.first }, { inputs: { database: 'postgres' } })
    expect(run.told).toBe('live')
    expect(stage.ink.services().filter(({ name }) => name === `${scene.production}-db`)).toHaveLength(1)
  })
})

describe('a database that a platform does not offer', () => {
  it.each([
    ['g1', 'postgres', 'It offers sqlite.'],
    ['g2', 'sqlite', 'It offers postgres, mysql, redis, mongodb.'],
  ] as const)('(%s: %s) is refused before anything is pushed, with what it offers', async (profile, database, hint) => {
    await using stage = await openStage({ profile })
    const scene = await stage.scene()
    const run = await scene.act('push', { after: scene.first }, { inputs: { database } })
    expect(run.red).toBe(true)
    expect(run.told).toContain(`offers no ${database} databases`)
    expect(run.outcome?.failure?.hint).toContain(hint)
    expect(await scene.branches()).toEqual([])
  })
})
