import { expect, test } from 'vitest'
import { get, nodeApp, startInk, until, untilAnswers, untilSaid } from './harness.ts'

test('a Node app is built, started with PORT and its variables, and reached through the edge', async () => {
  await using ink = await startInk()
  await ink.push('app', {
    ...nodeApp("console.log('listening')"),
    'package.json': JSON.stringify({
      scripts: { build: 'node -e "console.log(\'built with \' + process.env.GREETING)"', start: 'node app.mjs' },
    }),
  })
  await ink.call('create_service', { repo: 'app', name: 'app', env_vars: [{ key: 'GREETING', value: 'hi' }] })
  const service = await ink.platform.waitForStatus('app', ['active', 'failed'])
  expect(await untilAnswers(String(service.url))).toBe('hi')
  expect(service.buildLog).toContain('built with hi')
  await untilSaid(ink, 'app', 'listening')
  const { runtime_logs } = await ink.call('get_service', { name: 'app', runtime_log_lines: 10 })
  expect(runtime_logs).toContain('listening')
})

test('a build and an app see nothing of this process’s environment', async () => {
  await using ink = await startInk()
  for (const name of ['INPUT_API_KEY', 'GITHUB_TOKEN', 'INK_API_KEY', 'AWS_PROFILE']) process.env[name] ??= 'leaked'
  const print = "console.log(Object.keys(process.env).join(' '))"
  await ink.push('app', {
    ...nodeApp(print),
    'package.json': JSON.stringify({ scripts: { build: `node -e "${print}"`, start: 'node app.mjs' } }),
  })
  await ink.call('create_service', { repo: 'app', name: 'app' })
  const { buildLog } = await ink.platform.waitForStatus('app', ['active', 'failed'])
  const runtimeLog = await untilSaid(ink, 'app', 'PATH')
  for (const log of [buildLog, runtimeLog].map((lines) => lines.join('\n'))) {
    expect(log).toContain('PATH')
    expect(log).not.toMatch(/\b(INPUT_|GITHUB_|INK_|AWS_)/)
  }
})

test('a failing build is tried twice and fails with the workflow’s long error', async () => {
  await using ink = await startInk()
  const build = 'echo trying; exit 3'
  await ink.push('app', { 'package.json': JSON.stringify({ scripts: { build, start: 'node app.mjs' } }) })
  await ink.call('create_service', { repo: 'app', name: 'app' })
  const { buildLog } = await ink.platform.waitForStatus('app', ['failed'])
  expect(buildLog.filter((line) => line === 'trying')).toHaveLength(2)
  const { error_message } = await ink.call('get_service', { name: 'app' })
  expect(error_message).toMatch(
    /^child workflow execution error .*: build failed \(railpack\): activity error .*exit code: 3/,
  )
})

test('an app that listens on 127.0.0.1 only is never healthy', async () => {
  await using ink = await startInk({ timing: { healthGateMs: 600 } })
  const files = nodeApp()
  await ink.push('app', {
    ...files,
    'app.mjs': files['app.mjs'].replace('process.env.PORT)', "process.env.PORT, '127.0.0.1')"),
  })
  await ink.call('create_service', { repo: 'app', name: 'app' })
  const { deployments } = await ink.platform.waitForStatus('app', ['failed'])
  expect(deployments.at(-1)?.errorMessage).toContain('nothing accepts connections on $PORT on 0.0.0.0')
})

test('an app that ends before it listens fails the roll-out, and the one before goes on answering', async () => {
  await using ink = await startInk()
  await ink.push('app', nodeApp())
  await ink.call('create_service', { repo: 'app', name: 'app' })
  const { url } = await ink.platform.waitForStatus('app', ['active'])
  await untilAnswers(String(url))
  await ink.push('app', { ...nodeApp(), 'app.mjs': "console.error('no database'); process.exit(9)" })
  await ink.call('redeploy_service', { name: 'app' })
  const { deployments, runtimeLog } = await ink.platform.waitForStatus('app', ['failed'])
  expect(deployments.map(({ status }) => status)).toEqual(['active', 'failed'])
  expect(deployments.at(-1)?.errorMessage).toMatch(
    /^activity error \(.*\): container exited with code 9 before accepting connections \(type: wrapError, retryable: true\)$/,
  )
  expect(runtimeLog.filter((line) => line === 'no database')).toHaveLength(3)
  expect((await get(String(url))).body).toBe('hello')
})

/** An app that dies when it is asked for `/end`. */
const mortal = {
  ...nodeApp(),
  'app.mjs': `import { createServer } from 'node:http'
    createServer(({ url }, response) => (url === '/end' ? process.exit(1) : response.end())).listen(process.env.PORT)`,
}

/** Deploys it, and has it die once it answers. */
async function dies(ink: Awaited<ReturnType<typeof startInk>>): Promise<string> {
  await ink.push('app', mortal)
  await ink.call('create_service', { repo: 'app', name: 'app' })
  const { url } = await ink.platform.waitForStatus('app', ['active'])
  await untilAnswers(String(url))
  await get(`${url}/end`)
  return String(url)
}

test('an app that dies after it was active leaves its service active, and the edge answers 502', async () => {
  await using ink = await startInk()
  await untilAnswers(await dies(ink), 502)
  expect(await ink.call('get_service', { name: 'app' })).toMatchObject({ status: 'active' })
})

test.each([{ profile: 'mixed' }, { reportsCrashes: true }] as const)('with %j it turns crashed', async (options) => {
  await using ink = await startInk(options)
  const url = await dies(ink)
  await ink.platform.waitForStatus('app', ['crashed'])
  await untilAnswers(url, 502)
})

test('every container starts from the image, so that what one has written is gone in the next', async () => {
  await using ink = await startInk()
  const files = nodeApp(
    "import { existsSync, writeFileSync } from 'node:fs'; console.log('left over', existsSync('mark')); writeFileSync('mark', '')",
  )
  await ink.push('app', files)
  await ink.call('create_service', { repo: 'app', name: 'app' })
  await ink.platform.waitForStatus('app', ['active'])
  await ink.call('redeploy_service', { name: 'app' })
  const { deployments } = await ink.platform.waitForStatus('app', ['active'])
  expect(deployments.at(-1)?.cached).toBe(true)
  const said = () => ink.platform.service('app')?.runtimeLog.filter((line) => line.startsWith('left over'))
  await until('both have started', () => said()?.length === 2)
  expect(said()).toEqual(['left over false', 'left over false'])
})
