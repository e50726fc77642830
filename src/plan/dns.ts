import * as v from 'valibot'
import { errorMessage } from '../core/errors.ts'
import { domain, type Parsed, type Read, type ValueProblem } from './values.ts'

const isIPv4 = (text: string): boolean => v.is(v.pipe(v.string(), v.ipv4()), text)
const isIPv6 = (text: string): boolean => v.is(v.pipe(v.string(), v.ipv6()), text)
const isHost = (text: string): boolean => 'value' in domain.parse(text.replaceAll('_', 'x'))

/** The types that there may be, and what each has to contain. */
const contents = {
  A: { must: 'an IPv4 address', fits: isIPv4 },
  AAAA: { must: 'an IPv6 address', fits: isIPv6 },
  CNAME: { must: 'a host name', fits: isHost },
  MX: {
    must: 'a priority and a host name, such as 10 mail.example.com',
    fits: (text: string) => /^\d{1,5} /.test(text) && isHost(text.replace(/^\d+ /, '')),
  },
  TXT: {
    must: 'one line of text, 2048 characters at most',
    fits: (text: string) => /^[^\0-\x1f\x7f]{1,2048}$/.test(text),
  },
  CAA: {
    must: 'flags, tag and value, such as 0 issue letsencrypt.org',
    fits: (text: string) => /^\d{1,3} [a-z0-9]+ \S.*$/.test(text),
  },
}
type DnsType = keyof typeof contents
const dnsTypes = Object.keys(contents) as DnsType[]

export interface WantedRecord {
  readonly zone: string
  /** Within the zone; `@` is the zone itself. */
  readonly name: string
  readonly type: DnsType
  readonly content: string
  /** Seconds. */
  readonly ttl: number
}

/** The name of the records by which this action knows which ones it has made (see `dnsDifference`). */
const markName = '_ink-deploy'

const entry = v.strictObject({
  zone: v.string(),
  name: v.string(),
  type: v.string(),
  content: v.string(),
  ttl: v.optional(v.pipe(v.number(), v.integer(), v.minValue(60), v.maxValue(86_400)), 300),
})

/** Reads a list of records, which comes out of `ink.yml` as JSON, and says everything that is wrong with it. */
export function parseDnsRecords(text: string): Read<readonly WantedRecord[]> {
  const refused = (why: string) => ({ value: [], problems: [{ at: undefined, text: why }] })
  let list: unknown
  try {
    list = JSON.parse(text)
  } catch (error) {
    return refused(`is not valid YAML: ${errorMessage(error).split('\n')[0]}`)
  }
  if (!Array.isArray(list)) return refused('must be a YAML list of records')
  const records: WantedRecord[] = []
  const problems: ValueProblem[] = []
  for (const [index, item] of list.entries()) {
    const at = `entry ${index + 1}`
    const record = readRecord(item)
    if (!('value' in record)) problems.push({ at, text: record.allowed })
    else if (records.some((other) => isSameRecord(other, record.value))) problems.push({ at, text: 'is there twice' })
    else if (records.some((other) => isSameSet(other, record.value))) problems.push({ at, text: oneValue })
    else records.push(record.value)
  }
  return { value: records, problems }
}

export const dnsRecords = {
  parse: parseDnsRecords,
  schema: { type: 'array', items: { type: 'object', required: ['zone', 'name', 'type', 'content'] } },
}

const oneValue =
  'has the name and type of another entry with another value; ml.ink serves one value per name and type, the one added last'

type Identity = Pick<WantedRecord, 'name' | 'content'> & { readonly zone?: string; readonly type: string }

/** Whether two records of a zone are served as one set. */
function isSameSet(a: Identity, b: Identity): boolean {
  return a.zone === b.zone && a.name === b.name && a.type === b.type
}

/** Whether two records say the same; how long it may be remembered does not matter. */
function isSameRecord(a: Identity, b: Identity): boolean {
  return isSameSet(a, b) && a.content === b.content
}

function readRecord(item: unknown): Parsed<WantedRecord> {
  const parsed = v.safeParse(entry, item)
  if (!parsed.success) {
    const [issue] = parsed.issues
    const where = v.getDotPath(issue)
    return { allowed: `${where ? `${where}: ` : ''}${issue.message}; an entry has zone, name, type, content and ttl` }
  }
  const { ttl, ...given } = parsed.output
  const zone = domain.parse(given.zone.trim())
  if (!('value' in zone)) return { allowed: `zone must be ${zone.allowed}` }
  const name = relativeName(given.name.trim(), zone.value)
  const type = dnsTypes.find((known) => known === given.type.trim().toUpperCase())
  if (type === undefined) return { allowed: `type must be one of ${dnsTypes.join(', ')}` }
  if (!isName(name)) return { allowed: 'name must be a name within the zone, or @ for the zone itself' }
  if (name === markName) return { allowed: `the name ${markName} is for this action’s own marks` }
  const content = plainContent(type, given.content)
  const { must, fits } = contents[type]
  return fits(content)
    ? { value: { zone: zone.value, name, type, content, ttl } }
    : { allowed: `content must be ${must}` }
}

/** A name within a zone, however it was written: in full, with a dot at its end, in capitals. */
function relativeName(name: string, zone: string): string {
  const plain = name.toLowerCase().replace(/\.$/, '')
  if (plain === '' || plain === '@' || plain === zone) return '@'
  return plain.endsWith(`.${zone}`) ? plain.slice(0, -zone.length - 1) : plain
}

