import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { whyNoGo } from '../support/go.ts'
import { type Gitea, startGitea } from './gitea.ts'
import { type FinishedTask, type GiteaRunner, registerRunner } from './runner.ts'

const reason = whyNoGo()
if (reason !== undefined) console.log(`npm run test:forge: ${reason}`)

const workflow = `name: Deploy
on:
  push:
    branches: [main]
  pull_request:
    types: [opened, reopened, synchronize, labeled, unlabeled, closed]
  issue_comment:
    types: [created]
  workflow_dispatch:
    inputs:
      command: { description: What to do, default: auto }
permissions:
  contents: read
  pull-requests: write
  issues: write
concurrency:
  group: ink-deploy-\${{ github.workflow }}-\${{ github.event.pull_request.number || github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}
jobs:
  deploy:
    if: github.event_name != 'issue_comment' || contains(github.event.comment.body, '/ink')
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: OWNER/ink-deploy@v1
        with:
          api-key: \${{ secrets.INK_API_KEY }}
          command: \${{ inputs.command || 'auto' }}
`
const page = (words: string) => `<h1>${words}</h1>\n`
const SLOW = JSON.stringify({ name: 'site', scripts: { build: 'sleep 90' } })
const BROKEN = JSON.stringify({ name: 'site', scripts: { build: 'exit 1' } })

interface Card {
  readonly body: string
  readonly user: { readonly login: string }
}

