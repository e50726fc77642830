import { randomBytes } from 'node:crypto'
import { shortId } from './identifiers.ts'
import type { Service } from './services.ts'

/** What one template deploys: a single service with one port and one volume. */
export interface Template {
  readonly slug: string
  readonly port: number
  readonly mountPath: string
  readonly scheme: string
  /** Whether it has users and databases by name. */
  readonly named: boolean
}

export const TEMPLATES: readonly Template[] = [
  { slug: 'postgres', port: 5432, mountPath: '/var/lib/postgresql/data', scheme: 'postgresql', named: true },
  { slug: 'mysql', port: 3306, mountPath: '/var/lib/mysql', scheme: 'mysql', named: true },
  { slug: 'mongodb', port: 27017, mountPath: '/data/db', scheme: 'mongodb', named: true },
  { slug: 'redis', port: 6379, mountPath: '/data', scheme: 'redis', named: false },
]

export interface TemplateOutput {
  readonly key: string
  readonly label: string
  readonly description: string
  readonly kind: string
  readonly sensitive: boolean
  readonly value: string
}

/** One deployed template. It stays listed when its services are gone. */
export interface TemplateInstance {
  readonly id: string
  readonly accountId: string
  readonly projectRef: string
  readonly template: Template
  readonly name: string
  readonly service: Service
  readonly outputs: readonly TemplateOutput[]
  readonly createdAtMs: number
}

export interface Templates {
  add(instance: Omit<TemplateInstance, 'id' | 'createdAtMs'>): TemplateInstance
  /** Newest first. */
  ofProject(accountId: string, projectRef: string): TemplateInstance[]
  find(accountId: string, id: string): TemplateInstance | undefined
}

/** @param nowMs - the clock */
export function createTemplates(nowMs: () => number): Templates {
  const instances: TemplateInstance[] = []
  return {
    add(input) {
      const instance = { ...input, id: shortId(), createdAtMs: nowMs() }
      instances.push(instance)
      return instance
    },
    ofProject: (accountId, projectRef) =>
      instances.filter((one) => one.accountId === accountId && one.projectRef === projectRef).toReversed(),
    find: (accountId, id) => instances.find((one) => one.accountId === accountId && one.id === id),
  }
}

/** What a template tells of the database that it has made. */
export function outputsOf(template: Template, name: string): TemplateOutput[] {
  const password = randomBytes(18).toString('base64url')
  const user = template.named ? 'app' : 'default'
  const [host, port] = endpointOf(template, name).split(':')
  const database = template.named ? '/app' : ''
  const values: [string, string, boolean][] = [
    ['connection_string', `${template.scheme}://${user}:${password}@${host}:${port}${database}`, true],
    ['host', host ?? '', false],
    ['port', port ?? '', false],
    ['username', user, false],
    ['password', password, true],
    ...(template.named ? [['database_name', 'app', false] as [string, string, boolean]] : []),
  ]
  return values.map(([key, value, sensitive]) => ({
    key,
    label: key.replaceAll('_', ' '),
    description: '',
    kind: 'text',
    sensitive,
    value,
  }))
}

/** Where the service would be reached; no engine listens there. */
export function endpointOf(template: Template, name: string): string {
  return `${name}.tcp.ml.ink:${template.port}`
}
