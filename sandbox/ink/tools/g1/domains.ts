import type { Account } from '../../accounts.ts'
import { conflict, contentProblem, type DnsRecord, nameInZone, RECORD_TYPES, type Zone } from '../../domains.ts'
import { integer, listOf, nullable, objectSchema, text } from '../../mcp/schema.ts'
import { optional, projectOf, type Tool, ToolFailure, timestamp } from '../../mcp/tool.ts'
import type { PlatformCore } from '../../platform-core.ts'
import type { Service } from '../../services.ts'
import { findService } from '../service-operations.ts'

const project = text('Project name', { default: 'default' })
const recordSchema = objectSchema({
  id: text('Record'),
  name: text('Name within the zone'),
  type: text('Type'),
  content: text('Content'),
  ttl: integer('Lifetime in seconds'),
  managed: { type: 'boolean', description: 'Whether the platform made it' },
  created_at: text('Creation'),
})

/** The domain and DNS tools of generation 1. */
export function g1DomainTools(core: PlatformCore): Tool[] {
  return [...customDomainTools(core), ...dnsTools(core)]
}

function customDomainTools(core: PlatformCore): Tool[] {
  return [
    {
      name: 'add_custom_domain',
      description: 'Attach a domain that lies under a delegated zone to a service',
      input: objectSchema({ name: text('Name of the service'), domain: text('Domain'), 'project?': project }),
      output: objectSchema({
        service_id: text('Service'),
        domain: text('Domain'),
        status: text('Status'),
        message: text('Note'),
      }),
      run(args, account) {
        const domain = args.text('domain').toLowerCase().replace(/\.$/, '')
        const service = findService(core, account, projectOf(args), args.text('name'))
        if (domain === '') throw new ToolFailure('domain is required')
        const { status } = attachDomain(core, account, service, domain)
        return {
          service_id: service.id,
          domain,
          status,
          message: 'Custom domain is being set up; the certificate may take a few minutes',
        }
      },
    },
    {
      name: 'remove_custom_domain',
      description: 'Detach the custom domain of a service',
      input: objectSchema({ name: text('Name of the service'), 'project?': project }),
      output: objectSchema({ service_id: text('Service'), message: text('Note') }),
      run(args, account) {
        const service = findService(core, account, projectOf(args), args.text('name'))
        const domain = service.customDomains.pop()
        if (domain === undefined) throw new ToolFailure(`no custom domain configured for service ${service.name}`)
        const zone = core.domains.zoneAbove(account.id, domain)
        const record = zone?.records.find(({ managed, name }) => managed && name === nameInZone(zone, domain))
        if (zone !== undefined && record !== undefined) core.domains.removeRecord(zone, record.id)
        return { service_id: service.id, message: 'Custom domain removed' }
      },
    },
    {
      name: 'list_delegations',
      description: 'List all delegated zones with their status',
      input: objectSchema({}),
      output: objectSchema({
        zones: listOf(
          objectSchema({
            zone_id: text('Zone'),
            zone: text('Name'),
            status: text('Status'),
            'error?': nullable(text('What is wrong')),
            created_at: text('Creation'),
          }),
        ),
      }),
      run: (_args, account) => ({
        zones: core.domains.zones(account.id).map((zone) => ({
          zone_id: zone.id,
          zone: zone.zone,
          status: zone.status,
          ...optional('error', zone.error),
          created_at: timestamp(zone.createdAtMs),
        })),
      }),
    },
  ]
}

function attachDomain(core: PlatformCore, account: Account, service: Service, domain: string): Zone {
  const zone = core.domains.zoneAbove(account.id, domain)
  if (zone?.status !== 'active') throw new ToolFailure(`no active hosted zone found for ${domain}`)
  const name = nameInZone(zone, domain)
  // Whoever made it, and whether or not its service is still there.
  if (zone.records.some((record) => record.managed && record.name === name)) {
    throw new ToolFailure(`subdomain ${name} already has a managed record`)
  }
  core.domains.addRecord(zone, { name, type: 'A', content: '127.0.0.1', ttl: 300, managed: true })
  service.customDomains.push(domain)
  return zone
}

/** The newest domain of a service, as results show it: its status is the zone's. */
export function customDomainOf(
  core: PlatformCore,
  { accountId, customDomains }: Service,
): { domain: string; status: string; error?: string } | undefined {
  const domain = customDomains.at(-1)
  if (domain === undefined) return undefined
  const { status = '', error } = core.domains.zoneAbove(accountId, domain) ?? {}
  return { domain, status, ...(error === undefined ? {} : { error }) }
}

function dnsTools(core: PlatformCore): Tool[] {
  return [
    {
      name: 'add_dns_record',
      description: 'Add a DNS record to a delegated zone',
      input: objectSchema({
        zone: text('Zone'),
        name: text('Name within the zone, @ for the zone itself'),
        type: text('Type', { enum: RECORD_TYPES }),
        content: text('Content'),
        'ttl?': integer('Lifetime in seconds, 300 when it is not given'),
      }),
      output: objectSchema({ record: recordSchema }),
      run(args, account) {
        const zone = findZone(core, account, args.text('zone'))
        if (zone.status !== 'active') {
          throw new ToolFailure(`hosted zone ${zone.zone} is not active (status: ${zone.status})`)
        }
        const wanted = {
          name: nameInZone(zone, args.text('name')),
          type: args.text('type'),
          content: args.text('content'),
          ttl: args.integer('ttl') || 300,
          managed: false,
        }
        const problem = contentProblem(wanted.type, wanted.content) ?? conflict(zone, wanted)
        if (problem !== undefined) throw new ToolFailure(problem)
        const record = core.domains.addRecord(zone, wanted)
        return { record: recordView(record) }
      },
    },
    {
      name: 'delete_dns_record',
      description: 'Delete a DNS record',
      input: objectSchema({ zone: text('Zone'), record_id: text('Record') }),
      output: objectSchema({ message: text('Note') }),
      run(args, account) {
        const zone = findZone(core, account, args.text('zone'))
        const id = args.text('record_id')
        const record = zone.records.find((candidate) => candidate.id === id)
        if (record === undefined) throw new ToolFailure(`dns record not found: ${id}`)
        if (record.managed) throw new ToolFailure('cannot delete a managed record; remove the custom domain instead')
        core.domains.removeRecord(zone, id)
        return { message: 'record deleted' }
      },
    },
    {
      name: 'list_dns_records',
      description: 'List the DNS records of a delegated zone',
      input: objectSchema({ zone: text('Zone') }),
      output: objectSchema({ records: listOf(recordSchema) }),
      run(args, account) {
        const { records } = findZone(core, account, args.text('zone'))
        return { records: records.toSorted(byNameAndType).map(recordView) }
      },
    },
  ]
}

function findZone(core: PlatformCore, account: Account, name: string): Zone {
  const zone = core.domains.find(account.id, name)
  if (zone === undefined) throw new ToolFailure(`hosted zone not found: ${name}`)
  return zone
}

function byNameAndType(a: DnsRecord, b: DnsRecord): number {
  const key = ({ name, type }: DnsRecord) => `${name} ${type}`
  return key(a) < key(b) ? -1 : 1
}

function recordView(record: DnsRecord): Record<string, unknown> {
  const { id, name, type, content, ttl, managed, createdAtMs } = record
  return { id, name, type, content, ttl, managed, created_at: timestamp(createdAtMs) }
}
