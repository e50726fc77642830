// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml, and expressions for the runner
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunOptions, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { visible } from '../../sandbox/story.ts'
import { node24 } from '../support/node-24.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox
let repositories = 0

beforeAll(async () => {
  sandbox = await startSandbox({ action, node: await node24() })
})

afterAll(() => sandbox.stop())

/** A pull request with these files in a repository of its own. */
async function pullRequestOf(files: Readonly<Record<string, string>>) {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name: `hangs-${++repositories}` })
  const main = await repository.commit({ branch: 'main', files: { 'README.md': 'one' }, message: 'Start' })
  await repository.commit({ branch: 'change', parent: main, files, message: 'Change' })
  await repository.openPullRequest({ head: 'change' })
  const event = await repository.event('pull_request', { action: 'opened', number: 1 })

  /** A run that is ended in the middle, and how it leaves the pull request. */
  async function endedRun(options: Partial<RunOptions>) {
    const run = await sandbox.run({ repository, event, graceFactor: 0.2, ...options })
    const [comment = '', ...others] = repository.comments(1).map(({ body }) => visible(body))
    expect(others).toEqual([])
    return {
      run,
      comment,
      records: repository.deployments().map(({ id }) => repository.statuses(id).at(-1)?.state),
      postMs: run.post?.durationMs ?? Number.POSITIVE_INFINITY,
    }
  }
  return { repository, endedRun }
}

const page = { 'index.html': 'two' }

const server = (says: string) =>
  `require('node:http').createServer((request, response) => response.end(${says})).listen(process.env.PORT, '0.0.0.0')\n`

const twoServices = {
  'ink.yml': `services:
  web: { root: web, start: node server.js, env: { API_URL: "\${services.api.url}", KEY: "\${secrets.KEY}" } }
  api: { root: api, start: node server.js }
`,
  'web/package.json': '{"name":"web"}',
  'web/server.js': server('`web of ${process.env.API_URL}`'),
  'api/package.json': '{"name":"api"}',
  'api/server.js': server("'api'"),
}

describe('a run that is cancelled while it waits', () => {
  it('stops at once, and its post step leaves none of two services unsettled', async () => {
    const { repository, endedRun } = await pullRequestOf(twoServices)
    sandbox.ink.fault('build.hang', { after: 1 })
    // uses: …
    // with:
    //   api-key: ${{ secrets.INK_API_KEY }}
    //   env: KEY=${{ secrets.KEY }}
    const { run, comment, records, postMs } = await endedRun({
      secrets: { KEY: 'key-of-the-shop' },
      with: { env: 'KEY=${{ secrets.KEY }}' },
      // The first is live, and the one that waited for it is being built.
      cancelAfter: (step) => step.logMatches(/web │ .*(Cloning|Detected)/),
    })
    expect(run.conclusion, run.log).toBe('cancelled')
    expect(comment).toMatch(new RegExp(`acme-${repository.name}-pr-1.*Cancelled`, 'i'))
    expect(comment).toMatch(new RegExp(`acme-${repository.name}-api-pr-1.*Live`))
    expect(records.sort()).toEqual(['inactive', 'success'])
    expect(postMs).toBeLessThan(5000)
    expect(`${run.log}${run.summary}`).not.toContain('key-of-the-shop')
  }, 120_000)

  it('is called superseded when a newer commit is there', async () => {
    const { repository, endedRun } = await pullRequestOf(page)
    let head = ''
    sandbox.ink.fault('build.hang')
    const { run, comment, records, postMs } = await endedRun({
      async cancelAfter(step) {
        await step.logMatches(/Cloning|Detected/)
        head = await repository.commit({ branch: 'change', files: { 'index.html': 'three' }, message: 'Newer' })
      },
    })
    expect(run.conclusion, run.log).toBe('cancelled')
    expect(comment).toMatch(/superseded/i)
    expect(comment).toContain(head.slice(0, 7))
    expect(records).toEqual(['inactive'])
    expect(postMs).toBeLessThan(5000)
  }, 60_000)

  it('is settled as well when it was killed and could say nothing itself', async () => {
    const { repository, endedRun } = await pullRequestOf(page)
    sandbox.ink.fault('build.hang')
    const { run, comment, records } = await endedRun({
      onStart({ pid, stage }) {
        if (stage !== 'main') return
        // Long enough for the record to be open; the state file then holds what post needs.
        const look = setInterval(() => {
          const service = sandbox.ink.service(`acme-${repository.name}-pr-1`)
          if (repository.deployments().length === 0 || service?.status !== 'building') return
          clearInterval(look)
          process.kill(pid, 'SIGKILL')
        }, 50)
      },
    })
    expect(run.conclusion).toBe('failure')
    expect(comment).toMatch(/cancelled/i)
    expect(records).toEqual(['inactive'])
  }, 60_000)
})
