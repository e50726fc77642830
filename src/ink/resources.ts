import * as z from 'zod'
import { anything, type Caller, type Catalogue, unlessMissing } from './catalogue.ts'
import { fitting, ifFits, listUnder, optionalText } from './results.ts'

/** Databases, templates, volumes, domains and DNS. */
export function resourceCalls(call: Caller, catalogue: Catalogue) {
  return { ...databaseCalls(call, catalogue), ...templateCalls(call, catalogue), ...domainCalls(call, catalogue) }
}

const databaseSchema = z
  .object({
    resourceId: optionalText,
    id: optionalText,
    name: z.string(),
    type: optionalText,
    status: optionalText,
    databaseUrl: optionalText,
    authToken: optionalText,
  })
  .transform(({ resourceId, id, databaseUrl: url, ...rest }) => ({ ...rest, id: resourceId ?? id, url }))

/** A database of ml.ink; `url` and `authToken` are set by the calls that reveal them. */
export type Database = z.output<typeof databaseSchema>

function databaseCalls(call: Caller, catalogue: Catalogue) {
  return {
    /** Undefined when there is none of that name, or the server has no databases. */
    database: async (name: string, signal: AbortSignal): Promise<Database | undefined> =>
      catalogue.find('getDatabase') &&
      unlessMissing('resource-not-found', call.repeatable('getDatabase', { name }, databaseSchema, signal)),
    createDatabase: (name: string, type: string, signal: AbortSignal): Promise<Database> =>
      call.once('createDatabase', { name, type }, databaseSchema, signal),
    /** `false`: there was no such database. */
    deleteDatabase: async (name: string, signal: AbortSignal): Promise<boolean> => {
      const deletion = call.repeatable('deleteDatabase', { name }, anything, signal)
      return (await unlessMissing('resource-not-found', deletion)) !== undefined
    },
  }
}

const templateInstanceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    status: optionalText,
    services: fitting(z.object({ serviceId: optionalText, name: z.string() })),
    outputs: fitting(
      z.object({
        key: z.string(),
        value: optionalText.transform((value) => value ?? ''),
        sensitive: ifFits(z.boolean()),
      }),
    ),
  })
  .transform(({ services = [], outputs = [], ...rest }) => ({
    ...rest,
    services: services.map(({ serviceId: id, name }) => ({ id, name })),
    outputs,
  }))

/** A deployed template. Lists mask its sensitive outputs. */
export type TemplateInstance = z.output<typeof templateInstanceSchema>

const instancesSchema = listUnder(['instances', 'templateInstances'], z.object({ id: z.string(), name: z.string() }))
const volumesSchema = listUnder(['volumes'], z.object({ name: z.string() }))

/**
 * Templates: databases that are services of their own, with volumes. No tool deletes an instance; its services and
 * volumes are deleted instead, as the platform's own end-to-end tests do.
 */
export function templateCalls(call: Caller, catalogue: Catalogue) {
  return {
    /** The instance of that name that has services, with all of its outputs. */
    templateInstance: async (name: string, signal: AbortSignal): Promise<TemplateInstance | undefined> => {
      if (!catalogue.find('listTemplateInstances')) return undefined
      const all = await call.repeatable('listTemplateInstances', {}, instancesSchema, signal)
      // Lists need not show services, and an instance may stay listed when its services are gone.
      for (const { id } of all.filter((one) => one.name === name)) {
        const reading = call.repeatable('getTemplateInstance', { instanceId: id }, templateInstanceSchema, signal)
        const instance = await unlessMissing('resource-not-found', reading)
        if (instance && instance.services.length > 0) return instance
      }
      return undefined
    },
    deployTemplate: async (template: string, name: string, signal: AbortSignal): Promise<void> => {
      await call.once('deployTemplate', { template, name }, anything, signal)
    },
    volumes: async (signal: AbortSignal): Promise<readonly { name: string }[]> =>
      catalogue.find('listVolumes') ? call.repeatable('listVolumes', {}, volumesSchema, signal) : [],
    /** Only one that no service uses can be deleted. `false`: there was no such volume. */
    deleteVolume: async (name: string, signal: AbortSignal): Promise<boolean> => {
      const deletion = call.repeatable('deleteVolume', { name }, anything, signal)
      return (await unlessMissing('resource-not-found', deletion)) !== undefined
    },
  }
}

const domainSchema = z.object({ domain: optionalText, status: optionalText, message: optionalText })
type DomainAnswer = z.output<typeof domainSchema>

const zone = z
  .object({
    zone: z.string(),
    status: optionalText,
    error: optionalText,
    dnsRecords: fitting(z.object({ host: z.string(), type: z.string(), value: z.string(), verified: z.boolean() })),
  })
  .transform(({ dnsRecords: records, ...rest }) => ({
    ...rest,
    /** What its owner has to set at the registrar for the delegation, as far as the server says. */
    toSet: records?.filter(({ verified }) => !verified),
  }))

/** A zone that was delegated to the platform, or is about to be. */
export type Zone = z.output<typeof zone>

export const zonesSchema = listUnder(['zones', 'delegations'], zone)

const dnsRecord = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: ifFits(z.number()),
  managed: ifFits(z.boolean()).transform((managed) => managed ?? false),
})

/** A DNS record of a delegated zone; a `managed` one is the platform's own. */
export type DnsRecord = z.output<typeof dnsRecord>

const dnsRecordSchema = z.union([z.object({ record: dnsRecord }).transform(({ record }) => record), dnsRecord])
const dnsRecordsSchema = listUnder(['records'], dnsRecord)

/** A record to be made. `name` is relative to the zone, `@` for the zone itself; `ttl` in seconds. */
interface NewDnsRecord {
  readonly zone: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly ttl: number
}

function domainCalls(call: Caller, catalogue: Catalogue) {
  return {
    addDomain: (name: string, domain: string, signal: AbortSignal): Promise<DomainAnswer> =>
      call.once('addDomain', { name, domain }, domainSchema, signal),
    removeDomain: (name: string, signal: AbortSignal): Promise<DomainAnswer> =>
      call.once('removeDomain', { name }, domainSchema, signal),
    /** The zones delegated to the platform. */
    zones: async (signal: AbortSignal): Promise<readonly Zone[]> =>
      catalogue.find('listZones') ? call.repeatable('listZones', {}, zonesSchema, signal) : [],
    dnsRecords: (zone: string, signal: AbortSignal): Promise<readonly DnsRecord[]> =>
      call.repeatable('listDnsRecords', { zone }, dnsRecordsSchema, signal),
    addDnsRecord: ({ zone, name, type, content, ttl }: NewDnsRecord, signal: AbortSignal): Promise<DnsRecord> =>
      call.once('addDnsRecord', { zone, name, type, content, ttl }, dnsRecordSchema, signal),
    deleteDnsRecord: async (zone: string, recordId: string, signal: AbortSignal): Promise<void> => {
      await call.once('deleteDnsRecord', { zone, recordId }, anything, signal)
    },
  }
}
