import { isIPv4, isIPv6 } from 'node:net'
import { shortId } from './identifiers.ts'

/** A zone that an account has delegated to the platform. */
export interface Zone {
  readonly id: string
  readonly accountId: string
  readonly zone: string
  readonly status: string
  readonly error?: string
  readonly createdAtMs: number
  /** The table: what was asked for, row by row. */
  readonly records: DnsRecord[]
  /** What the name server answers, by name and type. It knows sets only, so it may differ from the table. */
  readonly served: Map<string, readonly string[]>
}

export interface DnsRecord {
  readonly id: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly ttl: number
  /** Made by the platform for a custom domain; such a record cannot be deleted by hand. */
  readonly managed: boolean
  readonly createdAtMs: number
}

export const RECORD_TYPES = ['A', 'AAAA', 'CNAME', 'MX', 'TXT', 'CAA'] as const

export interface Domains {
  /** Delegating happens on the platform's web site; here it is done by hand. */
  addZone(accountId: string, zone: string, status?: string, error?: string): Zone
  zones(accountId: string): Zone[]
  find(accountId: string, zone: string): Zone | undefined
  /** The zone right above a domain: no more than one label may stand before it. */
  zoneAbove(accountId: string, domain: string): Zone | undefined
  /** Adds a row to the table, and puts it in place of all that the name server has for its name and type. */
  addRecord(zone: Zone, record: Omit<DnsRecord, 'id' | 'createdAtMs'>): DnsRecord
  /** Removes a row from the table, and all that the name server has for its name and type. */
  removeRecord(zone: Zone, id: string): void
}

/** A name as the platform keeps it: within its zone, `@` for the zone itself. */
export function nameInZone(zone: Zone, given: string): string {
  const name = given.toLowerCase().replace(/\.$/, '')
  if (name === '' || name === zone.zone) return '@'
  return name.endsWith(`.${zone.zone}`) ? name.slice(0, -zone.zone.length - 1) : name
}

/** Says what is wrong with a record's content, if anything is. */
export function contentProblem(type: string, content: string): string | undefined {
  if (content.trim() === '') return 'content is required'
  const expected = { A: 'IPv4 address', AAAA: 'IPv6 address', CNAME: 'hostname' }[type]
  const valid = { A: isIPv4, AAAA: isIPv6, CNAME: (name: string) => /^[a-z0-9_.-]+$/i.test(name) }[type]
  return valid?.(content) === false
    ? `invalid ${type} record: ${JSON.stringify(content)} is not a valid ${expected}`
    : undefined
}

/** Says why a record cannot stand beside those of its name, if it cannot. */
export function conflict(
  zone: Zone,
  { name, type, content }: Pick<DnsRecord, 'name' | 'type' | 'content'>,
): string | undefined {
  const others = zone.records.filter((record) => record.name === name)
  if (others.some(({ managed }) => managed))
    return `cannot add ${type} at ${name}: subdomain already has a managed record`
  if (others.some((record) => record.type === type && record.content === content)) {
    return 'failed to create dns record: ERROR: duplicate key value violates unique constraint "dns_records_zone_id_name_rrtype_content_key" (SQLSTATE 23505)'
  }
  if (type === 'CNAME' && others.length > 0)
    return `cannot add CNAME at ${name}: other records already exist at this name`
  if (others.some((record) => record.type === 'CNAME'))
    return `cannot add ${type} at ${name}: a CNAME record already exists at this name`
  return undefined
}

const setOf = ({ name, type }: Pick<DnsRecord, 'name' | 'type'>) => `${name} ${type}`

/** @param nowMs - the clock */
export function createDomains(nowMs: () => number): Domains {
  const zones: Zone[] = []
  const find = (accountId: string, name: string) =>
    zones.find((zone) => zone.accountId === accountId && zone.zone === name.toLowerCase())
  return {
    find,
    zoneAbove: (accountId, domain) => find(accountId, domain.slice(domain.indexOf('.') + 1)),
    removeRecord(zone, id) {
      const index = zone.records.findIndex((record) => record.id === id)
      const [removed] = index < 0 ? [] : zone.records.splice(index, 1)
      if (removed !== undefined) zone.served.delete(setOf(removed))
    },
    addZone(accountId, zone, status = 'active', error) {
      const added: Zone = {
        id: shortId(),
        accountId,
        zone: zone.toLowerCase(),
        status,
        ...(error === undefined ? {} : { error }),
        createdAtMs: nowMs(),
        records: [],
        served: new Map(),
      }
      zones.push(added)
      return added
    },
    zones: (accountId) => zones.filter((zone) => zone.accountId === accountId),
    addRecord(zone, record) {
      const added = { ...record, id: shortId(), createdAtMs: nowMs() }
      zone.records.push(added)
      zone.served.set(setOf(added), [added.content])
      return added
    },
  }
}
