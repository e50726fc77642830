import { afterAll, afterEach, describe, expect, it } from 'vitest'
import type { InkProfile } from '../../sandbox/ink/platform.ts'
import type { Deps } from '../../src/flows/run.ts'
import { type How, openStage, type Scene, type Stage } from './stage.ts'

const profiles = ['g1', 'mixed'] as const satisfies readonly InkProfile[]
const stages = new Map<InkProfile, Stage>()

async function stageOf(profile: InkProfile): Promise<Stage> {
  const stage = stages.get(profile) ?? (await openStage({ profile, credits: { balance_usd: 20 } }))
  stages.set(profile, stage)
  stage.ink.setCredits({ balance_usd: 20 })
  return stage
}
afterEach(async () => {
  for (const stage of stages.values()) await stage.ink.clearFaults()
})
afterAll(async () => {
  await Promise.all([...stages.values()].map((stage) => stage[Symbol.asyncDispose]()))
})

const creating = (stage: Stage, from: number) =>
  stage.ink.journal
    .slice(from)
    .map(({ name }) => name)
    .filter((name) => /create|receive-pack/.test(name))

describe.each(profiles)('credits on a platform %s', (profile) => {
  it('that are used up stop a creation before anything is made, as on-quota says', async () => {
    const stage = await stageOf(profile)
    const scene = await stage.scene()
    const { number } = await scene.open('a change')
    stage.ink.setCredits({ balance_usd: 0 })
    const from = stage.ink.journal.length
    const failed = await scene.act('pull_request', { action: 'opened', number })
    expect(failed.told).toMatch(/^failed: The account at ml.ink has no credits left \(\$0\.00\)/)
    const inputs = { 'on-quota': 'skip' }
    const skipped = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(skipped.told).toBe('skipped')
    expect(skipped.outputs['skipped-reason']).toContain('no credits left')
    expect(scene.rows(number)).toMatchObject([{ status: 'skipped' }])
    expect(creating(stage, from)).toEqual([])
  })
})

describe('credits', () => {
  it('that run low are warned of with the figure, and the deployment goes on', async () => {
    const stage = await stageOf('g1')
    const scene = await stage.scene()
    stage.ink.setCredits({ balance_usd: 0.42 })
    const deploy = (inputs: Record<string, string>) => scene.act('push', { after: scene.first }, { inputs })
    const low = await deploy({})
    expect(low.told).toBe('live')
    expect(low.warnings.join()).toContain('has $0.42 of credits left')
    expect((await (await stage.scene()).act('push', {}, { inputs: { 'credits-warning': '0.40' } })).warnings).toEqual(
      [],
    )
  })

  it('that may be used up, as their unit is not told, are warned of, and ml.ink has the last word', async () => {
    const stage = await stageOf('g1')
    const scene = await stage.scene()
    stage.ink.setCredits({ available: 0 })
    const run = await scene.act('push', { after: scene.first })
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toContain('may have no credits left: the server says “0”')
    const { summary } = await scene.act('push', { after: scene.first }, { inputs: { command: 'plan' } })
    expect(summary).toContain('🟠 | Credits | 0 left')
  })

  it('that are used up do not stop an update of what runs already, nor get it removed, since that brings none', async () => {
    const stage = await stageOf('g1')
    const scene = await stage.scene()
    const { number } = await scene.open('one')
    await scene.act('pull_request', { action: 'opened', number })
    stage.ink.setCredits({ balance_usd: 0 })
    const { before } = await scene.push(number, 'two')
    expect((await scene.act('pull_request', { action: 'synchronize', number, before })).told).toBe('live')
    const second = await scene.open('second')
    stage.ink.setCredits({ can_deploy: false })
    const inputs = { 'on-quota': 'evict-oldest' }
    const run = await scene.act('pull_request', { action: 'opened', number: second.number }, { inputs })
    expect(run.told).toMatch(/^failed: The account at ml.ink has no credits left/)
    expect(stage.ink.service(scene.preview(number))?.status).toBe('active')
  })

  it('that cannot be read stop nothing', async () => {
    const stage = await stageOf('g1')
    const scene = await stage.scene()
    stage.ink.fault('ink.tool-error', { tool: 'check_credits', text: 'internal error' })
    const run = await scene.act('push', { after: scene.first })
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toContain('could not be read')
  })
})

