import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunnerWorld, runnerWorld } from './world.ts'

let world: RunnerWorld
const secret = `dk_test_${randomBytes(16).toString('hex')}`

beforeAll(async () => {
  world = await runnerWorld()
})

afterAll(async () => {
  expect(world.github.violations).toEqual([])
  await world[Symbol.asyncDispose]()
})

/** An expression as action.yml has it, kept apart from TypeScript's own `${}`. */
const expression = (text: string) => `\${{ ${text} }}`

describe('an action is given', () => {
  it('its inputs as INPUT_*, with defaults evaluated and names spelt as the runner spells them', async () => {
    const { rawStdout } = await world.run(
      {
        inputs: {
          'api-key': null,
          'two words': { default: 'x' },
          token: { default: expression('github.token') },
          where: { default: `${expression("format('{0}#{1}', github.repository, github.event.number)")}!` },
          unset: null,
        },
        main: `for (const name of ['INPUT_API-KEY', 'INPUT_TWO_WORDS', 'INPUT_WHERE', 'INPUT_UNSET']) console.log(process.env[name])
          console.log(process.env.INPUT_TOKEN.startsWith('ghs_'))`,
      },
      { with: { 'API-Key': expression("github.event_name || 'none'") } },
    )
    expect(rawStdout).toBe('pull_request\nx\nacme/web#1!\n\ntrue\n')
  })

  it('a warning about inputs that it does not have, and those inputs all the same', async () => {
    const { annotations, rawStdout } = await world.run(
      { inputs: { good: null }, main: 'console.log(process.env.INPUT_BAD)' },
      { with: { bad: '1' } },
    )
    expect(annotations).toEqual([{ level: 'warning', message: "Unexpected input(s) 'bad', valid inputs are ['good']" }])
    expect(rawStdout).toBe('1\n')
  })

  it('a warning about inputs that are deprecated, when it is given them', async () => {
    const parts = { inputs: { old: { deprecationMessage: 'Use new.' } }, main: '' }
    expect((await world.run(parts)).annotations).toEqual([])
    const { annotations } = await world.run(parts, { with: { old: '1' } })
    expect(annotations).toEqual([
      { level: 'warning', message: "Input 'old' has been deprecated with message: Use new." },
    ])
  })

  it('the environment of a real runner and nothing of this machine’s', async () => {
    process.env.LEFT_OVER_FROM_THE_HOST = 'x'
    const { rawStdout } = await world.run('console.log(JSON.stringify(process.env))', { env: { MINE: 'yes' } })
    delete process.env.LEFT_OVER_FROM_THE_HOST
    const environment = JSON.parse(rawStdout) as Record<string, string>
    expect(environment).toMatchObject({
      CI: 'true',
      GITHUB_ACTIONS: 'true',
      GITHUB_ACTOR: 'ada',
      GITHUB_API_URL: world.github.apiUrl,
      GITHUB_EVENT_NAME: 'pull_request',
      GITHUB_REF: 'refs/pull/1/merge',
      GITHUB_REF_NAME: '1/merge',
      GITHUB_HEAD_REF: 'feature',
      GITHUB_BASE_REF: 'main',
      GITHUB_REPOSITORY: 'acme/web',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_SERVER_URL: world.github.serverUrl,
      MINE: 'yes',
      RUNNER_OS: 'Linux',
    })
    expect(Object.keys(environment)).not.toContain('LEFT_OVER_FROM_THE_HOST')
    expect(Object.keys(environment)).not.toContain('GITHUB_TOKEN')
    expect(environment.HOME).not.toBe(process.env.HOME)
  })

  it('the event in a file', async () => {
    const { rawStdout } = await world.run(`import { readFileSync } from 'node:fs'
      console.log(JSON.parse(readFileSync(process.env.GITHUB_EVENT_PATH, 'utf8')).pull_request.head.sha)`)
    expect(rawStdout.trim()).toBe(world.repository.pull(1).headSha)
  })
})

