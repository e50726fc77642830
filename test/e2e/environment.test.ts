// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml, and expressions for the runner
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunOptions, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { visible } from '../../sandbox/story.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ action })
})
afterAll(() => sandbox.stop())

const server = (says: string) =>
  `require('node:http').createServer((request, response) => response.end(${says})).listen(process.env.PORT, '0.0.0.0')\n`

const files = {
  'ink.yml': `services:
  web: { root: web, start: node server.js, env: { API_URL: "\${services.api.url}", KEY: "\${secrets.KEY}" } }
  api: { root: api, start: node server.js }
`,
  'web/package.json': '{"name":"web"}',
  'web/server.js': server('`web of ${process.env.API_URL}`'),
  'api/package.json': '{"name":"api"}',
  'api/server.js': server("'api'"),
}

/** A pull request with two services, and a run of the step that a workflow has for them. */
async function twoServices(name: string, options: Partial<RunOptions> = {}) {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name })
  const main = await repository.commit({ branch: 'main', files: { 'README.md': name }, message: 'Start' })
  await repository.commit({ branch: 'change', parent: main, files, message: 'Two services' })
  await repository.openPullRequest({ head: 'change' })
  const event = await repository.event('pull_request', { action: 'opened', number: 1 })
  // uses: …
  // with:
  //   api-key: ${{ secrets.INK_API_KEY }}
  //   env: KEY=${{ secrets.KEY }}
  const secrets = { KEY: 'key-of-the-shop' }
  const run = await sandbox.run({ repository, event, secrets, with: { env: 'KEY=${{ secrets.KEY }}' }, ...options })
  return { repository, run, services: [`acme-${name}-pr-1`, `acme-${name}-api-pr-1`] as const }
}

describe('one step of a workflow', () => {
  it('deploys two services, one of which uses the other', async () => {
    const { repository, run, services } = await twoServices('pair')
    expect(run.conclusion, run.log).toBe('success')
    const told = JSON.parse(run.outputs.services ?? '')
    expect(told).toMatchObject({ web: { status: 'live' }, api: { status: 'live' } })
    expect(await (await fetch(told.web.url)).text()).toBe(`web of ${told.api.url}`)
    const [comment, ...others] = repository.comments(1).map(({ body }) => visible(body))
    expect(others).toEqual([])
    for (const service of services) expect(comment).toContain(`\`${service}\``)
    expect(run.log).toMatch(/^api │ /m)
    expect(`${run.log}${run.summary}`).not.toContain('key-of-the-shop')
    expect(run.summary.match(/^## /gm)?.length).toBeGreaterThan(1)
  }, 120_000)

  it('that is cancelled in the middle leaves no service unsettled', async () => {
    sandbox.ink.fault('build.hang', { after: 1 })
    const { repository, run, services } = await twoServices('half', {
      graceFactor: 0.2,
      // The first is live, and the one that waited for it is being built.
      cancelAfter: (step) => step.logMatches(/web │ .*(Cloning|Detected)/),
    })
    const rows = visible(repository.comments(1)[0]?.body ?? '')
    expect(run.conclusion, run.log).toBe('cancelled')
    expect(rows).toMatch(new RegExp(`${services[0]}.*Cancelled`, 'i'))
    expect(rows).toMatch(new RegExp(`${services[1]}.*Live`))
    const states = repository.deployments().map(({ id }) => repository.statuses(id).at(-1)?.state)
    expect(states.sort()).toEqual(['inactive', 'success'])
    expect(run.post?.durationMs).toBeLessThan(5000)
  }, 120_000)
})
