import { isSameRecord, markName, plainContent, relativeName, type WantedRecord } from './dns-records.ts'

/** A record as the platform lists it. */
export interface ListedRecord {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly ttl: number | undefined
  /** Made by the platform itself, for a custom domain. */
  readonly managed: boolean
}

/** What brings one zone in step. */
export interface DnsDifference {
  readonly zone: string
  readonly add: readonly WantedRecord[]
  /** Records that this action has made and that are not wanted any more. */
  readonly remove: readonly ListedRecord[]
  /** Marks to be removed: those of the records above, and those whose record is gone. */
  readonly marks: ReadonlyMap<string, ListedRecord>
  /** What is wanted and cannot be, because what is there is not ours; in sentences. */
  readonly conflicts: readonly string[]
}

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
): DnsDifference {
  const records = listed.map((record) => plain(zone, record))
  const marks = new Map(records.flatMap((record) => markedBy(record, service).map((id) => [id, record] as const)))
  const isOurs = ({ id, managed }: ListedRecord) => !managed && marks.has(id)
  const standing = (record: WantedRecord) => {
    const found = records.find((one) => isSameRecord({ ...one, zone, type: one.type as WantedRecord['type'] }, record))
    return found && (!isOurs(found) || found.ttl === undefined || found.ttl === record.ttl) ? found : undefined
  }
  const kept = new Set(wanted.map(standing))
  const remove = records.filter((record) => isOurs(record) && !kept.has(record))
  const left = records.filter((record) => !remove.includes(record) && record.name !== markName)
  const missing = wanted.filter((record) => standing(record) === undefined)
  const conflicts = missing.flatMap((record) => conflictOf(record, left))
  const gone = [...marks].filter(([id]) => !records.some((record) => record.id === id))
  return {
    zone,
    add: missing.filter((record) => conflictOf(record, left).length === 0),
    remove,
    marks: new Map([...remove.flatMap(({ id }) => pairOf(marks, id)), ...gone]),
    conflicts,
  }
}

/** The mark of a record that was made for a service. */
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
  const { name, type } = plain(zone, record)
  return listed.filter((one) => one.id !== record.id && one.type === type && plain(zone, one).name === name)
}

/** The listed record that says the same as another one. */
export function findRecord(
  zone: string,
  listed: readonly ListedRecord[],
  record: Pick<ListedRecord, 'name' | 'type' | 'content'>,
): ListedRecord | undefined {
  const { name, type, content } = plain(zone, { id: '', ttl: undefined, managed: false, ...record })
  return listed
    .map((one) => plain(zone, one))
    .find((one) => one.name === name && one.type === type && one.content === content)
}

/** A record in words: `A www.example.com 192.0.2.1`. */
export function recordInWords(
  zone: string,
  { name, type, content }: Pick<ListedRecord, 'name' | 'type' | 'content'>,
): string {
  return `${type} ${name === '@' ? zone : `${name}.${zone}`} ${content}`
}

function plain(zone: string, record: ListedRecord): ListedRecord {
  const { name, type, content } = record
  return { ...record, name: relativeName(name, zone), content: plainContent(type, content) }
}

function markedBy({ name, type, content }: ListedRecord, service: string): string[] {
  if (type !== 'TXT' || name !== markName) return []
  const [, owner, id] = /^ink-deploy service=(\S+) record=(\S+)$/.exec(content) ?? []
  return owner === service && id !== undefined ? [id] : []
}

function pairOf(marks: ReadonlyMap<string, ListedRecord>, id: string): [string, ListedRecord][] {
  const mark = marks.get(id)
  return mark ? [[id, mark]] : []
}

/** A record of the same set would no longer be served, beside a CNAME there can be nothing, and what the platform manages is its own. */
function conflictOf(wanted: WantedRecord, left: readonly ListedRecord[]): string[] {
  const other = left.find(
    (record) =>
      record.name === wanted.name && (record.managed ? isAddress(record, wanted) : excludeEachOther(record, wanted)),
  )
  if (!other) return []
  const whose = other.managed ? 'which ml.ink made for a custom domain' : 'which was not made by this action'
  return [
    `\`${recordInWords(wanted.zone, wanted)}\` was not added: there is \`${recordInWords(wanted.zone, other)}\`, ${whose}`,
  ]
}

function isAddress(...records: readonly { readonly type: string }[]): boolean {
  return records.every(({ type }) => ['A', 'AAAA', 'CNAME'].includes(type))
}
