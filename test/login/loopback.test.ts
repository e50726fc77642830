import { request } from 'node:http'
import { expect, it } from 'vitest'
import { openLoopback } from '../../src/login/key.ts'
import { browserCommand } from '../../src/login/login.ts'

it('lets the browser in once, and says nothing about success', async () => {
  await using loopback = await openLoopback('ours')
  expect(loopback.redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/)
  const response = await fetch(`${loopback.redirectUri}?code=abc&state=ours`)
  expect(response.status).toBe(200)
  expect(response.headers.get('referrer-policy')).toBe('no-referrer')
  expect(await response.text()).toContain('Back to the terminal')
  expect(Object.fromEntries(await loopback.visit)).toEqual({ code: 'abc', state: 'ours' })
  await expect(fetch(`${loopback.redirectUri}?code=def&state=ours`)).rejects.toThrow()
})

it('does not count what the browser asks for besides, nor another method, nor another name of this machine', async () => {
  await using loopback = await openLoopback('ours')
  const { origin, port } = new URL(loopback.redirectUri)
  expect((await fetch(`${origin}/favicon.ico`)).status).toBe(404)
  expect((await fetch(`${origin}//`)).status).toBe(404)
  expect((await fetch(loopback.redirectUri, { method: 'POST' })).status).toBe(405)
  const rebound = await new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: '/callback?code=evil&state=ours',
      headers: { host: `evil.example:${port}` },
    }
    request(options, (response) => resolve(response.resume().statusCode))
      .on('error', reject)
      .end()
  })
  expect(rebound).toBe(403)
  await fetch(`${loopback.redirectUri}?code=abc&state=ours`)
  expect((await loopback.visit).get('code')).toBe('abc')
})

it.each([
  '',
  '?code=evil',
  '?code=evil&state=',
  '?error=access_denied&state=theirs',
  '?code=evil&state=theirs&state=ours',
])('turns away “%s”, and stays open for the answer with our state', async (query) => {
  await using loopback = await openLoopback('ours')
  expect((await fetch(`${loopback.redirectUri}${query}`)).status).toBe(400)
  expect((await fetch(`${loopback.redirectUri}?code=abc&state=ours`)).status).toBe(200)
  expect((await loopback.visit).get('code')).toBe('abc')
})

it('is closed when nobody came', async () => {
  const loopback = await openLoopback('ours')
  await loopback[Symbol.asyncDispose]()
  await expect(fetch(loopback.redirectUri)).rejects.toThrow()
})

it.each([
  ['darwin', 'open'],
  ['linux', 'xdg-open'],
  ['win32', 'rundll32'],
] as const)('on %s the address is one argument of %s, whatever is in it', (platform, program) => {
  const address = 'https://mcp.ml.ink/oauth/authorize?a=1&b=$(c)'
  const command = browserCommand(platform, address)
  expect([command.program, command.args.at(-1)]).toEqual([program, address])
})
