import { expect, test } from 'vitest'
import { startInk, untilAnswers } from './harness.ts'

test('a static site that was pushed is deployed and answers on its URL', async () => {
  await using ink = await startInk()
  const commit = await ink.push('site', { 'index.html': '<h1>Hello</h1>' })
  const created = await ink.call('create_service', { repo: 'ink/site', name: 'site' })
  expect(created.status).toBe('queued')
  const service = await ink.platform.waitForStatus('site', ['active', 'failed'])
  expect(service.deployments.at(-1)).toMatchObject({ status: 'active', commit, trigger: 'api' })
  const { url } = await ink.call('get_service', { name: 'site' })
  expect(await untilAnswers(String(url))).toBe('<h1>Hello</h1>')
})

test('a Node app is built, started with PORT and reached through the edge', async () => {
  await using ink = await startInk()
  await ink.push('app', {
    'package.json': JSON.stringify({
      scripts: { build: 'node -e "fs.writeFileSync(\'built\',process.env.GREETING)"', start: 'node app.mjs' },
    }),
    'app.mjs': `import { createServer } from 'node:http'; import { readFileSync } from 'node:fs'
      createServer((q, r) => r.end(readFileSync('built', 'utf8') + process.env.GREETING)).listen(process.env.PORT)`,
  })
  await ink.call('create_service', { repo: 'app', name: 'app', env_vars: [{ key: 'GREETING', value: 'hi' }] })
  const service = await ink.platform.waitForStatus('app', ['active', 'failed'])
  expect(service.status).toBe('active')
  expect(await untilAnswers(String(service.url))).toBe('hihi')
})
