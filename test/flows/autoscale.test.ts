import { describe, expect, it } from 'vitest'
import { bounds, deployed, look, size } from './monitor.ts'
import { openStage, type Scene, type Stage } from './stage.ts'

/** The service has just been killed for its memory. */
async function kill(stage: Stage, scene: Scene): Promise<void> {
  stage.ink.fault('app.dies', { times: 1, afterMs: 10, exitCode: 137 })
  stage.ink.deployAsSomebodyElse(scene.production)
  await expect.poll(() => scene.page(scene.production), { timeout: 10_000 }).toBe('Bad Gateway')
}

const memoryOf = (stage: Stage, scene: Scene) => stage.ink.service(scene.production)?.config.memory

/** A look at a service that was killed, which gives it the first step, and nothing else. */
async function raised(stage: Stage, scene: Scene, before: ReturnType<Stage['ink']['service']>): Promise<void> {
  const run = await look(scene)
  expect(run.summary).toContain(
    'Memory raised from 256Mi to 512Mi: it was killed for memory (“container exited with code 137”).',
  )
  const after = await stage.ink.waitForStatus(scene.production, ['active'])
  expect(after.config).toEqual({ ...before?.config, memory: '512Mi' })
  expect(after.deployments).toHaveLength((before?.deployments.length ?? 0) + 2) // the one that died, and ours
  expect(run.outputs.status).toBe('unhealthy') // it was down when it was looked at
  // The step is remembered: no second one on the same evidence.
  expect((await look(scene)).told).toBe('live')
  expect(memoryOf(stage, scene)).toBe('512Mi')
}

describe('a service that was killed for memory', { timeout: 90_000 }, () => {
  // Generation 1 was never seen to report a crash: there the log and the URL that does not answer are all there is.
  it('and stays active gets a step more each time, runs again, and keeps everything else', async () => {
    await using stage = await openStage()
    const scene = await deployed(stage)
    const before = stage.ink.service(scene.production)
    await kill(stage, scene)
    expect(stage.ink.service(scene.production)?.status).toBe('active')
    await raised(stage, scene, before)
    // None too soon, and none past the bounds.
    await kill(stage, scene)
    await look(scene)
    expect(memoryOf(stage, scene)).toBe('512Mi')
    await look(scene, {}, 45)
    expect(memoryOf(stage, scene)).toBe('1024Mi')
    await kill(stage, scene)
    expect((await look(scene, {}, 90)).summary).toContain('has all that the bounds allow (1024Mi)')
    expect(memoryOf(stage, scene)).toBe('1024Mi')
  })

  it('and is reported as crashed gets it too, not in a dry run, and with its next version keeps it', async () => {
    await using stage = await openStage({ reportsCrashes: true })
    const scene = await deployed(stage)
    const before = stage.ink.service(scene.production)
    await kill(stage, scene)
    expect(stage.ink.service(scene.production)?.status).toBe('crashed')
    const deployments = stage.ink.service(scene.production)?.deployments.length
    const dry = await look(scene, { 'dry-run': 'true' })
    expect(dry.summary).toContain('Would change: Memory raised from 256Mi to 512Mi')
    expect(stage.ink.service(scene.production)?.deployments.length).toBe(deployments)
    expect([...scene.repository.issues.values()]).toEqual([])

    await raised(stage, scene, before)
    const after = await scene.write('second')
    const inputs = { ...size, autoscale: bounds }
    expect((await scene.act('push', { after, before: scene.first }, { inputs })).told).toBe('live')
    expect(memoryOf(stage, scene)).toBe('512Mi')
  })
})

it('gets more memory when the log says why it died above a stack, and nothing else tells', async () => {
  await using stage = await openStage()
  const scene = await stage.scene()
  const after = await scene.repository.commit({
    branch: 'main',
    message: 'Serve, and eat',
    files: {
      'package.json': JSON.stringify({ scripts: { start: 'exec node --max-old-space-size=16 app.mjs' } }),
      'app.mjs': `import { createServer } from 'node:http'
        const eaten = []
        createServer((request, response) => {
          if (request.url === '/eat') for (;;) eaten.push(Array.from({ length: 1000 }, () => ({})))
          response.end('hello')
        }).listen(process.env.PORT)`,
    },
  })
  const inputs = { ...size, 'build-pack': 'railpack' }
  expect((await scene.act('push', { after, before: scene.first }, { inputs })).told).toBe('live')
  const url = stage.ink.service(scene.production)?.url
  await fetch(`${url}/eat`).catch(() => undefined)
  await expect.poll(async () => (await fetch(`${url}`)).status, { timeout: 20_000 }).toBe(502)

  const run = await look(scene)
  expect(run.summary).toContain('Memory raised from 256Mi to 512Mi: it was killed for memory (“FATAL ERROR: ')
  expect(stage.ink.service(scene.production)).toMatchObject({ status: 'active', config: { memory: '512Mi' } })
  expect(await scene.page(scene.production)).toBe('hello')
})
