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
  readonly records: DnsRecord[]
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
  /** The zone that a domain lies under, whatever the zone's status. */
  zoneOf(accountId: string, domain: string): Zone | undefined
  addRecord(zone: Zone, record: Omit<DnsRecord, 'id' | 'createdAtMs'>): DnsRecord
  removeRecord(zone: Zone, id: string): void
  /** Takes away the records that the platform made for a custom domain. */
  releaseDomain(accountId: string, domain: string): void
}

/** A domain's name within the zone that it lies under; `@` for the zone itself. */
export function nameInZone(zone: Zone, domain: string): string {
  return domain === zone.zone ? '@' : domain.slice(0, -zone.zone.length - 1)
}

/** Says what is wrong with a record's content, if anything is. */
export function recordProblem(type: string, content: string): string | undefined {
  if (!RECORD_TYPES.some((known) => known === type)) {
    return `invalid record type: ${type}. Valid options: ${RECORD_TYPES.join(', ')}`
  }
  if (content.trim() === '') return 'content is required'
  if (type === 'A' && !isIPv4(content)) return `invalid content for A record: ${content} is no IPv4 address`
  if (type === 'AAAA' && !isIPv6(content)) return `invalid content for AAAA record: ${content} is no IPv6 address`
  if (type === 'CNAME' && !/^[a-z0-9_.-]+$/i.test(content))
    return `invalid content for CNAME record: ${content} is no host name`
  return undefined
}

/** @param nowMs - the clock */
export function createDomains(nowMs: () => number): Domains {
  const zones: Zone[] = []
  function zoneOf(accountId: string, domain: string): Zone | undefined {
    const matching = zones.filter((zone) => zone.accountId === accountId && `.${domain}`.endsWith(`.${zone.zone}`))
    return matching.sort((a, b) => b.zone.length - a.zone.length)[0]
  }
  function removeRecord(zone: Zone, id: string): void {
    const index = zone.records.findIndex((record) => record.id === id)
    if (index >= 0) zone.records.splice(index, 1)
  }
  return {
    zoneOf,
    removeRecord,
    releaseDomain(accountId, domain) {
      const zone = zoneOf(accountId, domain)
      if (zone === undefined) return
      const name = nameInZone(zone, domain)
      const made = zone.records.filter((record) => record.managed && record.name === name)
      for (const record of made) removeRecord(zone, record.id)
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
      }
      zones.push(added)
      return added
    },
    zones: (accountId) => zones.filter((zone) => zone.accountId === accountId),
    find: (accountId, name) => zones.find((zone) => zone.accountId === accountId && zone.zone === name.toLowerCase()),
    addRecord(zone, record) {
      const added = { ...record, id: shortId(), createdAtMs: nowMs() }
      zone.records.push(added)
      return added
    },
  }
}
