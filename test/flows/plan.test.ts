// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Act, type How, openStage, type Scene, type Stage } from './stage.ts'

let stage: Stage
beforeAll(async () => {
  stage = await openStage()
})
afterAll(async () => stage[Symbol.asyncDispose]())

const file = `services:
  web:
    root: web
    size: { memory: 512Mi }
    env: { API_URL: "\${services.api.url}", GREETING: hello }
  api:
    root: api
    database: { type: sqlite }
`

async function sceneWith(text = file): Promise<Scene & { readonly sha: string }> {
  const scene = await stage.scene()
  const files = { 'ink.yml': text, 'web/index.html': 'web', 'api/index.html': 'api' }
  return { ...scene, sha: await scene.repository.commit({ branch: 'main', files, message: 'Two services' }) }
}

const reading = /^(get|list|check|whoami|search)_?/

/** Acts on a push, and makes sure that nobody was told to change anything. */
async function look(scene: Scene, after: string, inputs: How['inputs']): Promise<Act> {
  const before = { ink: stage.ink.journal.length, github: stage.github.journal.length }
  const run = await scene.act('push', { after }, { inputs: { ...inputs } })
  const asked = stage.ink.journal.slice(before.ink)
  const tools = asked.flatMap(({ kind, name }) => (kind === 'tool' ? [name] : []))
  expect(asked.map(({ name }) => name)).not.toContain('git-receive-pack')
  expect(tools.filter((tool) => !reading.test(tool))).toEqual([])
  expect(tools.length).toBeGreaterThan(0)
  const writes = stage.github.journal
    .slice(before.github)
    .filter(({ method, operation }) => operation !== 'git' && method !== 'GET')
  expect(writes).toEqual([])
  return run
}

// Nobody changes anything here, so all look at the same.
let several: Awaited<ReturnType<typeof sceneWith>>
let single: Awaited<ReturnType<typeof sceneWith>>
beforeAll(async () => {
  several = await sceneWith()
  single = await sceneWith('services: { web: { root: web, size: { memory: 512Mi } } }')
  for (const { act, sha } of [several, single]) {
    const deployed = await act('push', { after: sha })
    expect(deployed.outputs.status, deployed.told).toBe('live')
  }
  // What another workflow deploys without a file.
  const alone = { inputs: { service: `${several.production}-jobs` } }
  expect((await several.act('push', { after: several.first }, alone)).told).toBe('live')
})

describe.each([
  ['command: plan', { command: 'plan' }],
  ['dry-run', { 'dry-run': 'true' }],
] as const)('%s', (_, inputs) => {
  it('shows an environment that is not there yet: order, settings, variables by name, cost', async () => {
    const scene = await sceneWith()
    const run = await look(scene, scene.sha, inputs)
    expect(run.told).toBe('planned')
    const log = run.log.join('\n')
    const [api, web] = [`+ ${scene.production}-api: create`, `+ ${scene.production}: create, after api`]
    expect(log).toContain(api)
    expect(log.indexOf(web)).toBeGreaterThan(log.indexOf(api))
    expect(log).toContain('size.memory: 512Mi')
    expect(log).toContain(`database: ${scene.production}-api-db (sqlite)`)
    expect(log).toContain('env.GREETING: set')
    expect(log).toMatch(/\$0\.\d\d a day/)
    expect(run.log.filter((line) => line.includes('env.')).join()).not.toContain('hello')
    expect(run.summary).toContain(`\`${scene.production}\` | create, after api |`)
    expect(run.summary).toMatch(/Together about `\$\d\.\d\d` a day/)
    expect(stage.ink.services().filter(({ name }) => name.startsWith(scene.production))).toEqual([])
  })

  it('shows what differs from what runs, with old and new value, and what the file no longer has', async () => {
    const scene = several
    const changed = `services:
  web:
    root: web
    size: { memory: 1024Mi }
    health: { path: /web/ }
    env: { GREETING: bye, SIGN: x }
  other: { root: api }
`
    const sha = await scene.repository.commit({ branch: 'main', files: { 'ink.yml': changed }, message: 'Change' })
    const log = (await look(scene, sha, inputs)).log.join('\n')
    expect(log).toContain(`~ ${scene.production}: update`)
    expect(log).toContain('size.memory: 512Mi → 1024Mi')
    expect(log).toContain('health.path: /web/')
    expect(log).toContain('env.GREETING: another value')
    expect(log).toContain('env.SIGN: set')
    expect(log).toContain(`commit: ${scene.sha.slice(0, 7)} → ${sha.slice(0, 7)}`)
    expect(log).toContain(`+ ${scene.production}-other: create`)
    expect(log).toContain(
      `= ${scene.production}-api: unchanged, ink.yml no longer has it; remove-orphans: true removes it`,
    )
    const removing = await look(scene, sha, { ...inputs, 'remove-orphans': 'true' })
    expect(removing.log.join('\n')).toContain(`- ${scene.production}-api: remove, ink.yml no longer has it`)
    expect(removing.log.join('\n')).toContain(`= ${scene.production}-jobs: unchanged`)
  })

  it('says that nothing would change where nothing does, and why a service would be left alone', async () => {
    expect((await look(single, single.sha, inputs)).log).toContainEqual(
      expect.stringMatching(`^= ${single.production}: unchanged, .*what is live is deployed again`),
    )
  })
})

describe('a closed pull request', () => {
  it('has its services named that would be removed', async () => {
    const scene = await sceneWith()
    const { number } = await scene.repository.openPullRequest({
      head: await scene.repository
        .commit({ branch: 'change', parent: scene.sha, files: { 'web/index.html': 'new' }, message: 'Change' })
        .then(() => 'change'),
      title: 'Change',
    })
    const opened = await scene.act('pull_request', { action: 'opened', number })
    expect(opened.outputs.status, opened.told).toBe('live')
    await scene.repository.close(number)
    const run = await scene.act('pull_request', { action: 'closed', number }, { inputs: { command: 'plan' } })
    for (const name of [scene.preview(number), `${scene.production}-api-pr-${number}`])
      expect(run.log.join('\n')).toContain(`- ${name}: remove`)
    expect(stage.ink.service(scene.preview(number))).toBeDefined()
  })
})

it('command: plan is red where a service cannot be deployed, and shows where', async () => {
  const scene = await sceneWith(
    'services: { web: { root: web, env: { KEY: "${secrets.STRIPE}" } }, api: { root: api } }',
  )
  const run = await look(scene, scene.sha, { command: 'plan' })
  expect(run.red).toBe(true)
  expect(run.told).toContain('the workflow gives no STRIPE')
  expect(run.outcome?.annotations).toMatchObject([{ file: 'ink.yml', line: 1 }])
  expect(run.log.join('\n')).toContain('✗ web: refuse')
})
