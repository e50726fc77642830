import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AddressRefused,
  allowedLookup,
  assertPublicAddress,
  fetchAllowed,
  isAllowedIp,
} from '../../src/core/addresses.ts'

describe('an IP address', () => {
  it.for(['8.8.8.8', '140.82.121.4', '2606:4700::1111', '2a01:4f8::1', '64:ff9b::808:808', '::ffff:8.8.8.8'])(
    '%s is on the public internet',
    (address) => {
      expect(isAllowedIp(address)).toBe(true)
    },
  )

  it.for([
    '127.0.0.1',
    '127.255.255.254',
    '0.0.0.0',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '169.254.170.2',
    '100.100.100.200',
    '192.0.0.192',
    '198.18.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'ff02::1',
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '::127.0.0.1',
    '64:ff9b::169.254.169.254',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '2001:0:7f00:1::1',
    'not an address',
  ])('%s is not', (address) => {
    expect(isAllowedIp(address)).toBe(false)
  })

  it('of a private network is fine where those are, but none of this machine or a metadata service', () => {
    const rules = { privateNetworks: true }
    for (const address of ['10.1.2.3', '192.168.1.1', 'fd12::1']) expect(isAllowedIp(address, rules)).toBe(true)
    for (const address of ['127.0.0.1', '169.254.169.254', '100.100.100.200', 'fd00:ec2::254', '::1'])
      expect(isAllowedIp(address, rules)).toBe(false)
  })
})

describe('an address that a stranger names', () => {
  it.for([
    ['http://example.org/', 'not https'],
    ['ftp://example.org/', 'not https'],
    ['https://user:secret@8.8.8.8/', 'carries credentials'],
    ['https://127.0.0.1/', 'not on the public internet'],
    // Other spellings of 127.0.0.1 and 169.254.169.254.
    ['https://2130706433/', 'not on the public internet'],
    ['https://0x7f.1/', 'not on the public internet'],
    ['https://0251.0376.0251.0376/', 'not on the public internet'],
    ['https://[::ffff:169.254.169.254]/', 'not on the public internet'],
    ['https://localhost/', 'not on the public internet'],
    ['https://LOCALHOST./', 'not on the public internet'],
    ['https://api.localhost/', 'not on the public internet'],
    ['https://metadata.google.internal/', 'not on the public internet'],
    ['nothing', 'not an address'],
    ['https://exa mple/', 'not an address'],
  ])('is refused: %s', async ([address = '', why]) => {
    const refused = assertPublicAddress(address)
    await expect(refused).rejects.toBeInstanceOf(AddressRefused)
    await expect(refused).rejects.toThrow(why)
    await expect(refused).rejects.not.toThrow('secret')
  })

  it('is asked as it is when it is one that the user configured, but not on another port or scheme', async () => {
    const rules = { configured: ['http://127.0.0.1:3000/acme/web.git'] }
    await expect(assertPublicAddress('http://127.0.0.1:3000/x', rules)).resolves.toMatchObject({ ips: [] })
    for (const address of ['http://127.0.0.1:3001/x', 'https://127.0.0.1:3000/x', 'http://localhost:3000/x'])
      await expect(assertPublicAddress(address, rules)).rejects.toBeInstanceOf(AddressRefused)
  })

  it('is answered with the addresses it stands for', async () => {
    await expect(assertPublicAddress('https://8.8.8.8/x')).resolves.toMatchObject({ ips: ['8.8.8.8'] })
  })

  it('never ends in anything but an answer or a refusal', async () => {
    const part = fc.constantFrom(
      'https://',
      'http://',
      '[',
      ']',
      '::',
      '1',
      '.',
      '%',
      '@',
      ':',
      '/',
      '\\',
      '0x',
      'a',
      '-',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 14 }), async (parts) => {
        // Names would be looked up in earnest.
        const address = parts.join('')
        fc.pre(!URL.canParse(address) || /^https?:\/\/(\[|\d)/.test(new URL(address).href))
        await assertPublicAddress(address).catch((error: unknown) => expect(error).toBeInstanceOf(AddressRefused))
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('at the connection', () => {
  it('a name that leads inside by then is refused', async () => {
    const asked = (options: object) =>
      new Promise<Error | null>((resolve) => allowedLookup()('localhost', options, (error) => resolve(error)))
    expect(await asked({})).toBeInstanceOf(AddressRefused)
    expect(await asked({ all: true })).toBeInstanceOf(AddressRefused)
  })

  it('a redirect is checked like the first address, and takes no headers to another server', async () => {
    const seen: (string | undefined)[] = []
    const server = createServer((request, response) => {
      seen.push(`${request.url} ${request.headers.authorization}`)
      if (request.url === '/inside') response.writeHead(302, { location: `http://127.0.0.1:${otherPort}/` }).end()
      else if (request.url === '/there') response.writeHead(302, { location: `${second}/` }).end()
      else if (request.url === '/round') response.writeHead(302, { location: '/round' }).end()
      else response.end('ok')
    })
    const other = createServer((request, response) => {
      seen.push(`other ${request.url} ${request.headers.authorization}`)
      response.end('other')
    })
    const listen = async (it: typeof server) => {
      await new Promise<void>((resolve) => it.listen(0, '127.0.0.1', resolve))
      return (it.address() as AddressInfo).port
    }
    const [port, otherPort] = [await listen(server), await listen(other)]
    const [first, second] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${otherPort}`]
    try {
      const init = { headers: { Authorization: 'Bearer ours' } }
      await expect(fetchAllowed(`${first}/inside`, init, { configured: [first] })).rejects.toBeInstanceOf(
        AddressRefused,
      )
      expect(seen).toEqual(['/inside Bearer ours'])
      const both = { configured: [first, second] }
      expect(await (await fetchAllowed(`${first}/there`, init, both)).text()).toBe('other')
      expect(seen.at(-1)).toBe('other / undefined')
      await expect(fetchAllowed(`${first}/round`, init, both)).rejects.toThrow('redirects more than 5 times')
    } finally {
      server.close()
      other.close()
    }
  })
})
