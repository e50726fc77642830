import type { Account } from '../accounts.ts'
import { type DnsRecord, nameInZone, RECORD_TYPES, recordProblem, type Zone } from '../domains.ts'
import type { PlatformCore } from '../platform-core.ts'
import type { Service } from '../services.ts'
import { optional, timestamp } from './results.ts'
import { findService } from './service-operations.ts'
import { integer, listOf, objectSchema, projectOf, type Tool, ToolFailure, text } from './tool.ts'

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
        const domain = args.text('domain').toLowerCase()
        if (args.text('name') === '') throw new ToolFailure('name is required')
        if (domain === '') throw new ToolFailure('domain is required')
        const service = findService(core, account, projectOf(args), args.text('name'))
        attachDomain(core, account, service, domain)
        return {
          service_id: service.id,
          domain,
          status: 'provisioning',
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
        const domain = service.customDomain?.domain
        if (domain === undefined) throw new ToolFailure(`no custom domain attached to service ${service.name}`)
        delete service.customDomain
        core.domains.releaseDomain(account.id, domain)
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
            'error?': text('What is wrong'),
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

function attachDomain(core: PlatformCore, account: Account, service: Service, domain: string): void {
  const zone = core.domains.zoneOf(account.id, domain)
  if (zone === undefined)
    throw new ToolFailure(`no delegated zone found for domain ${domain}. Delegate one at https://ml.ink/dns`)
  if (zone.status !== 'active') throw new ToolFailure(`zone ${zone.zone} is not active (status=${zone.status})`)
  if (service.customDomain !== undefined) {
    throw new ToolFailure(`service already has a custom domain: ${service.customDomain.domain}`)
  }
  const holder = core.services.all().find((candidate) => candidate.customDomain?.domain === domain)
  if (holder !== undefined) throw new ToolFailure(`domain ${domain} is already in use`)
  core.domains.addRecord(zone, {
    name: nameInZone(zone, domain),
    type: 'A',
    content: '127.0.0.1',
    ttl: 300,
    managed: true,
  })
  const attached = { domain, status: 'provisioning' }
  service.customDomain = attached
  core.later(core.timing.edgeDelayMs, () => {
    attached.status = 'active'
  })
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
        'ttl?': integer('Lifetime in seconds', { default: 300 }),
      }),
      output: objectSchema({ record: recordSchema }),
      run(args, account) {
        const zone = findZone(core, account, args.text('zone'))
        if (args.text('name') === '') throw new ToolFailure('name is required')
        const problem = recordProblem(args.text('type'), args.text('content'))
        if (problem !== undefined) throw new ToolFailure(problem)
        const record = core.domains.addRecord(zone, {
          name: args.text('name'),
          type: args.text('type'),
          content: args.text('content'),
          ttl: args.integer('ttl') ?? 300,
          managed: false,
        })
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
        if (id === '') throw new ToolFailure('record_id is required')
        const record = zone.records.find((candidate) => candidate.id === id)
        if (record === undefined) throw new ToolFailure(`record not found: ${id}`)
        if (record.managed) throw new ToolFailure('cannot delete a managed record; remove the custom domain instead')
        core.domains.removeRecord(zone, id)
        return { message: 'DNS record deleted' }
      },
    },
    {
      name: 'list_dns_records',
      description: 'List the DNS records of a delegated zone',
      input: objectSchema({ zone: text('Zone') }),
      output: objectSchema({ records: listOf(recordSchema) }),
      run: (args, account) => ({ records: findZone(core, account, args.text('zone')).records.map(recordView) }),
    },
  ]
}

function findZone(core: PlatformCore, account: Account, name: string): Zone {
  if (name === '') throw new ToolFailure('zone is required')
  const zone = core.domains.find(account.id, name)
  if (zone === undefined) throw new ToolFailure(`zone not found: ${name}`)
  return zone
}

function recordView(record: DnsRecord): Record<string, unknown> {
  const { id, name, type, content, ttl, managed, createdAtMs } = record
  return { id, name, type, content, ttl, managed, created_at: timestamp(createdAtMs) }
}
