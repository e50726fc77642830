import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createRedactor, secretForms } from '../../src/core/redact.ts'
import { Secret } from '../../src/core/secret.ts'
import { openMasks } from '../../src/runner/output.ts'
import { cpuOf } from '../support/quiet-cpu.ts'

const secret = `k/${randomBytes(12).toString('hex')}+"ä`
const invisible = ['\u200b', '\u00ad', '\ufe0f', '\u2060', '\u034f', '\x07', '\u{e0041}']
const base64 = (text: string) => Buffer.from(text).toString('base64')

const ways: Readonly<Record<string, (secret: string) => string>> = {
  'as it is': (text) => text,
  'in base64': base64,
  'in base64 after one byte': (text) => base64(`x${text}`),
  'in base64 after two bytes': (text) => base64(`xy${text}yz`),
  'in base64 for URLs': (text) => Buffer.from(`?~${text}?~`).toString('base64url'),
  'as user and password': (text) => `Authorization: Basic ${base64(`user:${text}`)}`,
  'as a bearer in base64': (text) => base64(`Bearer ${text}`),
  'in base64, itself in a URL': (text) => encodeURIComponent(base64(`a${text}`)),
  'in hexadecimal': (text) => Buffer.from(text).toString('hex'),
  'in a URL': encodeURIComponent,
  'in a URL, in small letters': (text) => encodeURIComponent(text).replace(/%../g, (code) => code.toLowerCase()),
  'in a URL, every byte': (text) => Buffer.from(text).toString('hex').replace(/../g, '%$&'),
  'in JSON': (text) => JSON.stringify({ text }),
  'in JSON of ASCII': (text) =>
    text.replace(/[^ -~]|["/]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`),
  'in JSON in JSON': (text) => JSON.stringify(JSON.stringify(text)),
  'in JSON in a URL': (text) => encodeURIComponent(JSON.stringify(text)),
  'in HTML': (text) => text.replaceAll('"', '&quot;').replaceAll('+', '&#43;').replaceAll('/', '&#x2F;'),
  'in Markdown': (text) => text.replace(/[+/"]/g, '\\$&'),
  'with invisible characters between': (text) =>
    [...text].map((one, at) => one + invisible[at % invisible.length]).join(''),
  'in base64 with invisible characters between': (text) => [...base64(text)].join('\u200b'),
  'across the lines of base64': (text) => base64(text.repeat(9)).replace(/.{76}/g, '$&\n'),
}

/** Every eight characters of the secret, and of its base64, as whoever collects pieces would look for them. */
function piecesOf(text: string): string[] {
  return Array.from({ length: text.length - 7 }, (_, at) => text.slice(at, at + 8))
}

describe('a secret', () => {
  it.each(Object.entries(ways))('%s is masked, and the words around it stay', (_way, write) => {
    const long = _way.startsWith('across') ? secret.repeat(9) : secret
    const shown = createRedactor([long])(`before ${write(secret)} after`)
    expect(shown).toContain('***')
    expect(shown).toMatch(/^before .* after$/s)
    const readable = shown.replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}\x07]/gu, '')
    for (const piece of piecesOf(readable.replaceAll('***', ''))) {
      expect(secret).not.toContain(piece)
      expect(base64(secret)).not.toContain(piece)
    }
  })

  it('is told to the runner in all forms that comparing alone can find', () => {
    const forms = secretForms([secret])
    for (const text of [base64(secret), base64(`user:${secret}`), base64(`Bearer ${secret}`), base64(`x${secret}`)])
      expect(forms.some((form) => text.includes(form))).toBe(true)
    expect(forms).toEqual(expect.arrayContaining([encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)]))
  })

  it('of any characters is found in any base64 and in any URL', () => {
    const texts = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 40 }).filter((text) => text.trim().length >= 6)
    fc.assert(
      fc.property(texts, fc.string(), fc.string(), (text, before, after) => {
        const redact = createRedactor([text])
        expect(redact(base64(before + text + after))).toContain('***')
        if (!/\p{Surrogate}/u.test(text)) expect(redact(encodeURIComponent(text))).toContain('***')
        expect(redact(JSON.stringify(text))).toContain('***')
      }),
      { numRuns: 2000 },
    )
  })

  it('blackens no text that does not hold it', () => {
    const redact = createRedactor([secret, 'correct horse battery staple', randomBytes(32).toString('base64')])
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), (text) => {
        expect(redact(text)).toBe(text)
      }),
      { numRuns: 2000 },
    )
    for (const text of [
      base64(randomBytes(3000).toString('hex')),
      'C:\\new\\table 100% &amp; more \\u0041',
      '%%%\\\\&&&;',
    ])
      expect(redact(text)).toBe(text)
  })

  it.each(['%41', '\\u0041', '&#65;', '\u200b', 'A', 'QUFB', '\\\\', '%25'])(
    'is looked for in time that grows with the text alone: %j',
    (piece) => {
      const redact = createRedactor(Array.from({ length: 200 }, () => randomBytes(30).toString('hex')))
      const timeFor = (times: number) => {
        const text = piece.repeat(times / piece.length)
        return cpuOf(() => redact(text))
      }
      timeFor(50_000)
      const short = Math.min(...[1, 2, 3].map(() => timeFor(50_000)))
      expect(Math.min(...[1, 2, 3].map(() => timeFor(400_000)))).toBeLessThan(40 * (short + 2))
    },
  )
})

describe('a value under a plain name', () => {
  const masksOf = (variables: Readonly<Record<string, string>>) => {
    const told: string[] = []
    const masks = openMasks((value) => told.push(value))
    masks.addVariables(new Map(Object.entries(variables).map(([name, value]) => [name, new Secret(value)])))
    return { masks, told }
  }

  it('is masked in what leaves the run’s own log, and not in the log itself', () => {
    const { masks, told } = masksOf({ UPSTREAM: 'tuna-sandwich' })
    expect(told).toEqual([])
    expect(masks.redact({ reason: 'no answer from tuna-sandwich', lines: [base64('u:tuna-sandwich')] })).toEqual({
      reason: 'no answer from ***',
      lines: [expect.stringContaining('***')],
    })
  })

  it('that gives nothing away stays', () => {
    const plain = {
      ...{ MODE: 'production', PORT: '30000', REGION: 'eu-central-1', TZ: 'Europe/Berlin', LANG: 'en_US.UTF-8' },
      ...{ HOST: '127.0.0.1', UP: 'http://localhost:3000', SIZE: '1048000', LEVEL: 'verbose', VERSION: '22.14.1' },
    }
    const text = Object.values(plain).join(' | ')
    expect(masksOf(plain).masks.redact(text)).toBe(text)
  })

  it('leaves what a report is about, and names that stand on every page of the run', () => {
    const { masks } = masksOf({ APP: 'my-service', URL: 'https://my-service.example/', REPO: 'repository-of-mine' })
    masks.spare(['somebody/repository-of-mine'])
    const report = { service: 'my-service', url: 'https://my-service.example/', reason: 'repository-of-mine' }
    expect(masks.redact(report)).toEqual(report)
    expect(masks.redact({ reason: 'my-service broke' })).toEqual({ reason: '*** broke' })
    masks.spare(['my-service'])
    expect(masks.redact({ reason: 'my-service broke' })).toEqual({ reason: 'my-service broke' })
  })
})
