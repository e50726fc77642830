import { describe, expect, it } from 'vitest'
import { startFront } from './front.ts'
import { useStage } from './use-stage.ts'

describe('a server that lacks a tool', () => {
  const stage = useStage()

  it('that is needed: says so before anything is made', async () => {
    await using front = await startFront(stage.ink.endpoint, { without: ['create_service'] })
    const scene = await stage.scene()
    const inputs = { endpoint: `${front.origin}/mcp`, database: 'sqlite' }
    const run = await scene.act('push', { after: scene.first }, { inputs })
    expect(run.told).toMatch(/no tool to create a service, and acme-shop\d+ does not exist yet; nothing was touched/)
    expect(run.outcome?.failure?.hint ?? String(run.thrown)).toContain('endpoint')
    expect(stage.ink.journal.filter(({ name, ok }) => ok && /^create_/.test(name))).toEqual([])
  })

  it('or a size: names every value with those that it has, before anything is made', async () => {
    const scene = await stage.scene()
    const made = () => stage.ink.journal.filter(({ name }) => /^create_/.test(name)).length
    const before = made()
    const run = await scene.act('push', { after: scene.first }, { inputs: { memory: '128Mi', vcpus: '0.25' } })
    expect(run.told).toMatch(/`memory` is “128Mi”, and this ml\.ink server allows 256Mi, 512Mi/)
    expect(run.told).toMatch(/`vcpus` is “0\.25”, and this ml\.ink server allows 0\.5, 1/)
    expect(made()).toBe(before)
  })

  it('or a size, or a region: command: plan says so with those that it has, as a problem', async () => {
    const scene = await stage.scene()
    const inputs = { command: 'plan', memory: '128Mi', vcpus: '0.25', region: 'mars' }
    const { red, told, summary } = await scene.act('push', { after: scene.first }, { inputs })
    expect(red).toBe(true)
    expect(told).toMatch(/Deployment: .*`memory` is “128Mi”, and this ml\.ink server allows 256Mi, 512Mi/)
    expect(told).toMatch(/`vcpus` is “0\.25”.*`region` is “mars”, and this ml\.ink server allows eu-central-1/)
    expect(summary).toContain('256Mi, 512Mi')
  })

  it('for a service that exists: leaves it as it was', async () => {
    await using front = await startFront(stage.ink.endpoint, { without: ['update_service'] })
    const scene = await stage.scene()
    await scene.act('push', { after: scene.first })
    const before = stage.ink.service(scene.production)
    const sha = await scene.write('second')
    const inputs = { endpoint: `${front.origin}/mcp` }
    const run = await scene.act('push', { before: scene.first, after: sha }, { inputs })
    expect(run.told).toContain(`no tool to change a service, so ${scene.production} stays as it is`)
    expect(stage.ink.service(scene.production)).toEqual(before)
  })

  it('it can do without: production goes on, and what is left undone is said', async () => {
    await using front = await startFront(stage.ink.endpoint, { without: ['list_services', 'add_custom_domain'] })
    const scene = await stage.scene()
    const inputs = { endpoint: `${front.origin}/mcp`, domain: 'www.example.com' }
    const run = await scene.act('push', { after: scene.first }, { inputs })
    expect(run.told).toBe('live')
    // Nothing of the list of services.
    expect(run.warnings).toEqual([
      expect.stringMatching(/The domain .* could not be attached: .*no tool to add domain/),
    ])
    expect(run.warnings.join()).not.toContain('No zone is delegated')
  })

  it('that the deployment needs: the check says so', async () => {
    await using front = await startFront(stage.ink.endpoint, { without: ['create_service'] })
    const scene = await stage.scene()
    const inputs = { endpoint: `${front.origin}/mcp`, command: 'plan' }
    const run = await scene.act('push', { after: scene.first }, { inputs })
    expect(run.red).toBe(true)
    expect(run.summary).toMatch(/no tool to create a service/)
  })

  it('that reads databases back: none is made, for the next run could not hand it over', async () => {
    await using front = await startFront(stage.ink.endpoint, { without: ['get_resource'] })
    const scene = await stage.scene()
    const inputs = { endpoint: `${front.origin}/mcp`, database: 'sqlite' }
    const run = await scene.act('push', { after: scene.first }, { inputs })
    expect(run.told).toContain('offers no sqlite databases')
    expect(stage.ink.service(scene.production)).toBeUndefined()
  })

  it('that lists services: a scheduled run sweeps by the branches, and then looks after production', async () => {
    await using front = await startFront(stage.ink.endpoint, { without: ['list_services'] })
    const scene = await stage.scene()
    await scene.act('push', { after: scene.first })
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number })
    await scene.repository.close(number)
    const swept = await scene.act('schedule', {}, { inputs: { endpoint: `${front.origin}/mcp` } })
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
    expect(swept.log.join('\n')).toContain(`${scene.production}: healthy`)
  })

  it.each(['whoami', 'list_projects', 'list_services'])('%s: the check does without', async (tool) => {
    await using front = await startFront(stage.ink.endpoint, { without: [tool] })
    const scene = await stage.scene()
    const inputs = { endpoint: `${front.origin}/mcp`, command: 'plan' }
    expect((await scene.act('workflow_dispatch', {}, { inputs })).told).toBe('planned')
  })

  it('that deletes services: the run is red, for something billed is left; one that lists them is no need', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number })
    await scene.repository.close(number)
    const close = async (lacking: string) => {
      await using front = await startFront(stage.ink.endpoint, { without: [lacking] })
      const inputs = { endpoint: `${front.origin}/mcp` }
      return await scene.act('pull_request', { action: 'closed', number }, { inputs })
    }
    const left = await close('delete_service')
    expect(left.red).toBe(true)
    expect(left.told).toMatch(/no tool to delete service \(looked for delete_service, service_delete\)/)
    // The branches name the service that may use them.
    const removed = await close('list_services')
    expect(removed.told).toBe('removed')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
    expect(removed.warnings).toEqual([])
    // The mark stays of the removal whose end is not known.
    expect(await scene.branches()).toEqual([expect.stringMatching(/^ink\/removing\//)])
  })
})

