// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import { describe, expect, it } from 'vitest'
import { decodeState } from '../../src/report/state.ts'
import { inputs, pages, several, severalPreviews, two } from './several.ts'
import { until } from './stage.ts'
import { useStage } from './use-stage.ts'

// What else there is about several services, the other files and the other half of this one see on the first generation.
describe('several services in one file, on a platform of the second generation', () => {
  const stage = useStage({ profile: 'g2' })

  it('are deployed by one step, those that use another’s address after it, and removed together', async () => {
    const { scene, number, sha, preview, event, rows } = await severalPreviews(stage)
    const run = await event('opened')
    expect(run.outputs.status, run.told).toBe('live')
    const [web, api] = [preview('web'), preview('api')]
    expect(await scene.page(web)).toBe('web')
    expect(await scene.page(api)).toBe('api')
    const url = stage.ink.service(api)?.url ?? ''
    const { env } = stage.ink.service(web) ?? {}
    expect(env).toMatchObject({ API_URL: url, API_HOST: new URL(url).host, STRIPE: 'sk_live_1' })
    expect(stage.ink.service(api)?.env).not.toHaveProperty('STRIPE')
    expect(rows()).toEqual({ [web]: 'live', [api]: 'live' })
    expect(JSON.parse(run.outputs.services ?? '')).toMatchObject({
      web: { status: 'live', service: web, commit: sha },
      api: { status: 'live', service: api, url, commit: sha },
    })
    expect(run.outputs).toMatchObject({ environment: 'preview', 'comment-id': expect.stringMatching(/^\d+$/) })
    expect(run.log).toContainEqual(expect.stringMatching(/^web │ /))
    expect(run.log).toContainEqual(expect.stringMatching(/^api │ /))
    expect(scene.activeRecords()).toHaveLength(2)
    const fetches = stage.github.journal.filter(
      ({ method, path }) => method === 'POST' && path === `/acme/${scene.repository.name}/git-upload-pack`,
    )
    expect(fetches).toHaveLength(1)

    await scene.repository.close(number)
    const closed = await event('closed', {})
    expect(closed.outputs.status, closed.told).toBe('removed')
    for (const name of [web, api]) expect(stage.ink.service(name)).toBeUndefined()
    expect(rows()).toEqual({ [web]: 'removed', [api]: 'removed' })
    expect(await scene.branches()).toEqual([])
    expect(scene.activeRecords()).toEqual([])
  })

  it('of which one fails: those that need it are skipped and say why, the others go on', async () => {
    const text = `${two.replace('root: apps/api', 'root: apps/missing')}  docs: { root: apps/docs }\n`
    const { event, preview, statuses } = await severalPreviews(stage, text, {
      ...pages,
      'apps/docs/index.html': 'docs',
    })
    const run = await event('opened')
    expect(run.red).toBe(true)
    expect(statuses(run)).toEqual({ docs: 'live', api: 'unhealthy', web: 'skipped' })
    expect(run.outputs.status).toBe('unhealthy')
    expect(run.notices.join()).toContain('web needs api, which is unhealthy')
    expect(stage.ink.service(preview('web'))).toBeUndefined()
  })

  it('of which one changed: production brings that alone, and takes back one that fails on its own', async () => {
    const { scene, name, merge, push, statuses } = await several(stage)
    const first = await merge({ 'ink.yml': two, ...pages })
    const begun = await push(first)
    expect(begun.outputs.status, begun.told).toBe('live')
    const second = await merge({ 'apps/web/index.html': 'web 2' })
    const run = await push(second)
    expect(statuses(run)).toEqual({ web: 'live', api: 'skipped' })
    expect(run.outputs.status, run.told).toBe('live')
    expect(await scene.page(name('web'))).toBe('web 2')
    const { url } = stage.ink.service(name('api')) ?? {}
    expect(stage.ink.service(name('web'))?.env.API_URL).toBe(url)
    // What was left is told as well.
    expect(JSON.parse(run.outputs.services ?? '').api).toMatchObject({ url, commit: first, service: name('api') })

    // The one that is deployed first.
    stage.ink.fault('app.error', { times: 1 })
    const failed = await push(await merge({ 'apps/web/index.html': 'web 3', 'apps/api/index.html': 'api 3' }))
    expect(statuses(failed)).toEqual({ api: 'rolled-back', web: 'skipped' })
    expect(failed.red).toBe(true)
    expect(await scene.page(name('api'))).toBe('api')
    expect(await scene.page(name('web'))).toBe('web 2')
  })

  it('all come with the first change to one of them, and none with a change to none', async () => {
    const { scene, merge } = await several(stage)
    const base = await merge({ 'ink.yml': two, ...pages, 'README.md': 'one' })
    const change = async (files: Record<string, string>) => {
      const branch = `change-${scene.repository.pulls.size + 1}`
      await scene.repository.commit({ branch, parent: base, files, message: 'Change' })
      const { number } = await scene.repository.openPullRequest({ head: branch, title: branch })
      const run = await scene.act('pull_request', { action: 'opened', number }, { inputs })
      return Object.values(JSON.parse(run.outputs.services ?? '{}') as Record<string, { status: string }>)
    }
    expect(await change({ 'apps/web/index.html': 'new' })).toMatchObject([{ status: 'live' }, { status: 'live' }])
    expect(await change({ 'README.md': 'two' })).toMatchObject([{ status: 'skipped' }, { status: 'skipped' }])
  })

  it('are built at the same time where they are independent, and settled one by one when the run is cancelled', async () => {
    const { scene, event, preview, rows } = await severalPreviews(
      stage,
      'services: { web: { root: apps/web }, api: { root: apps/api } }',
    )
    const cancel = new AbortController()
    // Whichever is built first never ends: the other one gets to its end only if it does not wait for it.
    stage.ink.fault('build.hang', { times: 1 })
    const services = ['web', 'api'].map(preview)
    const statusOf = (name: string) => stage.ink.service(name)?.status
    const running = event('opened', { signal: cancel.signal })
    await until(() => services.some((name) => rows()[name] === 'live'), 'one of them is live')
    const hanging = services.find((name) => statusOf(name) === 'building')
    expect(hanging).toBeDefined()
    cancel.abort(new Error('cancelled'))
    const run = await running
    expect(run.outputs.status).toBe('cancelled')
    const open = run.open.flatMap(({ row }) => decodeState(row) ?? [])
    expect(open.filter(({ status }) => status === 'building').map(({ service }) => service)).toEqual([hanging])
    expect(scene.activeRecords()).toHaveLength(2)
  })

  it('are confined to one by the input service, whose neighbours have to be known', async () => {
    const { event, preview, statuses } = await severalPreviews(stage)
    const alone = await event('opened', { inputs: { ...inputs, service: 'api' } })
    expect(alone.outputs.status, alone.told).toBe('live')
    expect(statuses(alone)).toEqual({ api: 'live' })
    expect(alone.outputs.url).toBe(stage.ink.service(preview('api'))?.url)
    expect(stage.ink.service(preview('web'))).toBeUndefined()
    const wrong = await event('opened', { inputs: { ...inputs, service: 'apo' } })
    expect(wrong.told).toContain(
      'service: must be one of the file’s services (web, api), but is "apo"; did you mean api?',
    )
    const other = await event('opened', { inputs: { ...inputs, service: 'web' } })
    expect(other.outputs.status, other.told).toBe('live')
    expect(stage.ink.service(preview('web'))?.env.API_URL).toBe(stage.ink.service(preview('api'))?.url)
  })

  it('of a fork are those of the base’s file', async () => {
    const { scene, merge } = await several(stage)
    const open = two.replace(', STRIPE: "${secrets.STRIPE}"', '')
    const base = await merge({ 'ink.yml': open, ...pages })
    const fork = await stage.github.createRepository({
      owner: 'eve',
      name: scene.repository.name,
      fork: scene.repository,
    })
    const taken = `${open.replace('apps/web', '.')}    name: acme-other\n  mine: { size: { memory: 4096Mi } }\n`
    const files = { 'apps/web/index.html': 'gift', 'ink.yml': taken }
    const sha = await fork.commit({ branch: 'gift', parent: base, files, message: 'A gift' })
    const pull = { head: 'gift', fromFork: fork, title: 'A gift', author: 'eve' }
    const { number } = await scene.repository.openPullRequest(pull)
    const comment = scene.repository.comment(number, `/ink deploy ${sha}`, 'acme')
    const run = await scene.act('issue_comment', { number, commentId: comment.id, sender: 'acme' }, { inputs })
    expect(run.outputs.status, run.told).toBe('live')
    expect(Object.keys(JSON.parse(run.outputs.services ?? '')).sort()).toEqual(['api', 'web'])
    expect(await scene.page(`${scene.production}-pr-${number}`)).toBe('gift')
    expect(stage.ink.services().map(({ name }) => name)).not.toContain(`acme-other-pr-${number}`)
  })
})