describe('what it writes', () => {
  it('is taken for commands on either stream, and shown as the runner shows it', async () => {
    const { log, annotations } = await world.run(`console.log('::group::Build')
      console.log('plain')
      console.log('::endgroup::')
      console.log('::notice title=Live%3A now,file=' + process.env.GITHUB_WORKSPACE + '/a.js,line=3,endLine=4,col=2::It is up')
      process.stderr.write('::error::two%0Alines\\n')
      console.log('::debug::hidden')`)
    expect(log.split('##[endgroup]\n').slice(1).join('##[endgroup]\n')).toBe(
      '##[group]Build\nplain\n##[endgroup]\n##[notice]It is up\n##[error]two\nlines\n',
    )
    expect(annotations).toEqual([
      { level: 'notice', message: 'It is up', title: 'Live: now', file: 'a.js', line: 3, endLine: 4, column: 2 },
      { level: 'error', message: 'two\nlines' },
    ])
  })

  it('may contain a stranger’s commands, which then work: a carriage return is a new line too', async () => {
    const { annotations } = await world.run("console.log('log line of a build\\r::error::injected')")
    expect(annotations).toEqual([{ level: 'error', message: 'injected' }])
  })

  it('is not a command between stop-commands and its token', async () => {
    const { annotations, log } = await world.run(`console.log('::stop-commands::tok3n')
      console.log('::error::shown, not obeyed')
      console.log('::tok3n::')
      console.log('::warning::obeyed again')`)
    expect(annotations).toEqual([{ level: 'warning', message: 'obeyed again' }])
    expect(log).toContain('\n::error::shown, not obeyed\n')
  })

  it('is masked in both streams from the moment the mask is known', async () => {
    const { log, rawStdout, masks } = await world.run(
      `console.log('::add-mask::' + process.env['INPUT_API-KEY'])
       console.log('key ' + process.env['INPUT_API-KEY'])
       console.error('key ' + process.env['INPUT_API-KEY'])
       console.log('::warning::key ' + process.env['INPUT_API-KEY'])`,
      { with: { 'api-key': secret }, secrets: [secret] },
    )
    expect(rawStdout).toContain(secret)
    expect(log).not.toContain(secret)
    expect(log).toContain('  api-key: ***\n')
    expect(log.match(/key \*\*\*/g)).toHaveLength(3)
    expect(masks).toContain(secret)
  })

  it('may be annotations: ten of a level are kept, and all of them are in the log', async () => {
    const { annotations, droppedAnnotations, log } =
      await world.run(`for (let i = 0; i < 12; i++) console.log('::error::e' + i)
      console.log('::warning::w')`)
    expect(annotations.filter((one) => one.level === 'error')).toHaveLength(10)
    expect(annotations.at(-1)).toEqual({ level: 'warning', message: 'w' })
    expect(droppedAnnotations).toBe(2)
    expect(log).toContain('##[error]e11')
  })

  it('fails the step when it is a command that is disabled', async () => {
    const { conclusion, annotations } = await world.run("console.log('::set-env name=A::b')")
    expect(conclusion).toBe('failure')
    expect(annotations[1]?.message).toContain('command is disabled')
  })

  it('shows its debug lines when step debugging is on', async () => {
    const { log, rawStdout } = await world.run("console.log('::debug::seen', process.env.RUNNER_DEBUG)", {
      debug: true,
    })
    expect(log).toContain('##[debug]seen 1\n')
    expect(rawStdout).toBe('::debug::seen 1\n')
  })
})