/** A record's content, in the one of its spellings by which contents are compared. */
function plainContent(type: string, content: string): string {
  const text = content.trim()
  if (type === 'TXT') return text.replace(/^"(.*)"$/s, '$1')
  if (type === 'CNAME' || type === 'MX') return text.toLowerCase().replace(/\.$/, '').replaceAll(/\s+/g, ' ')
  if (type === 'AAAA' && isIPv6(text)) return new URL(`http://[${text}]`).hostname.slice(1, -1)
  return type === 'CAA' ? text.replaceAll(/\s+/g, ' ').replaceAll('"', '') : text
}

function isName(name: string): boolean {
  const part = '[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?'
  return name === '@' || (name.length <= 253 && new RegExp(`^(\\*|${part})(\\.${part})*$`).test(name))
}

export interface ListedRecord {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly ttl: number | undefined
  /** Made by the platform itself, for a custom domain. */
  readonly managed: boolean
}

/** A record as the platform's list has it, or as a message names it. */
type Named = Pick<ListedRecord, 'name' | 'type' | 'content'>

/**
 * Compares one zone with what is wanted of it. A record is removed only when it is ours: the platform keeps no notes with
 * a record, so each that is made gets a mark beside it, a TXT record `_ink-deploy` with its id and the name of the
 * service that it was made for. What was made by hand, or by the platform, is never touched.
 */
export function dnsDifference(
  zone: string,
  wanted: readonly WantedRecord[],
  listed: readonly ListedRecord[],
  service: string,
) {
  const records = listed.map((record) => plain(zone, record))
  const marks = new Map(records.flatMap((record) => markedBy(record, service).map((id) => [id, record] as const)))
  const isOurs = ({ id, managed }: ListedRecord) => !managed && marks.has(id)
  const inPlace = (record: WantedRecord) => {
    const found = records.find((one) => isSameRecord({ ...one, zone }, record))
    return found && (!isOurs(found) || found.ttl === undefined || found.ttl === record.ttl) ? found : undefined
  }
  const kept = new Set(wanted.map(inPlace))
  const remove = records.filter((record) => isOurs(record) && !kept.has(record))
  const left = records.filter((record) => !remove.includes(record) && record.name !== markName)
  const missing = wanted.filter((record) => inPlace(record) === undefined)
  const conflicts = missing.flatMap((record) => conflictOf(record, left))
  const stays = (id: string) => records.some((record) => record.id === id && !remove.includes(record))
  return {
    zone,
    add: missing.filter((record) => conflictOf(record, left).length === 0),
    remove,
    /** To be removed: the marks of the records above, and those whose record is gone. */
    marks: new Map([...marks].filter(([id]) => !stays(id))),
    /** Sentences about what is wanted and cannot be, because what is there is not ours. */
    conflicts,
  }
}

export function markOf(zone: string, service: string, id: string): WantedRecord {
  return { zone, name: markName, type: 'TXT', content: `ink-deploy service=${service} record=${id}`, ttl: 300 }
}

/**
 * Whether one of two records has to go before the other can be made. Behind the list stands a name server with sets of
 * records: adding one replaces what is served of its name and type, and removing one removes all of that. So what is new
 * comes after what is old has gone, never before. (Seen on the platform's own server.)
 */
export function excludeEachOther(a: Pick<ListedRecord, 'name' | 'type'>, b: typeof a): boolean {
  return a.name === b.name && (a.type === b.type || a.type === 'CNAME' || b.type === 'CNAME')
}

/** The records that are served as one set with another: of its name and type, and not that one. */
export function servedWith(zone: string, record: ListedRecord, listed: readonly ListedRecord[]): ListedRecord[] {
  const own = plain(zone, record)
  return listed.filter((one) => one.id !== record.id && isSameSet(plain(zone, one), own))
}

/** The listed record that says the same as another one of its zone. */
export function findRecord(zone: string, listed: readonly ListedRecord[], { name, type, content }: Named) {
  const wanted = plain(zone, { name, type, content })
  return listed.map((one) => plain(zone, one)).find((one) => isSameRecord(one, wanted))
}

/** A record as text: `A www.example.com 192.0.2.1`. */
export function describeRecord(zone: string, { name, type, content }: Named): string {
  return `${type} ${name === '@' ? zone : `${name}.${zone}`} ${content}`
}

function plain<R extends Named>(zone: string, record: R): R {
  const { name, type, content } = record
  return { ...record, name: relativeName(name, zone), content: plainContent(type, content) }
}

function markedBy({ name, type, content }: ListedRecord, service: string): string[] {
  if (type !== 'TXT' || name !== markName) return []
  const [, owner, id] = /^ink-deploy service=(\S+) record=(\S+)$/.exec(content) ?? []
  return owner === service && id !== undefined ? [id] : []
}

/** Beside a CNAME there can be nothing else, and a name that the platform looks after is its own. */
function conflictOf(wanted: WantedRecord, left: readonly ListedRecord[]): string[] {
  const isAddress = ({ type }: { readonly type: string }) => ['A', 'AAAA', 'CNAME'].includes(type)
  const excludes = (one: ListedRecord) =>
    one.managed ? isAddress(one) && isAddress(wanted) : excludeEachOther(one, wanted)
  const other = left.find((one) => one.name === wanted.name && excludes(one))
  if (!other) return []
  const whose = other.managed ? 'which ml.ink made for a custom domain' : 'which was not made by this action'
  const [own, theirs] = [wanted, other].map((record) => describeRecord(wanted.zone, record))
  return [`\`${own}\` was not added: there is \`${theirs}\`, ${whose}`]
}