describe('the endpoint', () => {
  const stage = useStage()

  // `/mcp` is where all others have it.
  it.each(['/', '/v2/mcp'])('at the path %s is used exactly as it is given', async (path) => {
    await using front = await startFront(stage.ink.endpoint, { path })
    const scene = await stage.scene()
    const inputs = { endpoint: `${front.origin}${path}`, command: 'plan' }
    expect((await scene.act('push', { after: scene.first }, { inputs })).told).toBe('planned')
    expect(new Set(front.seen.map((request) => request.path))).toEqual(new Set([path]))
  })

  it('at the wrong path is named, and no other is tried', async () => {
    await using front = await startFront(stage.ink.endpoint, { path: '/' })
    const scene = await stage.scene()
    const run = await scene.act('push', { after: scene.first }, { inputs: { endpoint: `${front.origin}/mcp` } })
    expect(run.told).toContain('There is no MCP endpoint')
    expect(new Set(front.seen.map((request) => request.path))).toEqual(new Set(['/mcp']))
  })

  it('that redirects to another host: the key is not sent there, and the host is named', async () => {
    await using elsewhere = await startFront(stage.ink.endpoint)
    await using front = await startFront(stage.ink.endpoint, { path: '/', redirectTo: `${elsewhere.origin}/mcp` })
    const scene = await stage.scene()
    const run = await scene.act('push', { after: scene.first }, { inputs: { endpoint: `${front.origin}/mcp` } })
    expect(front.seen[0]?.authorization).toBe(`Bearer ${stage.ink.apiKey}`)
    expect(elsewhere.seen).toEqual([])
    expect(run.told).toContain(`redirects to another host, ${new URL(elsewhere.origin).host}`)
  })
  it('that redirects within its host is followed', async () => {
    await using front = await startFront(stage.ink.endpoint, { redirectTo: '/mcp' })
    const scene = await stage.scene()
    const inputs = { endpoint: `${front.origin}/old`, command: 'plan' }
    expect((await scene.act('push', { after: scene.first }, { inputs })).told).toBe('planned')
    expect(front.seen.slice(0, 2).map((request) => request.path)).toEqual(['/old', '/mcp'])
  })
})
