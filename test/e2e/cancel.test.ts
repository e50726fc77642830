import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Repository, type RunOptions, type RunResult, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { visible } from '../../sandbox/story.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox
let repositories = 0

beforeAll(async () => {
  sandbox = await startSandbox({ action })
})

afterAll(() => sandbox.stop())

/** A pull request whose build hangs, and what becomes of its run. */
async function hangingPreview(options: Partial<RunOptions>, meanwhile?: (repository: Repository) => Promise<unknown>) {
  repositories++
  const repository = await sandbox.github.createRepository({ owner: 'acme', name: `hangs-${repositories}` })
  const main = await repository.commit({ branch: 'main', files: { 'index.html': 'one' }, message: 'Start' })
  await repository.commit({ branch: 'change', parent: main, files: { 'index.html': 'two' }, message: 'Change' })
  await repository.openPullRequest({ head: 'change' })
  sandbox.ink.fault('build.hang')
  const event = await repository.event('pull_request', { action: 'opened', number: 1 })
  const run = sandbox.run({ repository, event, graceFactor: 0.2, ...options })
  await meanwhile?.(repository)
  return { repository, run: await run }
}

function settled({ repository, run }: { repository: Repository; run: RunResult }) {
  const [record] = repository.deployments()
  return {
    conclusion: run.conclusion,
    comments: repository.comments(1).map(({ body }) => visible(body)),
    record: record && repository.statuses(record.id).at(-1)?.state,
    postMs: run.post?.durationMs ?? Number.POSITIVE_INFINITY,
  }
}

const whenBuilding: Partial<RunOptions> = { cancelAfter: (step) => step.logMatches(/Cloning|Detected/) }

describe('a run that is cancelled while it waits', () => {
  it('stops at once, and the post step says so on the pull request within seconds', async () => {
    const { conclusion, comments, record, postMs } = settled(await hangingPreview(whenBuilding))
    expect(conclusion).toBe('cancelled')
    expect(comments).toHaveLength(1)
    expect(comments[0]).toMatch(/cancelled/i)
    expect(record).toBe('inactive')
    expect(postMs).toBeLessThan(5000)
  }, 60_000)

  it('is called superseded when a newer commit is there', async () => {
    let head = ''
    const cancelAfter: RunOptions['cancelAfter'] = async (step) => {
      await step.logMatches(/Cloning|Detected/)
      const repository = sandbox.github.repository(`acme/hangs-${repositories}`)
      head = await repository.commit({ branch: 'change', files: { 'index.html': 'three' }, message: 'Newer' })
    }
    const { comments } = settled(await hangingPreview({ cancelAfter }))
    expect(comments[0]).toMatch(/superseded/i)
    expect(comments[0]).toContain(head.slice(0, 7))
  }, 60_000)

  it('is settled as well when it was killed and could say nothing itself', async () => {
    const killed: Partial<RunOptions> = {
      onStart: ({ pid, stage }) => {
        if (stage !== 'main') return
        // Long enough for the record to be open; the state file then holds what post needs.
        const look = setInterval(() => {
          const open = sandbox.github.repository(`acme/hangs-${repositories}`).deployments().length > 0
          const building = sandbox.ink
            .services()
            .some(({ name, status }) => name.startsWith(`acme-hangs-${repositories}`) && status === 'building')
          if (!open || !building) return
          clearInterval(look)
          process.kill(pid, 'SIGKILL')
        }, 50)
      },
    }
    const { conclusion, comments, record } = settled(await hangingPreview(killed))
    expect(conclusion).toBe('failure')
    expect(comments[0]).toMatch(/cancelled/i)
    expect(record).toBe('inactive')
  }, 60_000)
})
