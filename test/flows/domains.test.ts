import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openStage, type Scene, type Stage } from './stage.ts'

describe('the domain of production', () => {
  let stage: Stage
  let zones = 0
  beforeAll(async () => {
    stage = await openStage()
  })
  afterEach(async () => stage.ink.clearFaults())
  afterAll(async () => stage[Symbol.asyncDispose]())

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

  it('under no zone leaves the deployment live, and names the zones that there are', async () => {
    const scene = await stage.scene()
    const name = zone()
    const run = await push(scene, { domain: 'app.elsewhere.example' })
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toMatch(/none of the zones delegated to ml\.ink/)
    expect(run.warnings.join()).toContain(name)
    const plan = await scene.act(
      'push',
      { after: scene.first },
      { inputs: { domain: 'x.elsewhere.example', command: 'plan' } },
    )
    expect(plan.log.join('\n')).toContain('! Domain: x.elsewhere.example. It lies under none of the zones')
  })

  it('that no zone can serve leaves the deployment live, and says which name would do', async () => {
    const scene = await stage.scene()
    const name = zone()
    const deep = await push(scene, { domain: `app.preview.${name}` })
    expect(deep.told).toBe('live')
    expect(attached(scene)).toBeUndefined()
    expect(deep.warnings.join()).toContain(`use app-preview.${name}, or delegate preview.${name} as a zone of its own`)
    const itself = await push(scene, { domain: name })
    expect(itself.told).toBe('live')
    expect(itself.warnings.join()).toContain(`It is the zone itself, and ml.ink serves the names one label below`)
    const plan = await push(scene, { domain: `app.preview.${name}`, command: 'plan' })
    expect(plan.log.join('\n')).toContain(
      `! Domain: app.preview.${name}. ml.ink serves the names one label below a zone`,
    )
  })

  it('whose name is blocked by a record of a service that is gone is told with how to free it', async () => {
    const scene = await stage.scene()
    const name = `app.${zone()}`
    const text = `subdomain ${name} already has a managed record`
    stage.ink.fault('ink.tool-error', { tool: 'add_custom_domain', text })
    const run = await push(scene, { domain: name })
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toContain(`${text}. ml.ink still keeps the DNS record that it made`)
    expect(run.warnings.join()).toContain('delete the managed record in the zone at ml.ink')
  })

  it('stays when the input goes away, until its removal is asked for', async () => {
    const scene = await stage.scene()
    const name = zone()
    await push(scene, { domain: `app.${name}` })
    const without = await push(scene, {})
    expect(without.warnings).toEqual([])
    expect(attached(scene)).toBe(`app.${name}`)
    const asked = await push(scene, { 'remove-domain': 'true' })
    expect(asked.told).toBe('live')
    expect(attached(scene)).toBeUndefined()
    expect(stage.ink.dnsRecords(name)).toEqual([])
  })

  it('is replaced by another one only when the removal of the old one is asked for', async () => {
    const scene = await stage.scene()
    const name = zone()
    await push(scene, { domain: `old.${name}` })
    const kept = await push(scene, { domain: `new.${name}` })
    expect(kept.told).toBe('live')
    expect(kept.warnings.join()).toContain('remove-domain: true')
    expect(attached(scene)).toBe(`old.${name}`)
    await push(scene, { domain: `new.${name}`, 'remove-domain': 'true' })
    expect(attached(scene)).toBe(`new.${name}`)
  })

  it('does not make the run red when it cannot be taken off', async () => {
    const scene = await stage.scene()
    await push(scene, { domain: `app.${zone()}` })
    stage.ink.fault('ink.tool-error', { tool: 'remove_custom_domain', text: 'try later' })
    const run = await push(scene, { 'remove-domain': 'true' })
    expect(run.told).toBe('live')
    expect(run.warnings.join()).toContain('could not be taken off: ml.ink refused remove_custom_domain: try later')
  })
})