describe('command: plan', () => {
  const plan = (scene: Scene) => scene.act('push', { after: scene.first }, { inputs: { command: 'plan' } })

  it('shows what there is to pay with, and what the open previews cost', async () => {
    const stage = await stageOf('mixed')
    const scene = await stage.scene()
    const { number } = await scene.open('a change')
    await scene.act('pull_request', { action: 'opened', number })
    const { summary } = await plan(scene)
    expect(summary).toContain('🟢 | Credits | `$20.00` left')
    expect(summary).toContain('🟢 | Cost | 1 open preview: about `$0.34` a day, `$10.23` a month')
    stage.ink.setCredits({ balance_usd: 0.5 })
    expect((await plan(scene)).summary).toContain('🟠 | Credits | `$0.50` left')
    stage.ink.setCredits({ suspended: true })
    expect((await plan(scene)).told).toMatch(/^failed: Credits: used up/)
  })

  it('shows the limits of the account where a tool tells them', async () => {
    const stage = await openStage({ profile: 'g2', insight: true, limits: { services: 1 } })
    await using _stage = stage
    const scene = await stage.scene()
    const { number } = await scene.open('a change')
    await scene.act('pull_request', { action: 'opened', number })
    expect((await plan(scene)).summary).toContain(
      '🟠 | Services | 1 in use of 1; plan free; at most 8192 MiB of memory; at most 8 vCPUs',
    )
  })
})

describe('max-cost-per-day', () => {
  it('stops the preview that would pass it before anything is made, as on-quota says', async () => {
    const stage = await stageOf('g1')
    const scene = await stage.scene()
    const [one, two, three] = [await scene.open('one'), await scene.open('two'), await scene.open('three')]
    // 0.5 vCPU and 256 MiB at the default rates are $0.341 a day.
    const open = (number: number, inputs: Record<string, string> = {}) =>
      scene.act('pull_request', { action: 'opened', number }, { inputs: { 'max-cost-per-day': '0.70', ...inputs } })
    const statuses = () => [one, two, three].map(({ number }) => stage.ink.service(scene.preview(number))?.status)
    for (const { number } of [one, two]) expect((await open(number)).told).toBe('live')

    const from = stage.ink.journal.length
    expect((await open(three.number)).told).toMatch(
      /^failed: Another preview would pass the limit of \$0\.70 a day .*2 open previews cost about \$0\.68 a day, this one about \$0\.34/,
    )
    expect((await open(three.number, { 'on-quota': 'skip' })).told).toBe('skipped')
    expect(scene.rows(three.number)).toMatchObject([{ status: 'skipped' }])
    // One that would not fit even alone makes nobody leave.
    const large = { 'on-quota': 'evict-oldest', memory: '4096Mi', vcpus: '4' }
    expect((await open(three.number, large)).told).toMatch(/^failed: Another preview would pass/)
    expect(creating(stage, from)).toEqual([])
    expect(statuses()).toEqual(['active', 'active', undefined])

    expect((await open(three.number, { 'on-quota': 'evict-oldest' })).told).toBe('live')
    expect(statuses()).toEqual([undefined, 'active', 'active'])
    expect(scene.rows(one.number)).toMatchObject([
      { status: 'removed', reason: expect.stringContaining('$0.70 a day') },
    ])
  })

  it('is kept to by two previews that begin at the same time, of which none may make room', async () => {
    const stage = await stageOf('g1')
    const scene = await stage.scene()
    const [one, two] = [await scene.open('one'), await scene.open('two')]
    const inputs = { 'max-cost-per-day': '0.50', 'on-quota': 'evict-oldest' }
    const open = (number: number, how: How) => scene.act('pull_request', { action: 'opened', number }, how)
    // The other one is of another service of this repository, and comes into being between the question and the creation.
    const meanwhile = (deps: Deps): Deps => ({
      ...deps,
      openSource: (...args) => {
        const source = deps.openSource(...args)
        const push: typeof source.push = async (...request) => {
          const other = await open(two.number, { inputs: { ...inputs, service: `${scene.production}-api` } })
          expect(other.told).toBe('live')
          return source.push(...request)
        }
        return { ...source, push }
      },
    })
    const late = await open(one.number, { inputs, change: meanwhile })
    expect(late.told).toMatch(/^failed: Another preview would pass the limit of \$0\.50 a day/)
    expect(stage.ink.service(scene.preview(one.number))).toBeUndefined()
    expect(stage.ink.service(`${scene.production}-api-pr-${two.number}`)?.status).toBe('active')
  })
})
