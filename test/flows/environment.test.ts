// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import { describe, expect, it } from 'vitest'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

const two = `services:
  web:
    root: apps/web
    env: { API_URL: "\${services.api.url}", API_HOST: "\${services.api.host}", STRIPE: "\${secrets.STRIPE}" }
  api:
    root: apps/api
`
const pages = { 'apps/web/index.html': 'web', 'apps/api/index.html': 'api' }
const inputs = { env: 'STRIPE=sk_live_1' }

/** A pull request that brings these services. */
async function withServices(text: string, files: Record<string, string> = pages) {
  const scene = await stage.scene()
  const { number } = await scene.open('hello')
  const branch = scene.repository.pull(number).headRef
  const sha = await scene.repository.commit({ branch, files: { 'ink.yml': text, ...files }, message: 'Two services' })
  return { scene, number, sha, branch }
}

const previewOf = (scene: Scene, service: string, number: number) => `${scene.production}-${service}-pr-${number}`
const statuses = (scene: Scene, number: number) =>
  Object.fromEntries(scene.rows(number).map(({ service, status }) => [service, status]))

describe('several services in one file', () => {
  it('are deployed by one step, those that use another’s address after it, and removed together', async () => {
    const { scene, number, sha } = await withServices(two)
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(run.outputs.status, run.told).toBe('live')
    const [web, api] = [previewOf(scene, 'web', number), previewOf(scene, 'api', number)]
    expect(await scene.page(web)).toBe('web')
    expect(await scene.page(api)).toBe('api')
    const url = stage.ink.service(api)?.url ?? ''
    expect(stage.ink.service(web)?.env).toMatchObject({
      API_URL: url,
      API_HOST: new URL(url).host,
      STRIPE: 'sk_live_1',
    })
    expect(stage.ink.service(api)?.env).not.toHaveProperty('STRIPE')
    expect(statuses(scene, number)).toEqual({ [web]: 'live', [api]: 'live' })
    expect(JSON.parse(run.outputs.services ?? '')).toMatchObject({
      web: { status: 'live', service: web, commit: sha },
      api: { status: 'live', service: api, url, commit: sha },
    })
    expect(run.log).toContainEqual(expect.stringMatching(/^web │ /))
    expect(scene.activeRecords()).toHaveLength(2)

    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.outputs.status, closed.told).toBe('removed')
    for (const name of [web, api]) expect(stage.ink.service(name)).toBeUndefined()
    expect(statuses(scene, number)).toEqual({ [web]: 'removed', [api]: 'removed' })
    expect(await scene.branches()).toEqual([])
  })

  it('of which one fails: those that need it are skipped and say why, the others go on', async () => {
    const three = `${two}  docs: { root: apps/docs }\n`
    const broken = { ...pages, 'apps/docs/index.html': 'docs' }
    const { scene, number } = await withServices(three.replace('root: apps/api', 'root: apps/missing'), broken)
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(run.red).toBe(true)
    const told = JSON.parse(run.outputs.services ?? '')
    expect(told.docs.status).toBe('live')
    expect(told.api.status).toBe('unhealthy')
    expect(told.web.status).toBe('skipped')
    expect(run.outputs.status).toBe('unhealthy')
    expect(run.notices.join()).toContain('web needs api, which is unhealthy')
    expect(stage.ink.service(previewOf(scene, 'web', number))).toBeUndefined()
  })

  it('that wait for each other are refused with the circle', async () => {
    const circle = 'services:\n  a: { env: { B: "${services.b.url}" } }\n  b: { env: { A: "${services.a.url}" } }\n'
    const { scene, number } = await withServices(circle)
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(run.told).toContain('ink.yml:2:3: services wait for each other in a circle: a → b → a')
    expect(run.red).toBe(true)
  })

  it('of which one changed: production brings that alone, and the other keeps its wiring', async () => {
    const scene = await stage.scene()
    const commit = (files: Record<string, string>) =>
      scene.repository.commit({ branch: 'main', files, message: 'Change' })
    const first = await commit({ 'ink.yml': two, ...pages })
    const begun = await scene.act('push', { after: first }, { inputs })
    expect(begun.outputs.status, begun.told).toBe('live')
    const second = await commit({ 'apps/web/index.html': 'web 2' })
    const run = await scene.act('push', { before: first, after: second }, { inputs })
    const told = JSON.parse(run.outputs.services ?? '')
    expect(told).toMatchObject({ web: { status: 'live', commit: second }, api: { status: 'skipped' } })
    expect(run.outputs.status).toBe('live')
    expect(await scene.page(`${scene.production}-web`)).toBe('web 2')
    expect(stage.ink.service(`${scene.production}-web`)?.env.API_URL).toBe(
      stage.ink.service(`${scene.production}-api`)?.url,
    )
  })

  it('are confined to one by the input service, whose neighbours have to be known', async () => {
    const { scene, number } = await withServices(two)
    const alone = await scene.act(
      'pull_request',
      { action: 'opened', number },
      { inputs: { ...inputs, service: 'api' } },
    )
    expect(alone.outputs.status, alone.told).toBe('live')
    expect(Object.keys(JSON.parse(alone.outputs.services ?? ''))).toEqual(['api'])
    expect(stage.ink.service(previewOf(scene, 'web', number))).toBeUndefined()
    const wrong = await scene.act(
      'pull_request',
      { action: 'opened', number },
      { inputs: { ...inputs, service: 'apo' } },
    )
    expect(wrong.told).toContain(
      'service: must be one of the file’s services (web, api), but is "apo"; did you mean api?',
    )
    const other = await scene.act(
      'pull_request',
      { action: 'opened', number },
      { inputs: { ...inputs, service: 'web' } },
    )
    expect(other.outputs.status, other.told).toBe('live')
    expect(stage.ink.service(previewOf(scene, 'web', number))?.env.API_URL).toBe(
      stage.ink.service(previewOf(scene, 'api', number))?.url,
    )
  })

  it('name what is missing before any of them is touched', async () => {
    const { scene, number } = await withServices(two)
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(run.told).toMatch(/ink\.yml:4:\d+: services\.web\.env\.STRIPE: the workflow gives no STRIPE/)
    expect(stage.ink.service(previewOf(scene, 'api', number))).toBeUndefined()
  })

  it('hand over their databases', async () => {
    const text = `services:
  web: { root: apps/web, env: { DB: "\${services.api.database.url}", KEY: "\${services.api.database.token}" } }
  api: { root: apps/api, database: { type: sqlite } }
`
    const { scene, number } = await withServices(text)
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(run.outputs.status, run.told).toBe('live')
    const api = stage.ink.service(previewOf(scene, 'api', number))?.env
    expect(stage.ink.service(previewOf(scene, 'web', number))?.env).toMatchObject({
      DB: api?.DATABASE_URL,
      KEY: api?.DATABASE_AUTH_TOKEN,
    })
    const wrong = await withServices(text.replace(', database: { type: sqlite }', ''))
    const refused = await wrong.scene.act('pull_request', { action: 'opened', number: wrong.number })
    expect(refused.told).toMatch(/ink\.yml:2:\d+: services\.web\.env\.DB: api has no database/)
  })
})