/** The life of a pull request, one scenario after the other on the same repository. */
describe.skipIf(reason !== undefined)('on a real Gitea', () => {
  let gitea: Gitea
  let ink: InkPlatform
  let runner: GiteaRunner
  /** The address that the preview had when it was last live. */
  let preview = ''

  beforeAll(async () => {
    ink = await startInkPlatform()
    gitea = await startGitea()
    runner = await registerRunner(gitea, ink.endpoint)
    await gitea.call('POST', '/user/repos', { name: 'web', auto_init: true, default_branch: 'main' })
    await gitea.call('PUT', '/repos/acme/web/actions/secrets/INK_API_KEY', { data: ink.apiKey })
  })

  afterAll(async () => {
    await gitea[Symbol.asyncDispose]()
    await ink.stop()
  })

  const commit = async (branch: string, files: Readonly<Record<string, string>>, message: string, base = branch) => {
    const at = `/repos/acme/web/contents`
    const entries = await Promise.all(
      Object.entries(files).map(async ([path, content]) => {
        const known = await gitea.call<{ sha: string }>('GET', `${at}/${path}?ref=${base}`).catch(() => undefined)
        const encoded = Buffer.from(content).toString('base64')
        return { path, content: encoded, operation: known ? 'update' : 'create', ...(known ? { sha: known.sha } : {}) }
      }),
    )
    const newBranch = base === branch ? {} : { new_branch: branch }
    await gitea.call('POST', at, { branch: base, ...newBranch, message, files: entries })
  }
  const removeBuild = async (message: string) => {
    const at = '/repos/acme/web/contents/package.json'
    const { sha } = await gitea.call<{ sha: string }>('GET', `${at}?ref=feature`)
    await gitea.call('DELETE', at, { branch: 'feature', sha, message })
  }
  const comments = () => gitea.call<Card[]>('GET', '/repos/acme/web/issues/1/comments')
  const card = async () => (await comments()).find((one) => one.body.includes('ink-deploy:card'))
  const dispatch = (command: string) =>
    gitea.call('POST', '/repos/acme/web/actions/workflows/deploy.yml/dispatches', { ref: 'main', inputs: { command } })
  const expectLive = async (result: FinishedTask, action: string, words: string) => {
    expect(result.succeeded, result.log).toBe(true)
    expect(result.outputs, result.log).toMatchObject({ action, status: 'live' })
    expect(await (await fetch(result.outputs.url ?? '')).text()).toBe(page(words))
  }

  it('1. a push to main goes to production', async () => {
    await commit('main', { '.gitea/workflows/deploy.yml': workflow, 'index.html': page('One') }, 'Start')
    await expectLive(await runner.runNext(), 'production', 'One')
  })

  it('2. a pull request gets a preview and a card', async () => {
    await commit('feature', { 'index.html': page('Two') }, 'Change', 'main')
    await gitea.call('POST', '/repos/acme/web/pulls', { head: 'feature', base: 'main', title: 'Change' })
    const result = await runner.runNext()
    await expectLive(result, 'preview', 'Two')
    preview = result.outputs.url ?? ''
    expect((await card())?.body).toContain('Preview is live')
  })

  it('3. a push to it updates preview and card', async () => {
    await commit('feature', { 'index.html': page('Three') }, 'Change again')
    const result = await runner.runNext()
    expect([result.eventName, result.action]).toEqual(['pull_request', 'synchronized'])
    await expectLive(result, 'preview', 'Three')
  })

  it('4. a broken build is red, in the log and on the card, and the preview stays', async () => {
    await commit('feature', { 'package.json': BROKEN, 'server.js': '' }, 'Break the build')
    const result = await runner.runNext()
    expect(result.succeeded, result.log).toBe(false)
    expect((await card())?.body).not.toContain('Preview is live')
    expect((await fetch(preview)).status).toBe(200)
  })

  it('5. the fix is green again', async () => {
    await removeBuild('Fix the build')
    await expectLive(await runner.runNext(), 'preview', 'Three')
    expect((await card())?.body).toContain('Preview is live')
  })

  it('6. a label that gates nothing leaves card and preview as they are', async () => {
    const { id } = await gitea.call<{ id: number }>('POST', '/repos/acme/web/labels', {
      name: 'docs',
      color: '#00aabb',
    })
    const before = await card()
    await gitea.call('POST', '/repos/acme/web/issues/1/labels', { labels: [id] })
    const result = await runner.runNext()
    expect(result.action).toBe('label_updated')
    expect(result.succeeded, result.log).toBe(true)
    expect((await card())?.body.split('\n')[1]).toBe(before?.body.split('\n')[1])
    expect((await fetch(preview)).status).toBe(200)
  })

  it('7. a command in a comment is obeyed, whoever may write gives it, and nobody else’s', async () => {
    const say = (by: string) =>
      gitea.call('POST', `/repos/acme/web/issues/1/comments?sudo=${by}`, { body: '/ink deploy' })
    for (const username of ['bo', 'eve']) {
      const rest = { email: `${username}@example.com`, password: 'correct horse', must_change_password: false }
      await gitea.call('POST', '/admin/users', { username, ...rest })
    }
    await gitea.call('PUT', '/repos/acme/web/collaborators/bo', { permission: 'write' })
    for (const by of ['acme', 'bo']) {
      await say(by)
      await expectLive(await runner.runNext(), 'preview', 'Three')
    }
    await say('eve')
    const declined = await runner.runNext()
    expect(declined.outputs, declined.log).toMatchObject({ action: 'none' })
    expect((await comments()).at(-1)?.body).toContain('commands are for those who may write')
  })

  it('8. production goes back to the version before', async () => {
    await commit('main', { 'index.html': page('Four') }, 'Newer')
    await expectLive(await runner.runNext(), 'production', 'Four')
    await dispatch('rollback')
    await expectLive(await runner.runNext(), 'rollback', 'One')
  })

  it('9. a run that a newer push cancels loses its token, and the next run puts its card right', async () => {
    await commit('feature', { 'package.json': SLOW, 'index.html': page('Five') }, 'Slow down')
    const slow = runner.runNext()
    await expect.poll(async () => (await card())?.body, { timeout: 60_000, interval: 500 }).toMatch(/building/i)
    await removeBuild('Speed up')
    const cancelled = await slow
    expect([cancelled.cancelled, cancelled.succeeded], cancelled.log).toEqual([true, false])
    expect(cancelled.log).toContain('The token is not accepted')
    expect((await card())?.body).toMatch(/building/i)
    await expectLive(await runner.runNext(), 'preview', 'Five')
    expect((await card())?.body).toContain('Preview is live')
  })

  it('10. closing it takes the preview away', async () => {
    await gitea.call('PATCH', '/repos/acme/web/pulls/1', { state: 'closed' })
    const result = await runner.runNext()
    expect(result.succeeded, result.log).toBe(true)
    expect(result.outputs).toMatchObject({ action: 'teardown', status: 'removed' })
    expect((await card())?.body).toMatch(/removed/i)
    expect(ink.services().map((service) => service.name)).toEqual(['acme-web'])
  })

  it('11. a sweep finds nothing left over, and leaves production alone', async () => {
    await dispatch('sweep')
    const result = await runner.runNext()
    expect(result.succeeded, result.log).toBe(true)
    expect(result.outputs).toMatchObject({ action: 'sweep' })
    expect(ink.services().map((service) => service.name)).toEqual(['acme-web'])
  })
})