describe('what it hands over', () => {
  const append = (file: string, text: string) => `appendFileSync(process.env.${file}, ${JSON.stringify(text)})\n`
  const fs = "import { appendFileSync } from 'node:fs'\n"

  it('are outputs, but none with a secret in it: those the runner drops, and says so', async () => {
    const { outputs, droppedOutputs, stepOutputs, jobLog } = await world.run(
      fs + append('GITHUB_OUTPUT', `url<<E\nhttps://x\nE\nleak=see ${secret}!\n`),
      { secrets: [secret] },
    )
    expect(outputs).toEqual({ url: 'https://x' })
    expect(droppedOutputs).toEqual(['leak'])
    expect(stepOutputs.leak).toBe(`see ${secret}!`)
    expect(jobLog).toBe("##[warning]Skip output 'leak' since it may contain secret.\n")
  })

  it('is a summary, masked, of 1 MiB at most', async () => {
    const { summary } = await world.run(fs + append('GITHUB_STEP_SUMMARY', `# Live\n${secret}\n`), {
      secrets: [secret],
    })
    expect(summary).toBe('# Live\n***\n')
    const large = await world.run(`${fs}appendFileSync(process.env.GITHUB_STEP_SUMMARY, 'x'.repeat(1024 * 1024 + 1))`)
    expect(large.summary).toBe('')
    expect(large.annotations[0]?.message).toContain('upload aborted, supports content up to a size of 1024k')
    expect(large.conclusion).toBe('success')
  })

  it('fails the step when the file cannot be read', async () => {
    const { conclusion, annotations, exitCode } = await world.run(fs + append('GITHUB_OUTPUT', 'nonsense\n'))
    expect([conclusion, exitCode]).toEqual(['failure', 0])
    expect(annotations[0]?.message).toBe("Unable to process file command 'output' successfully.")
  })

  it('is state for the post step, which has the inputs, the environment and the path as well', async () => {
    const { post, state } = await world.run({
      inputs: { name: { default: 'n' } },
      main:
        fs +
        append('GITHUB_STATE', 'service<<E\na\nb\nE\n') +
        append('GITHUB_ENV', 'ADDED=later\n') +
        append('GITHUB_PATH', '/opt/first\n'),
      post: 'console.log(JSON.stringify([process.env.STATE_service, process.env.INPUT_NAME, process.env.ADDED, process.env.PATH.split(":")[0]]))',
    })
    expect(state).toEqual({ service: 'a\nb' })
    expect(post?.rawStdout).toBe('["a\\nb","n","later","/opt/first"]\n')
    expect(post?.log).toMatch(/^Post job cleanup\.\n/)
  })
})

describe('the post step', () => {
  it.each([
    ['always()', 0, true],
    ['always()', 1, true],
    ['success()', 0, true],
    ['success()', 1, false],
    ['failure()', 0, false],
    ['failure()', 1, true],
    ['cancelled()', 1, false],
    ["github.event_name == 'pull_request'", 0, true],
    ["github.event_name == 'pull_request'", 1, false],
    [expression('failure() && github.event.number == 1'), 1, true],
    [undefined, 1, true],
  ])('with post-if %s after exit code %d: %s', async (postIf, exitCode, runs) => {
    const { post, conclusion } = await world.run({
      main: `process.exitCode = ${exitCode}`,
      post: 'console.log("post")',
      ...(postIf === undefined ? {} : { postIf }),
    })
    expect(post !== undefined).toBe(runs)
    expect(conclusion).toBe(exitCode === 0 ? 'success' : 'failure')
  })

  it('fails the job when it fails', async () => {
    const { conclusion, exitCode } = await world.run({ main: '', post: 'process.exit(1)' })
    expect([conclusion, exitCode]).toEqual(['failure', 0])
  })
})

describe('afterwards', () => {
  it('folders are gone and the token is void', async () => {
    const { folder, workspace, stepOutputs } = await world.run({
      inputs: { token: { default: expression('github.token') } },
      main: `import { appendFileSync } from 'node:fs'
        appendFileSync(process.env.GITHUB_OUTPUT, 'token=' + process.env.INPUT_TOKEN)`,
    })
    expect([existsSync(folder), existsSync(workspace)]).toEqual([false, false])
    const { status } = await fetch(`${world.github.apiUrl}/repos/acme/web`, {
      headers: { authorization: `Bearer ${stepOutputs.token}` },
    })
    expect(status).toBe(401)
  })

  it('the run and its job are in the API, and a job with an environment has its own deployment record', async () => {
    const { runId } = await world.run('process.exitCode = 1', { job: { name: 'ship', environment: 'staging' } })
    const run = world.repository.runs.get(runId)
    expect(run?.jobs).toMatchObject([{ name: 'ship', status: 'completed', conclusion: 'failure' }])
    const [record] = world.repository.deployments()
    expect(record).toMatchObject({
      environment: 'staging',
      sha: world.repository.pull(1).headSha,
      creator: { login: 'github-actions[bot]' },
    })
    expect(record?.statuses.map((status) => status.state)).toEqual(['in_progress', 'failure'])
    expect(record?.statuses[0]?.logUrl).toContain(`/actions/runs/${runId}/job/`)
  })
})
