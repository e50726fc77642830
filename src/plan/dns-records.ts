import { isIPv4, isIPv6 } from 'node:net'
import { parse } from 'yaml'
import { z } from 'zod'
import { errorMessage } from '../core/errors.ts'
import { type Parsed, parseDomain } from './input-values.ts'

export const dnsTypes = ['A', 'AAAA', 'CNAME', 'MX', 'TXT', 'CAA'] as const
export type DnsType = (typeof dnsTypes)[number]

/** One record as it shall be. */
export interface WantedRecord {
  readonly zone: string
  /** Within the zone; `@` is the zone itself. */
  readonly name: string
  readonly type: DnsType
  readonly content: string
  /** Seconds. */
  readonly ttl: number
}

/** The name of the records by which this action knows which ones it has made (see dns-difference.ts). */
export const markName = '_ink-deploy'

const entry = z.strictObject({
  zone: z.string(),
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z.int().min(60).max(86_400).default(300),
})

/** Reads the YAML list of `dns-records`, and says everything that is wrong with it. */
export function parseDnsRecords(text: string): {
  readonly records: readonly WantedRecord[]
  readonly problems: string[]
} {
  let list: unknown
  try {
    list = parse(text, { maxAliasCount: 0 })
  } catch (error) {
    return { records: [], problems: [`dns-records: is no YAML: ${errorMessage(error).split('\n')[0]}`] }
  }
  if (!Array.isArray(list)) return { records: [], problems: ['dns-records: must be a YAML list of records'] }
  const records: WantedRecord[] = []
  const problems: string[] = []
  for (const [index, item] of list.entries()) {
    const read = readRecord(item)
    const twice = 'value' in read && records.some((other) => isSameRecord(other, read.value))
    if (!('value' in read)) problems.push(`dns-records, entry ${index + 1}: ${read.allowed}`)
    else if (twice) problems.push(`dns-records, entry ${index + 1}: is there twice`)
    else records.push(read.value)
  }
  return { records, problems }
}

function readRecord(item: unknown): Parsed<WantedRecord> {
  const parsed = entry.safeParse(item)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    const where = issue?.path.join('.')
    return {
      allowed: `${where ? `${where}: ` : ''}${issue?.message ?? 'is no record'}; an entry has zone, name, type, content and ttl`,
    }
  }
  const { ttl, ...given } = parsed.data
  const zone = parseDomain(given.zone.trim())
  if (!('value' in zone)) return { allowed: `zone must be ${zone.allowed}` }
  const name = relativeName(given.name.trim(), zone.value)
  const type = dnsTypes.find((known) => known === given.type.trim().toUpperCase())
  if (type === undefined) return { allowed: `type must be one of ${dnsTypes.join(', ')}` }
  if (!isName(name)) return { allowed: 'name must be a name within the zone, or @ for the zone itself' }
  if (name === markName) return { allowed: `the name ${markName} is for this action’s own marks` }
  const content = plainContent(type, given.content)
  const wrong = contentProblem(type, content)
  return wrong ? { allowed: wrong } : { value: { zone: zone.value, name, type, content, ttl } }
}

/** Whether two records say the same; how long it may be remembered is no part of that. */
export function isSameRecord(a: Omit<WantedRecord, 'ttl'>, b: Omit<WantedRecord, 'ttl'>): boolean {
  return a.zone === b.zone && a.name === b.name && a.type === b.type && a.content === b.content
}

/** A name within a zone, however it was written: in full, with a dot at its end, in capitals. */
export function relativeName(name: string, zone: string): string {
  const plain = name.toLowerCase().replace(/\.$/, '')
  if (plain === '' || plain === '@' || plain === zone) return '@'
  return plain.endsWith(`.${zone}`) ? plain.slice(0, -zone.length - 1) : plain
}

/** A record's content, in the one of its spellings by which contents are compared. */
export function plainContent(type: string, content: string): string {
  const text = content.trim()
  if (type === 'TXT') return text.replace(/^"(.*)"$/s, '$1')
  if (type === 'CNAME' || type === 'MX') return text.toLowerCase().replace(/\.$/, '').replaceAll(/\s+/g, ' ')
  if (type === 'AAAA' && isIPv6(text)) return new URL(`http://[${text}]`).hostname.slice(1, -1)
  return type === 'CAA' ? text.replaceAll(/\s+/g, ' ').replaceAll('"', '') : text
}

function isName(name: string): boolean {
  return (
    name === '@' ||
    (name.length <= 253 &&
      /^(\*|[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(name))
  )
}

function contentProblem(type: DnsType, content: string): string | undefined {
  const good = {
    A: () => isIPv4(content),
    AAAA: () => isIPv6(content),
    CNAME: () => isHost(content),
    MX: () => /^\d{1,5} /.test(content) && isHost(content.replace(/^\d+ /, '')),
    TXT: () => content !== '' && content.length <= 2048 && !/[\0-\x1f\x7f]/.test(content),
    CAA: () => /^\d{1,3} [a-z0-9]+ \S.*$/.test(content),
  }[type]()
  return good ? undefined : `content must be ${contents[type]}`
}

const contents: Readonly<Record<DnsType, string>> = {
  A: 'an IPv4 address',
  AAAA: 'an IPv6 address',
  CNAME: 'a host name',
  MX: 'a priority and a host name, such as 10 mail.example.com',
  TXT: 'one line of text, 2048 characters at most',
  CAA: 'flags, tag and value, such as 0 issue letsencrypt.org',
}

function isHost(text: string): boolean {
  return 'value' in parseDomain(text.replaceAll('_', 'x'))
}
