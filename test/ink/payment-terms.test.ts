import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { PlatformError } from '../../src/ink/errors.ts'
import { paymentTerms, platformFetch } from '../../src/ink/wire.ts'

const one = {
  scheme: 'exact',
  network: 'base',
  maxAmountRequired: '10000',
  resource: '/mcp',
  description: 'One deployment',
  payTo: '0x1111111111111111111111111111111111111111',
  asset: '0x2222222222222222222222222222222222222222',
  maxTimeoutSeconds: 60,
}
const version1 = { x402Version: 1, error: 'X-PAYMENT header is required', accepts: [one] }
const { maxAmountRequired: amount, resource: url, description, ...rest } = one
const version2 = { x402Version: 2, error: 'unpaid', resource: { url, description }, accepts: [{ ...rest, amount }] }
const said =
  '10000 of the smallest unit of 0x2222222222222222222222222222222222222222 on base (exact) ' +
  'to 0x1111111111111111111111111111111111111111 for /mcp “One deployment”'

describe('the terms of a payment', () => {
  it('are one line, in both versions', () => {
    expect(paymentTerms(JSON.stringify(version1))).toBe(`X-PAYMENT header is required; ${said}`)
    expect(paymentTerms(JSON.stringify(version2))).toBe(`unpaid; ${said}`)
  })

  it('are short, whatever is offered', () => {
    const many = { accepts: Array.from({ length: 500 }, () => ({ ...one, description: 'x'.repeat(10_000) })) }
    const terms = paymentTerms(JSON.stringify(many)) ?? ''
    expect(terms.length).toBeLessThan(1200)
    expect(terms).toMatch(/; 497 more ways$/)
  })

  it('cannot break out of their line', () => {
    const terms = paymentTerms(JSON.stringify({ accepts: [{ ...one, description: 'a\n::error::b\u202ec\u0000' }] }))
    expect(terms).toContain('“a ::error::b c”')
    expect(terms).not.toMatch(/[\n\u202e\0]/)
  })

  it.each(['', 'pay up', '{}', '[]', 'null', '{"accepts":[]}', '{"accepts":"exact"}', '{"accepts":[{"asset":{}}]}'])(
    '%j are none',
    (body) => {
      expect(paymentTerms(body)).toBeUndefined()
    },
  )
})

describe('HTTP 402', () => {
  async function answered(body: string, headers: Record<string, string> = {}): Promise<PlatformError> {
    const server = createServer((_, response) => response.writeHead(402, headers).end(body))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`
      const ask = platformFetch(fetch, 2000, (text) => text.replaceAll('/mcp', '***'))
      const error = await ask(address, { method: 'POST', body: '{}' }).catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(PlatformError)
      return error as PlatformError
    } finally {
      server.close()
    }
  }

  it('tells the terms of its body, or of its header, without secrets', async () => {
    const body = await answered(JSON.stringify(version1))
    expect(body.failure).toBe('payment-required')
    expect(body.message).toContain('“payment required” (HTTP 402). Its terms: X-PAYMENT header is required; 10000')
    expect(body.message).toContain('for *** “One deployment”')
    const header = Buffer.from(JSON.stringify(version2)).toString('base64')
    expect((await answered('{}', { 'payment-required': header })).message).toContain('Its terms: unpaid; 10000')
    expect((await answered('pay up')).message).toContain('Its terms: pay up')
    expect((await answered('')).message).toBe('ml.ink answered “payment required” (HTTP 402)')
  })
})
