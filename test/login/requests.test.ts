import { InvalidGrantError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { expect, it } from 'vitest'
import { DeployError, errorMessage } from '../../src/core/errors.ts'
import { Secret } from '../../src/core/secret.ts'
import { boundedFetch, checkKey, step } from '../../src/login/server.ts'

const { signal } = new AbortController()

it('a server that cannot be reached is named, with the reason', async () => {
  const broken = async () => {
    throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
  }
  const error: unknown = await boundedFetch(broken, signal)('https://mcp.ml.ink/mcp').catch((thrown) => thrown)
  expect(error).toBeInstanceOf(DeployError)
  expect(errorMessage(error)).toBe('mcp.ml.ink could not be reached: fetch failed: connect ECONNREFUSED')
})

it('a refusal is told with its code, and a page of HTML cut', async () => {
  const refusal = step('hand out a key', signal, async () => {
    throw new InvalidGrantError('the code has expired')
  })
  await expect(refusal).rejects.toThrow('ml.ink did not hand out a key: invalid_grant: the code has expired')
  const page: unknown = await step('hand out a key', signal, async () => {
    throw new Error('<html>\n'.repeat(1000))
  }).catch((thrown) => thrown)
  expect(errorMessage(page).length).toBeLessThan(400)
  expect(errorMessage(page)).not.toContain('\n')
})

it('who cancels learns of that, not of the request that was cut', async () => {
  const controller = new AbortController()
  const cut = step('register this program', controller.signal, async () => {
    controller.abort(new Error('cancelled'))
    throw new TypeError('terminated')
  })
  await expect(cut).rejects.toThrow('cancelled')
})

it.each([401, 307, 500])('a key that the endpoint answers with %i is not passed on, nor shown', async (status) => {
  const sent: RequestInit[] = []
  const fetch = async (_url: string | URL, init: RequestInit = {}) => {
    sent.push(init)
    return new Response('', { status, headers: { location: 'https://evil.example/' } })
  }
  const key = new Secret(`dk_test_${'0'.repeat(8)}`)
  const error: unknown = await checkKey('https://mcp.ml.ink/mcp', fetch, key).catch((thrown) => thrown)
  expect(errorMessage(error)).toContain(`does not take (HTTP ${status})`)
  expect(errorMessage(error)).not.toContain(key.reveal())
  expect(sent.map(({ redirect }) => redirect)).toEqual(['manual'])
})
