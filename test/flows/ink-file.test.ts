// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import { describe, expect, it } from 'vitest'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

/** A pull request whose branch has this file. */
async function withFile(text: string): Promise<{ scene: Scene; number: number; sha: string }> {
  const scene = await stage.scene()
  const { number } = await scene.open('hello')
  const files = { 'index.html': 'hello', 'ink.yml': text }
  const sha = await scene.repository.commit({
    branch: scene.repository.pull(number).headRef,
    files,
    message: 'Describe the app',
  })
  return { scene, number, sha }
}

const variablesOf = (name: string) => stage.ink.service(name)?.env ?? {}

describe('ink.yml', () => {
  it('gives a preview its settings, as they are in its own commit', async () => {
    const { scene, number, sha } = await withFile(`services:
  web:
    size: { memory: 512Mi }
    env:
      GREETING: hello \${pull_request.number}
      RELEASE: \${commit.sha}
      WHERE: \${environment}
      API_KEY: \${secrets.STRIPE}
    preview: { size: { memory: 1024Mi }, env: { DEMO: 1 } }
`)
    const inputs = { env: 'STRIPE=sk_live_1\nOTHER=there' }
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(run.outputs.status, run.told).toBe('live')
    expect(stage.ink.service(scene.preview(number))).toMatchObject({ config: { memory: '1024Mi' } })
    const variables = variablesOf(scene.preview(number))
    expect(variables).toMatchObject({
      GREETING: `hello ${number}`,
      RELEASE: sha,
      WHERE: 'preview',
      API_KEY: 'sk_live_1',
      DEMO: '1',
      OTHER: 'there',
    })
    expect(variables).not.toHaveProperty('STRIPE')
    expect(run.log.join()).not.toContain('sk_live_1')
  })

  it('decides about labels, which the event alone cannot', async () => {
    const { scene, number } = await withFile('previews: { label: show me }')
    const opened = await scene.act('pull_request', { action: 'opened', number })
    expect(opened.outputs).toMatchObject({ status: 'skipped' })
    scene.repository.label(number, 'show me')
    const labelled = await scene.act('pull_request', { action: 'labeled', number, label: 'show me' })
    expect(labelled.outputs.status, labelled.told).toBe('live')
  })

  it('that is wrong touches nothing, and says where; closing goes on', async () => {
    const { scene, number } = await withFile('services:\n  web:\n    heath: { path: / }\n    port: {}\n')
    const before = stage.ink.journal.length
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(run.red).toBe(true)
    expect(stage.ink.journal.length).toBe(before)
    expect(run.told).toContain('ink.yml:3:5: there is no key "heath" in services.web; did you mean health?')
    expect(run.told).toContain('ink.yml:4:')
    expect(run.outcome?.annotations).toMatchObject([
      { file: 'ink.yml', line: 3, column: 5, level: 'error' },
      { file: 'ink.yml', line: 4, level: 'error' },
    ])
    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.red, closed.told).toBe(false)
  })

  it('does not keep a sweep from its work, which is red all the same', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number })
    await scene.repository.close(number)
    await scene.repository.commit({ branch: 'main', files: { 'ink.yml': 'services: []' }, message: 'Break it' })
    const swept = await scene.act('schedule')
    expect(swept.red).toBe(true)
    expect(swept.told).toContain('ink.yml:1:11')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })

  it('names a secret that the workflow does not give, with service and variable', async () => {
    const { scene, number } = await withFile('services: { web: { env: { KEY: "${secrets.STRIPE}" } } }')
    const run = await scene.act('pull_request', { action: 'opened', number })
    expect(run.red).toBe(true)
    expect(run.told).toMatch(/ink\.yml:1:\d+: services\.web\.env\.KEY: the workflow gives no STRIPE/)
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })

  it('that the workflow names has to be there', async () => {
    const scene = await stage.scene()
    const run = await scene.act('push', { after: scene.first }, { inputs: { config: 'deploy/ink.yml' } })
    expect(run.told).toContain('there is no file "deploy/ink.yml"')
    expect(run.red).toBe(true)
  })

  it('of a fork does not count; that of the base does, without what it says of secrets', async () => {
    const scene = await stage.scene()
    const base = await scene.repository.commit({
      branch: 'main',
      files: { 'ink.yml': 'services: { web: { env: { FROM: base, KEY: "${secrets.STRIPE}" } } }' },
      message: 'Describe the app',
    })
    const { name } = scene.repository
    const fork = await stage.github.createRepository({ owner: 'eve', name, fork: scene.repository })
    const sha = await fork.commit({
      branch: 'gift',
      parent: base,
      files: {
        'index.html': 'gift',
        'ink.yml': 'services: { web: { size: { memory: 4096Mi }, env: { FROM: fork } } }',
      },
      message: 'A gift',
    })
    const { number } = await scene.repository.openPullRequest({
      head: 'gift',
      fromFork: fork,
      title: 'A gift',
      author: 'eve',
    })
    const comment = scene.repository.comment(number, `/ink deploy ${sha}`, 'acme')
    const inputs = { env: 'STRIPE=sk_live_1' }
    const run = await scene.act('issue_comment', { number, commentId: comment.id, sender: 'acme' }, { inputs })
    expect(run.outputs.status, run.told).toBe('live')
    const variables = variablesOf(scene.preview(number))
    expect(variables).toMatchObject({ FROM: 'base' })
    expect(variables).not.toHaveProperty('KEY')
    expect(variables).not.toHaveProperty('STRIPE')
    expect(stage.ink.service(scene.preview(number))?.config.memory).not.toBe('4096Mi')
  })
})

it('a pull request that was told of a mistake has one card, and no trace of it once that is mended', async () => {
  const scene = await stage.scene()
  const { number } = await scene.open('hello')
  const keyless = await scene.act('pull_request', { action: 'opened', number }, { inputs: { 'api-key': '' } })
  expect(keyless.told).toBe('failed: api-key: is not set')
  expect(scene.repository.comments(number).map(({ body }) => body)).toEqual([
    expect.stringContaining('api-key: is not set'),
  ])
  const mended = await scene.act('pull_request', { action: 'reopened', number })
  expect(mended.told).toBe('live')
  expect(scene.rows(number)).toMatchObject([{ service: scene.preview(number), status: 'live' }])
  expect(scene.repository.comments(number)[0]?.body).not.toContain('is not set')
})
