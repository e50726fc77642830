import { describe, expect, it } from 'vitest'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

const inputs = { 'build-pack': 'railpack' }

/** Commits an API that names its port and its health route in its log, and answers everything at `/` alike. */
function writeApi(scene: Scene, status: number, body: string): Promise<string> {
  const files = {
    'package.json': JSON.stringify({ type: 'module', scripts: { start: 'node server.js' } }),
    'server.js': `import { createServer } from 'node:http'
createServer((_, response) => response.writeHead(${status}).end(${JSON.stringify(body)})).listen(process.env.PORT, () => {
  console.log('Server listening on port ' + process.env.PORT)
  console.log('Mapped {/health, GET} route')
  ${status >= 500 ? "console.error('TypeError: Cannot read properties of undefined (reading \\'rows\\')')" : ''}
})`,
  }
  return scene.repository.commit({ branch: 'main', files, message: `Answer ${status}` })
}

const NOT_FOUND = '{"message":"Not Found"}'

describe('an app that nobody described', () => {
  it('is live with a note where it knows no page at /, at first and ever after', async () => {
    const scene = await stage.scene()
    const first = await scene.act('push', { after: await writeApi(scene, 404, NOT_FOUND) }, { inputs })
    expect(first.told).toBe('live')
    expect(first.summary).toMatch(/answers HTTP 404 at .*health-path.*\/health/)
    const second = await scene.act(
      'push',
      { after: await writeApi(scene, 401, '{"message":"Who are you?"}') },
      { inputs },
    )
    expect(second.told).toBe('live')
    expect((await scene.act('schedule', {}, { inputs: { ...inputs, command: 'monitor' } })).told).toBe('live')
  })

  it('is unhealthy where it answered well before, and told of health-path, never of its port', async () => {
    const scene = await stage.scene()
    expect((await scene.act('push', { after: await writeApi(scene, 200, 'Hello') }, { inputs })).told).toBe('live')
    const worse = await scene.act('push', { after: await writeApi(scene, 404, NOT_FOUND) }, { inputs })
    expect(worse.told).toMatch(/^rolled-back: .*HTTP 404/)
    expect(worse.outcome?.failure?.hint).toMatch(/health-path.*\/health/)
    expect(worse.outcome?.failure?.hint).not.toMatch(/port/i)
  })

  it('is unhealthy where it fails, with the reason from its log', async () => {
    const scene = await stage.scene()
    const failing = await scene.act('push', { after: await writeApi(scene, 500, '{"error":"boom"}') }, { inputs })
    expect(failing.told).toMatch(/^unhealthy: .*TypeError/)
    expect(failing.told).not.toMatch(/port/i)
  })

  it('is unhealthy where its answer could as well be a proxy’s, and is told why', async () => {
    const scene = await stage.scene()
    const doubtful = await scene.act('push', { after: await writeApi(scene, 404, '404 page not found') }, { inputs })
    expect(doubtful.told).toMatch(/^unhealthy: .*HTTP 404/)
    expect(doubtful.outcome?.failure?.hint).toMatch(/words that a proxy uses.*health-path.*\/health/)
  })

  it('has to answer as asked once somebody described it', async () => {
    const scene = await stage.scene()
    const asked = { ...inputs, 'health-path': '/up' }
    const { told } = await scene.act('push', { after: await writeApi(scene, 404, NOT_FOUND) }, { inputs: asked })
    expect(told).toMatch(/^unhealthy: .*HTTP 404/)
  })
})
