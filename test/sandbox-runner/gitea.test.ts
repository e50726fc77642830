import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunnerWorld, runnerWorld } from './world.ts'

let world: RunnerWorld

beforeAll(async () => {
  world = await runnerWorld({ profile: 'gitea' })
})

afterAll(() => world[Symbol.asyncDispose]())

const printEnvironment = 'console.log(JSON.stringify(process.env))'

describe('a Gitea’s runner', () => {
  it('runs a pull request’s head, and does not tell who triggered it, nor numbers of anything', async () => {
    const { rawStdout } = await world.run(printEnvironment)
    const environment = JSON.parse(rawStdout) as Record<string, string>
    expect(environment).toMatchObject({
      GITEA_ACTIONS: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_API_URL: `${world.github.serverUrl}/api/v1`,
      GITHUB_SERVER_URL: `${world.github.serverUrl}/`,
      GITHUB_REF: 'refs/pull/1/head',
      GITHUB_SHA: world.repository.pull(1).headSha,
    })
    for (const name of ['GITHUB_TRIGGERING_ACTOR', 'GITHUB_REPOSITORY_ID', 'GITHUB_ACTOR_ID', 'GITHUB_WORKFLOW_REF']) {
      expect(environment).not.toHaveProperty(name)
    }
  })

  it('calls the event workflow_call within a reusable workflow', async () => {
    const { rawStdout } = await world.run('console.log(process.env.GITHUB_EVENT_NAME)', { reusable: true })
    expect(rawStdout).toBe('workflow_call\n')
  })

  it('knows the branch of a dispatch, whose payload has it bare', async () => {
    const event = await world.repository.event('workflow_dispatch', { ref: 'feature' })
    const { rawStdout } = await world.run('console.log(process.env.GITHUB_REF)', { event })
    expect(rawStdout).toBe('refs/heads/feature\n')
  })

  it('has one summary for all steps: who writes instead of appending loses what was there', async () => {
    const write = (how: string) => ({
      main: `import { ${how} } from 'node:fs'\n${how}(process.env.GITHUB_STEP_SUMMARY, 'main\\n')`,
      post: `import { appendFileSync } from 'node:fs'\nappendFileSync(process.env.GITHUB_STEP_SUMMARY, 'post\\n')`,
    })
    const appended = await world.run(write('appendFileSync'), { earlierSummary: 'tests\n' })
    expect(appended.post?.summary).toBe('tests\nmain\npost\n')
    const replaced = await world.run(write('writeFileSync'), { earlierSummary: 'tests\n' })
    expect(replaced.post?.summary).toBe('main\npost\n')
  })

  it('takes the token away the moment a run is cancelled, before its steps have ended', async () => {
    const call = `const call = () => fetch(process.env.GITHUB_API_URL + '/repos/acme/web', {
        headers: { authorization: 'Bearer ' + process.env.INPUT_TOKEN } }).then((answer) => answer.status)
      console.log('before', await call())
      setInterval(() => {}, 1000)
      process.on('SIGINT', async () => { console.log('after', await call()); process.exit(1) })
      console.log('ready')`
    const parts = { inputs: { token: { default: `\${{ github.token }}` } }, main: call }
    const { conclusion, rawStdout } = await world.run(parts, { cancelAfter: (run) => run.logMatches(/ready/) })
    expect(conclusion).toBe('cancelled')
    expect(rawStdout).toBe('before 200\nready\nafter 401\n')
  })
})