describe('several services in one file', () => {
  const stage = useStage()

  it('hand over their databases', async () => {
    const text = `services:
  web: { root: apps/web, env: { DB: "\${services.api.database.url}", KEY: "\${services.api.database.token}" } }
  api: { root: apps/api, database: { type: sqlite } }
`
    const { event, preview } = await severalPreviews(stage, text)
    const run = await event('opened')
    expect(run.outputs.status, run.told).toBe('live')
    const api = stage.ink.service(preview('api'))?.env
    expect(stage.ink.service(preview('web'))?.env).toMatchObject({
      DB: api?.DATABASE_URL,
      KEY: api?.DATABASE_AUTH_TOKEN,
    })
  })

  it('share the time of the run: what waits for one that never ends is skipped when it is over', async () => {
    const { event, statuses } = await severalPreviews(stage)
    stage.ink.fault('build.hang', { times: 1 })
    const run = await event('opened', { inputs: { ...inputs, timeout: '6s' } })
    stage.ink.clearFaults()
    expect(statuses(run)).toEqual({ api: 'timed-out', web: 'skipped' })
    expect(run.outputs.status).toBe('timed-out')
    expect(run.notices.join()).toContain('web needs api, which is timed-out')
  })

  it('that wait for each other are refused with the circle', async () => {
    const circle = 'services:\n  a: { env: { B: "${services.b.url}" } }\n  b: { env: { A: "${services.a.url}" } }\n'
    const run = await (await severalPreviews(stage, circle)).event('opened')
    expect(run.told).toContain('ink.yml:2:3: services wait for each other in a circle: a → b → a')
    expect(run.red).toBe(true)
  })

  it('of which one lacks a secret are refused before any of them is touched', async () => {
    const { event, preview } = await severalPreviews(stage)
    const run = await event('opened', {})
    expect(run.told).toMatch(/ink\.yml:4:\d+: services\.web\.env\.STRIPE: the workflow gives no STRIPE/)
    expect(stage.ink.service(preview('api'))).toBeUndefined()
  })

  it('of which one has no database for another are refused with the place', async () => {
    const text = 'services:\n  web: { env: { DB: "${services.api.database.url}" } }\n  api: { root: apps/api }\n'
    const run = await (await severalPreviews(stage, text)).event('opened')
    expect(run.told).toMatch(/ink\.yml:2:\d+: services\.web\.env\.DB: api has no database/)
  })
})
