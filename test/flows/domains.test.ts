import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DeployPlan } from '../../src/flows/prepare.ts'
import { applyDomain } from '../../src/flows/resources/dns.ts'
import type { Scene } from './stage.ts'
import { openSteps, type Steps } from './step.ts'
import { useStage } from './use-stage.ts'

describe('the domain of production', () => {
  const stage = useStage()
  let zones = 0

  function zone(status?: string): string {
    const name = `zone${++zones}.example`
    stage.ink.delegateZone(name, status)
    return name
  }

  const push = (scene: Scene, inputs: Record<string, string>) =>
    scene.act('push', { after: scene.first }, { inputs, runAttempt: 2 })
  const attached = (scene: Scene) => stage.ink.service(scene.production)?.customDomain?.domain

  it('is attached once, and shown with the state of its zone', async () => {
    const scene = await stage.scene()
    const domain = `app.${zone()}`
    const first = await push(scene, { domain })
    expect(first.told).toBe('live')
    expect(attached(scene)).toBe(domain)
    const active = /Domain \[.*\]\(https:\/\/app\.zone\d+\.example\/?\) is active/
    expect(first.summary).toMatch(active)
    const second = await push(scene, { domain })
    expect(second.summary).toMatch(active)
    const calls = stage.ink.journal.filter((entry) => JSON.stringify(entry).includes('add_custom_domain'))
    expect(calls).toHaveLength(1)
  })

  it('is not attached to a deployment that is not live', async () => {
    const scene = await stage.scene()
    stage.ink.fault('build.crash')
    const run = await push(scene, { domain: `app.${zone()}` })
    expect(run.outputs.status).toBe('failed')
    expect(attached(scene)).toBeUndefined()
  })

  it('under a zone that is not delegated yet leaves the deployment live, and shows the records to set', async () => {
    const scene = await stage.scene()
    const name = zone('pending')
    const run = await push(scene, { domain: `app.${name}` })
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toContain(`lies under the zone ${name}, which is pending`)
    for (const text of ['Set this DNS record', '`NS`', `\`${name}\``, '`ns1.ml.ink`', '`ns2.ml.ink`'])
      expect(run.summary).toContain(text)
  })

  it.each([
    ['under no zone', (_zone: string) => 'x.elsewhere.example', 'It lies under none of the zones'],
    [
      'that no zone can serve',
      (zone: string) => `app.preview.${zone}`,
      'ml.ink serves the names one label below a zone',
    ],
  ])('%s is foreseen by a plan as a problem', async (_what, domainIn, problem) => {
    const scene = await stage.scene()
    const domain = domainIn(zone())
    const plan = await push(scene, { domain, command: 'plan' })
    expect(plan.log.join('\n')).toContain(`! Domain: ${domain}. ${problem}`)
  })

  it('is applied once the deployment is live, which stands whatever comes of that', async () => {
    const scene = await stage.scene()
    const name = `app.${zone()}`
    stage.ink.fault('ink.tool-error', { tool: 'add_custom_domain', text: 'try later' })
    const refused = await push(scene, { domain: name })
    expect(refused.told).toBe('live')
    expect(refused.warnings.join()).toContain('could not be attached: ml.ink refused add_custom_domain: try later')
    await stage.ink.clearFaults()
    await push(scene, { domain: name })
    expect(attached(scene)).toBe(name)
    const asked = await push(scene, { 'remove-domain': 'true' })
    expect(asked.told).toBe('live')
    expect(attached(scene)).toBeUndefined()
  })
})

describe('the domain of a service that is live', () => {
  const stage = useStage()
  let steps: Steps
  let serviceName: string
  let zone: string
  let zones = 0
  beforeAll(async () => {
    const scene = await stage.scene()
    serviceName = scene.production
    await scene.act('push', { after: scene.first })
    steps = await openSteps(stage.ink)
  })
  beforeEach(() => {
    zone = `zone${++zones}.example`
    stage.ink.delegateZone(zone)
  })
  afterEach(async () => {
    await stage.ink.clearFaults()
    if (attached() !== undefined)
      await steps.take(async ({ platform, signal }) => {
        await platform.removeDomain(serviceName, signal)
      })
    expect(attached()).toBeUndefined()
  })
  afterAll(async () => steps[Symbol.asyncDispose]())

  const attached = () => stage.ink.service(serviceName)?.customDomain?.domain
  const apply = (domain: string | undefined, removeDomain = false) =>
    steps.take(async (run) => {
      const plan = { kind: 'production', serviceName, domain, removeDomain } as unknown as DeployPlan
      await applyDomain(run, plan, await run.platform.service(serviceName, {}, run.signal))
    })

  it('under no zone is not attached, and the zones that there are are named', async () => {
    const { warnings } = await apply('app.elsewhere.example')
    expect(warnings.join()).toMatch(/none of the zones delegated to ml\.ink/)
    expect(warnings.join()).toContain(zone)
  })

  it('that no zone can serve is not attached, and the name that would do is said', async () => {
    const deep = await apply(`app.preview.${zone}`)
    expect(attached()).toBeUndefined()
    expect(deep.warnings.join()).toContain(`use app-preview.${zone}, or delegate preview.${zone} as a zone of its own`)
    const itself = await apply(zone)
    expect(itself.warnings.join()).toContain(`It is the zone itself, and ml.ink serves the names one label below`)
  })

  it('whose name is blocked by a record of a service that is gone is told with how to free it', async () => {
    const name = `app.${zone}`
    const text = `subdomain ${name} already has a managed record`
    stage.ink.fault('ink.tool-error', { tool: 'add_custom_domain', text })
    const { warnings, domain } = await apply(name)
    expect(warnings.join()).toContain(`${text}. ml.ink still keeps the DNS record that it made`)
    expect(warnings.join()).toContain('delete the managed record in the zone at ml.ink')
    expect(domain).toMatchObject({ name, status: 'not attached', error: expect.stringContaining(text) })
  })

  it('stays when the input goes away, until its removal is asked for', async () => {
    await apply(`app.${zone}`)
    const without = await apply(undefined)
    expect(without.warnings).toEqual([])
    expect(without.domain).toMatchObject({ name: `app.${zone}`, status: 'active' })
    expect(attached()).toBe(`app.${zone}`)
    const asked = await apply(undefined, true)
    expect(asked.warnings).toEqual([])
    expect(attached()).toBeUndefined()
    expect(stage.ink.dnsRecords(zone)).toEqual([])
  })

  it('is replaced by another one only when the removal of the old one is asked for', async () => {
    await apply(`old.${zone}`)
    const kept = await apply(`new.${zone}`)
    expect(kept.warnings.join()).toContain('remove-domain: true')
    expect(attached()).toBe(`old.${zone}`)
    await apply(`new.${zone}`, true)
    expect(attached()).toBe(`new.${zone}`)
  })

  it('that cannot be taken off is a warning', async () => {
    await apply(`app.${zone}`)
    stage.ink.fault('ink.tool-error', { tool: 'remove_custom_domain', text: 'try later' })
    const { warnings, thrown } = await apply(undefined, true)
    expect(thrown).toBeUndefined()
    expect(warnings.join()).toContain('could not be taken off: ml.ink refused remove_custom_domain: try later')
  })
})
