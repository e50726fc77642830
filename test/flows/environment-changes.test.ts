// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import { describe, expect, it } from 'vitest'
import { inputs, pages, several, severalPreviews, two } from './several.ts'
import type { Stage } from './stage.ts'
import { useStage } from './use-stage.ts'

const three = `${two}  docs: { root: apps/docs }\n`
const files = { ...pages, 'apps/docs/index.html': 'docs' }

/** Which of these services there are. */
const runningOn = (stage: Stage) => (names: readonly string[]) =>
  names.map((name) => stage.ink.service(name) !== undefined)

describe('a file that changes, on a platform of the first generation', () => {
  const stage = useStage({ profile: 'g1' })
  const running = runningOn(stage)

  it('takes a service out: its preview goes with the next update, those of all others with a sweep', async () => {
    const { scene, number, merge, sha, event, preview, commit, rows } = await severalPreviews(stage, three, files)
    const opened = await event('opened')
    expect(opened.outputs.status, opened.told).toBe('live')
    const after = await commit({ 'ink.yml': two })
    const run = await event('synchronize', { inputs }, { before: sha, after })
    expect(run.outputs.status, run.told).toBe('live')
    expect(running([preview('docs'), preview('web')])).toEqual([false, true])
    expect(rows()[preview('docs')]).toBe('removed')
    expect(JSON.parse(run.outputs.removed ?? '')).toContain(`service:${preview('docs')}`)

    await scene.repository.close(number)
    await merge({ 'ink.yml': 'services: { other: { root: apps/other } }' })
    const swept = await scene.act('schedule', {}, { inputs: { command: 'sweep' } })
    expect(swept.outputs.status, swept.told).toBe('swept')
    expect(running(['web', 'api'].map(preview))).toEqual([false, false])
  })

  it('grows from one service to several: the one that is live stays what it was', async () => {
    const { scene, name, merge, push } = await several(stage)
    const first = await push(await merge({ 'ink.yml': 'services: { web: { root: apps/web } }', ...pages }))
    expect(first.outputs.status, first.told).toBe('live')
    const { id } = stage.ink.service(scene.production) ?? {}
    const run = await push(await merge({ 'ink.yml': two, 'apps/web/index.html': 'web 2' }))
    expect(run.outputs.status, run.told).toBe('live')
    expect(stage.ink.service(scene.production)?.id).toBe(id)
    expect(await scene.page(scene.production)).toBe('web 2')
    expect(running([name('api')])).toEqual([true])
  })

  it('grows without telling which one is live: nothing is deployed until it says so', async () => {
    const { scene, merge, push } = await several(stage)
    const unnamed = 'services:\n  app: { root: apps/web }\n  api: { root: apps/api }\n'
    expect((await push(await merge(pages))).outputs.status).toBe('live')
    const before = stage.ink.services().length
    const refused = await push(await merge({ 'ink.yml': unnamed }))
    expect(refused.red).toBe(true)
    expect(refused.told).toContain(`services.NAME.name: ${scene.production}`)
    expect(refused.outcome?.annotations).toMatchObject([{ file: 'ink.yml', line: 2, column: 3 }])
    expect(stage.ink.services()).toHaveLength(before)
    const named = unnamed.replace('apps/web', `apps/web, name: ${scene.production}`)
    const run = await push(await merge({ 'ink.yml': named }))
    expect(run.outputs.status, run.told).toBe('live')
    expect(stage.ink.services()).toHaveLength(before + 1)
  })
})

describe('a file that changes, on a platform of the second generation', () => {
  const stage = useStage({ profile: 'g2' })
  const running = runningOn(stage)

  it('takes a service out: production says so, removes it when told to, and lets one of those left go back', async () => {
    const { scene, name, merge, push, statuses } = await several(stage)
    const begun = await push(await merge({ 'ink.yml': three, ...files }))
    expect(begun.outputs.status, begun.told).toBe('live')
    const told = await push(await merge({ 'ink.yml': two }))
    const words = `${name('docs')} runs in production, and ink.yml no longer has it. remove-orphans: true removes it`
    expect(told.notices).toContain(words)
    expect(told.summary).toContain(`${name('docs')} runs in production`)
    expect(told.red, told.told).toBe(false)
    expect(running([name('docs')])).toEqual([true])

    const removes = { inputs: { ...inputs, 'remove-orphans': 'true' } }
    const confined = { inputs: { ...removes.inputs, service: 'api' } }
    await push(await merge({ 'apps/api/index.html': 'api 2' }), confined)
    expect(running([name('docs')])).toEqual([true])
    const run = await push(await merge({ 'apps/api/index.html': 'api 3' }), removes)
    expect(run.red, run.told).toBe(false)
    expect(running([name('docs'), name('web'), name('api')])).toEqual([false, true, true])
    const branches = await scene.branches()
    expect(branches.filter((branch) => branch.includes(name('docs')))).toEqual([])
    expect(branches.filter((branch) => branch.startsWith(`ink/worked/${name('api')}/`))).toHaveLength(4)
    expect(run.notices.join()).not.toContain('no longer has it')

    const second = await push(await merge({ 'apps/web/index.html': 'web 2' }))
    expect(second.outputs.status, second.told).toBe('live')
    const back = { inputs: { ...inputs, command: 'rollback', service: 'api' } }
    const returned = await scene.act('workflow_dispatch', {}, back)
    expect(returned.outputs.status, returned.told).toBe('live')
    expect(statuses(returned)).toEqual({ api: 'live' })
    expect([await scene.page(name('web')), await scene.page(name('api'))]).toEqual(['web 2', 'api 2'])
  })

  it('has a service without previews, whose address they use', async () => {
    const text = `services:
  web: { root: apps/web, env: { API: "\${services.api.url}", HOST: "\${services.api.host}" } }
  api: { root: apps/api, preview: false }
`
    const { name, preview, event, merge, push, statuses, scene, number } = await severalPreviews(stage, text)
    const early = await event('opened', {})
    expect(early.red, early.told).toBe(false)
    expect(early.notices.join()).toContain('web needs the url of api, which is not there yet in production')
    const begun = await push(await merge({ 'ink.yml': text, ...pages }), {})
    expect(statuses(begun)).toEqual({ web: 'live', api: 'live' })
    const run = await event('reopened', {})
    expect(run.outputs.status, run.told).toBe('live')
    expect(statuses(run)).toEqual({ web: 'live' })
    expect(running([preview('api')])).toEqual([false])
    const url = stage.ink.service(name('api'))?.url ?? ''
    expect(stage.ink.service(preview('web'))?.env).toMatchObject({ API: url, HOST: new URL(url).host })
    await scene.repository.close(number)
    await event('closed', {})
    expect(running([preview('web'), name('api'), name('web')])).toEqual([false, true, true])
  })
})
