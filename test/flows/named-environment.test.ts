// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import { beforeAll, describe, expect, it } from 'vitest'
import { several } from './several.ts'
import type { How } from './stage.ts'
import { useStage } from './use-stage.ts'

const file = `services:
  web:
    root: apps/web
    domain: shop.example.com
    env: { API: "\${services.api.url}", WHERE: "\${environment}", KEY: "\${secrets.KEY}", LEVEL: usual }
    production: { env: { LIVE: "1" } }
  api: { root: apps/api, database: { type: sqlite } }
environments:
  staging: { branch: develop, env: { LEVEL: "\${environment}-\${secrets.STAGING}" } }
`
const pages = { 'apps/web/index.html': 'web', 'apps/api/index.html': 'api' }
const how: How = { inputs: { env: 'KEY=k1\nSTAGING=s1', 'production-env': 'PAYMENTS=sk_live_1' } }

describe('an environment that the file names', () => {
  const stage = useStage({ profile: 'g1' })

  /** A repository whose main is in production, and develop in staging. */
  async function deployed() {
    const made = await several(stage)
    const { scene, merge, push, name } = made
    const inProduction = await push(
      await merge({ 'ink.yml': file.replace('    domain: shop.example.com\n', ''), ...pages }),
      how,
    )
    expect(inProduction.outputs.status, inProduction.told).toBe('live')
    const after = await scene.repository.commit({
      branch: 'develop',
      files: { 'ink.yml': file, ...pages, 'apps/web/index.html': 'next' },
      message: 'Next',
    })
    const run = await scene.act('push', { ref: 'develop', after }, how)
    const staging = (service: string) => `${name(service)}-staging`
    const names = () =>
      stage.ink
        .services()
        .filter((one) => one.name.startsWith(scene.production))
        .map((one) => one.name)
        .sort()
    return { ...made, staging, run, names, after }
  }

  describe('with production beside it', () => {
    // Each test leaves it as it was, and the last one removes it.
    let there: Awaited<ReturnType<typeof deployed>>
    beforeAll(async () => {
      there = await deployed()
    })

    it('is deployed by a push to its branch, beside production and wired within itself', async () => {
      const { scene, run, name, staging, names, after } = there
      expect(run.outputs, run.told).toMatchObject({ status: 'live', environment: 'staging', action: 'production' })
      expect(names()).toEqual([name('web'), name('api'), staging('api'), staging('web')].sort())
      expect(await scene.page(staging('web'))).toBe('next')
      expect(await scene.page(name('web'))).toBe('web')
      const env = stage.ink.service(staging('web'))?.env
      expect(env).toMatchObject({
        API: stage.ink.service(staging('api'))?.url,
        WHERE: 'staging',
        KEY: 'k1',
        LEVEL: 'staging-s1',
        INK_ENVIRONMENT: 'staging',
        INK_ENVIRONMENT_BRANCH: 'develop',
      })
      expect(Object.keys(env ?? {})).not.toEqual(expect.arrayContaining(['LIVE']))
      expect(env).not.toHaveProperty('PAYMENTS')
      expect(env).not.toHaveProperty('STAGING')
      const live = stage.ink.service(name('web'))?.env
      expect(live).toMatchObject({ WHERE: 'production', LEVEL: 'usual', LIVE: '1', PAYMENTS: 'sk_live_1' })
      expect(live).not.toHaveProperty('STAGING')
      expect(stage.ink.service(staging('api'))?.env.DATABASE_URL).not.toBe(
        stage.ink.service(name('api'))?.env.DATABASE_URL,
      )
      expect(await scene.branches()).toEqual(
        expect.arrayContaining([`ink/env-staging/${staging('web')}/${after}`, `ink/worked/${staging('web')}/${after}`]),
      )
      const records = scene.repository.deployments().filter(({ environment }) => environment === 'staging')
      expect(records.map(({ sha, productionEnvironment }) => [sha, productionEnvironment])).toEqual([
        [after, false],
        [after, false],
      ])
      expect(run.summary).toContain('staging')
      expect(stage.ink.service(staging('web'))?.customDomain).toBeUndefined()
    })

    it('stays while its branch is there, and when another branch is deleted', async () => {
      const { scene, names } = there
      const before = names()
      const back = await scene.act('delete', { ref: 'develop' }, how)
      expect(back.red, back.told).toBe(false)
      const other = await scene.act('delete', { ref: 'feature' }, how)
      expect(other.outputs.status, other.told).toBe('nothing')
      expect(names()).toEqual(before)
    })

    it('is none for branches that the file does not name', async () => {
      const { scene, names } = there
      const before = names()
      const after = await scene.repository.commit({
        branch: 'other',
        files: { 'ink.yml': file, ...pages },
        message: 'x',
      })
      const run = await scene.act('push', { ref: 'other', after }, how)
      expect([run.outputs.status, run.red], run.told).toEqual(['nothing', false])
      expect(names()).toEqual(before)
    })

    it('is none in a file without environments, whose mistakes are told where it deploys', async () => {
      const { scene } = there
      const wrong = 'services: { web: { biuld: { command: x } } }\n'
      const after = await scene.repository.commit({ branch: 'other', files: { 'ink.yml': wrong }, message: 'x' })
      const run = await scene.act('push', { ref: 'other', after }, how)
      expect([run.outputs.status, run.red], run.told).toEqual(['nothing', false])
    })

    it('is not deployed from a file that is wrong, which is said with the place', async () => {
      const { scene, names, after: lastGood } = there
      const before = names()
      const wrong = `${file}  qa: develop\n  production: other\n`
      const after = await scene.repository.commit({ branch: 'develop', files: { 'ink.yml': wrong }, message: 'x' })
      const run = await scene.act('push', { ref: 'develop', after }, how)
      expect(run.red, run.told).toBe(true)
      expect(run.outcome?.annotations).toMatchObject([
        { file: 'ink.yml', line: 10 },
        { file: 'ink.yml', line: 11 },
      ])
      expect(names()).toEqual(before)
      await scene.repository.setReference('refs/heads/develop', lastGood)
    })

    it('goes back by command on its branch, and on another one production does', async () => {
      const { scene, name, staging, after } = there
      const files = { 'apps/web/index.html': 'newest' }
      const newest = await scene.repository.commit({ branch: 'develop', files, message: 'Newest' })
      await scene.act('push', { ref: 'develop', after: newest }, how)
      expect(await scene.page(staging('web'))).toBe('newest')
      const before = stage.ink.service(name('web'))?.branch
      const inputs = { ...how.inputs, command: 'rollback', service: 'web' }
      const back = await scene.act('workflow_dispatch', { ref: 'develop' }, { inputs })
      expect(back.outputs, back.told).toMatchObject({ status: 'live', commit: after, environment: 'staging' })
      expect(await scene.page(staging('web'))).toBe('next')
      expect(stage.ink.service(name('web'))?.branch).toBe(before)
      const records = scene.repository.deployments().filter(({ statuses }) => statuses.at(-1)?.state === 'success')
      expect(records.filter(({ environment }) => environment === 'staging').map(({ sha }) => sha)).toContain(after)
      const none = await scene.act('workflow_dispatch', { ref: 'main' }, { inputs })
      expect(none.told).toContain(`before the present one (ink/production/${name('web')}/`)
      await scene.repository.setReference('refs/heads/develop', after)
    })

    it('is no orphan of production, whose own updates leave it alone, as sweeps do, and goes with its branch', async () => {
      const { scene, name, staging, names, merge, push } = there
      const before = names()
      const removes = { inputs: { ...how.inputs, 'remove-orphans': 'true' } }
      const run = await push(await merge({ 'apps/web/index.html': 'web 2' }), removes)
      expect(run.outputs.status, run.told).toBe('live')
      expect(run.notices.join()).not.toContain('no longer has it')
      const without = 'services: { web: { root: apps/web }, api: { root: apps/api } }'
      const gone = await push(await merge({ 'ink.yml': without }), removes)
      expect(gone.outputs.status, gone.told).toBe('live')
      const swept = await scene.act('schedule', {}, how)
      expect(swept.red, swept.told).toBe(false)
      expect(names()).toEqual(before)

      await merge({ 'ink.yml': file })
      await scene.repository.deleteReference('refs/heads/develop')
      const dry = await scene.act('schedule', {}, { inputs: { ...how.inputs, 'dry-run': 'true' } })
      const going = [staging('web'), staging('api')].map((service) => ({ service, why: 'its branch is gone' }))
      expect(dry.outcome?.report, dry.told).toMatchObject({ kind: 'sweep', removed: going })
      expect(names()).toEqual(before)
      const left = await scene.act('delete', { ref: 'develop' }, how)
      expect(left.outputs.status, left.told).toBe('removed')
      expect(names()).toEqual([name('web'), name('api')].sort())
      expect(JSON.parse(left.outputs.removed ?? '')).toEqual(
        expect.arrayContaining([`service:${staging('web')}`, `database:${staging('api')}-db`]),
      )
      expect((await scene.branches()).filter((branch) => branch.includes('staging'))).toEqual([])
      expect(scene.repository.deployments().filter(({ environment }) => environment === 'staging')).toEqual([])
      expect(await scene.page(name('web'))).toBe('web 2')
    })
  })

  it('is there for a single service as well, foreseen by a plan, started by hand, and swept once its branch is gone', async () => {
    const { scene } = await several(stage)
    const single = 'services: { app: { root: apps/web } }\nenvironments: { staging: develop }\n'
    const after = await scene.repository.commit({
      branch: 'develop',
      files: { 'ink.yml': single, ...pages },
      message: 'Next',
    })
    const service = `${scene.production}-staging`
    const planned = await scene.act('push', { ref: 'develop', after }, { inputs: { ...how.inputs, command: 'plan' } })
    expect(planned.summary).toContain(service)
    expect(stage.ink.service(service)).toBeUndefined()
    const run = await scene.act('workflow_dispatch', { ref: 'develop' }, how)
    expect(run.outputs, run.told).toMatchObject({ status: 'live', service, environment: 'staging' })
    expect(stage.ink.service(scene.production)).toBeUndefined()
    const record = scene.repository.deployments().find(({ environment }) => environment === 'staging')
    expect(record?.task).toBe('ink-env-staging')

    await scene.repository.deleteReference('refs/heads/develop')
    const swept = await scene.act('schedule', {}, how)
    expect(swept.red, swept.told).toBe(false)
    expect(stage.ink.service(service)).toBeUndefined()
    expect(swept.summary).toContain('its branch is gone')
  })

  it('is refused where its names would be those of production', async () => {
    const { scene, push, merge } = await several(stage)
    const before = stage.ink.services().length
    const clash =
      'services: { web: { root: apps/web }, staging: { root: apps/api } }\nenvironments: { staging: develop, live: main }\n'
    const run = await push(await merge({ 'ink.yml': clash, ...pages }), how)
    expect(run.told).toContain(`web would be called ${scene.production}-staging, as staging is in production`)
    expect(run.told).toContain('main goes to production already')
    expect(run.red).toBe(true)
    expect(stage.ink.services()).toHaveLength(before)
  })

  it('does not take the place of a production service that has its name', async () => {
    const { scene, push, merge } = await several(stage)
    const services = 'services: { web: { root: apps/web }, staging: { root: apps/api } }\n'
    expect((await push(await merge({ 'ink.yml': services, ...pages }), how)).outputs.status).toBe('live')
    const after = await scene.repository.commit({
      branch: 'develop',
      files: { 'ink.yml': 'services: { web: { root: apps/web } }\nenvironments: { staging: develop }\n' },
      message: 'x',
    })
    const run = await scene.act('push', { ref: 'develop', after }, { inputs: { ...how.inputs, adopt: 'true' } })
    expect(run.red).toBe(true)
    expect(run.told).toContain('another environment')
    expect(await scene.page(`${scene.production}-staging`)).toBe('api')
  })
})
