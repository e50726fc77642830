import { describe, expect, it } from 'vitest'
import { bounds, deployed, look, size } from './monitor.ts'
import { openStage, type Scene, type Stage } from './stage.ts'
import { useStage } from './use-stage.ts'

/** The service has just been killed for its memory. */
async function kill(stage: Stage, scene: Scene): Promise<void> {
  stage.ink.fault('app.dies', { times: 1, afterMs: 10, exitCode: 137 })
  stage.ink.deployAsSomebodyElse(scene.production)
  await expect.poll(() => scene.page(scene.production), { timeout: 10_000 }).toBe('Bad Gateway')
}

const memoryOf = (stage: Stage, scene: Scene) => stage.ink.service(scene.production)?.config.memory

// Generation 1 was never seen to report a crash: there the log and the URL that does not answer are all there is.
describe.each([
  ['stays active', {}, 'active'],
  ['is reported as crashed', { reportsCrashes: true }, 'crashed'],
] as const)('a service that was killed for memory and %s', { timeout: 90_000 }, (_how, options, status) => {
  const stage = useStage(options)

  it('gets one step more, runs again, and keeps everything else', async () => {
    const scene = await deployed(stage)
    const before = stage.ink.service(scene.production)
    await kill(stage, scene)
    expect(stage.ink.service(scene.production)?.status).toBe(status)
    const run = await look(scene)
    expect(run.summary).toContain(
      'Memory raised from 256Mi to 512Mi: it was killed for memory (“container exited with code 137”).',
    )
    const after = await stage.ink.waitForStatus(scene.production, ['active'])
    expect(after.config).toEqual({ ...before?.config, memory: '512Mi' })
    expect(after.deployments).toHaveLength((before?.deployments.length ?? 0) + 2) // the one that died, and ours
    expect(run.outputs.status).toBe('unhealthy') // it was down when it was looked at
    // The step is remembered: no second one on the same evidence, and none too soon.
    expect((await look(scene)).told).toBe('live')
    await kill(stage, scene)
    await look(scene)
    expect(memoryOf(stage, scene)).toBe('512Mi')
    await look(scene, {}, 45)
    expect(memoryOf(stage, scene)).toBe('1024Mi')
    await kill(stage, scene)
    expect((await look(scene, {}, 90)).summary).toContain('has all that the bounds allow (1024Mi)')
    expect(memoryOf(stage, scene)).toBe('1024Mi')
  })
})

describe('a service that was killed for memory', { timeout: 90_000 }, () => {
  const stage = useStage({ reportsCrashes: true })

  it('is only told of in a dry run', async () => {
    const scene = await deployed(stage)
    await kill(stage, scene)
    const deployments = stage.ink.service(scene.production)?.deployments.length
    const run = await look(scene, { 'dry-run': 'true' })
    expect(run.summary).toContain('Would change: Memory raised from 256Mi to 512Mi')
    expect(stage.ink.service(scene.production)?.deployments.length).toBe(deployments)
    expect([...scene.repository.issues.values()]).toEqual([])
  })

  it('keeps its size when the next version is deployed', async () => {
    const scene = await deployed(stage)
    await kill(stage, scene)
    await look(scene)
    expect(memoryOf(stage, scene)).toBe('512Mi')
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
