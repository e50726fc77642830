import { z } from 'zod'
import { PlatformError } from './errors.ts'

/**
 * Rewrites keys to snake_case, so that one schema reads every generation: current servers may answer in camelCase.
 * Environment variables are left alone, whose names are data.
 */
export function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const snake = key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      return [snake, snake === 'env_vars' && !Array.isArray(inner) ? inner : snakeKeys(inner)]
    }),
  )
}

/** Reads a tool's result with a schema. @throws PlatformError `protocol` naming the tool and what is wrong with its answer */
export function readResult<T>(schema: z.ZodType<T>, result: unknown, tool: string): T {
  const parsed = schema.safeParse(snakeKeys(result))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const where = issue?.path.join('.') || 'the result'
  throw new PlatformError(
    'protocol',
    `ml.ink’s ${tool} answered something unexpected: ${where}: ${issue?.message ?? 'does not fit'}`,
    {
      hint: 'The platform may have changed. A newer version of this action may know the new form.',
    },
  )
}

const text = z
  .string()
  .nullish()
  .transform((value) => value || undefined)

// Logs come as one text or as a list, of lines or of records; which one differs between generations.
const logLine = z.union([
  z.string(),
  z.object({ message: z.string() }).transform((entry) => entry.message),
  z.object({ line: z.string() }).transform((entry) => entry.line),
  z.object({ text: z.string() }).transform((entry) => entry.text),
])
const log = z
  .union([z.array(logLine), z.string().transform((whole) => (whole ? whole.replace(/\n$/, '').split('\n') : []))])
  .nullish()
  .transform((lines) => lines ?? [])

const variables = z
  .union([
    z
      .array(z.object({ key: z.string(), value: z.string() }))
      .transform((list) => Object.fromEntries(list.map(({ key, value }) => [key, value]))),
    z.record(z.string(), z.string()),
  ])
  .nullish()
  .transform((value) => value ?? undefined)

// One generation groups these by the life they belong to, instead of prefixing their names.
const life = z.object({ status: text, error_message: text, logs: log }).nullish()

const port = z.object({ public_endpoint: text, visibility: text })
// Either an object of its own, or a name with its status beside it.
const customDomain = z.union([z.object({ domain: z.string(), status: z.string(), error: text }), z.string()])

/** A service as any generation reports it, in our words. */
export const serviceSchema = z
  .object({
    service_id: text,
    id: text,
    name: z.string(),
    project: text,
    repo: text,
    branch: text,
    status: text,
    build_status: text,
    deployment: life,
    runtime: life,
    error_message: text,
    url: text,
    fqdn: text,
    ports: z.array(port).nullish(),
    commit_hash: text,
    created_at: text,
    updated_at: text,
    memory: text,
    vcpus: z
      .union([z.string(), z.number()])
      .nullish()
      .transform((value) => (value === null || value === undefined ? undefined : String(value))),
    deploy_logs: log,
    deployment_logs: log,
    runtime_logs: log,
    env_vars: variables,
    custom_domain: customDomain.nullish(),
    custom_domain_status: text,
  })
  .transform((raw, context) => {
    const status = raw.status ?? raw.deployment?.status ?? raw.build_status
    if (status === undefined) {
      context.addIssue({ code: 'custom', path: ['status'], message: 'is missing' })
      return z.NEVER
    }
    return {
      id: raw.service_id ?? raw.id,
      name: raw.name,
      project: raw.project,
      repo: raw.repo,
      branch: raw.branch,
      status,
      errorMessage: raw.error_message ?? raw.deployment?.error_message,
      url: withScheme(raw.url ?? raw.ports?.find((one) => one.public_endpoint)?.public_endpoint ?? raw.fqdn),
      commitHash: raw.commit_hash,
      createdAt: raw.created_at,
      updatedAt: raw.updated_at,
      memory: raw.memory,
      vcpus: raw.vcpus,
      deployLogs:
        [raw.deploy_logs, raw.deployment_logs, raw.deployment?.logs ?? []].find((lines) => lines.length > 0) ?? [],
      runtimeLogs: raw.runtime_logs.length > 0 ? raw.runtime_logs : (raw.runtime?.logs ?? []),
      env: raw.env_vars,
      customDomain: domainOf(raw.custom_domain, raw.custom_domain_status),
    }
  })

/** One service of ml.ink. `status` is that of its **latest** deployment, whoever started it. */
export type Service = z.output<typeof serviceSchema>

/** A service as lists show it. */
export const listedServiceSchema = z
  .object({
    service_id: text,
    id: text,
    name: z.string(),
    repo: text,
    status: text,
    deployment: life,
    url: text,
    project: text,
  })
  .transform((raw) => ({
    id: raw.service_id ?? raw.id,
    name: raw.name,
    repo: raw.repo,
    status: raw.status ?? raw.deployment?.status,
    url: withScheme(raw.url),
    project: raw.project,
  }))

export type ListedService = z.output<typeof listedServiceSchema>

/** What creating or updating a service answers. */
export const acceptedSchema = z
  .object({ service_id: text, id: text, name: text, status: text, message: text })
  .transform((raw) => ({ serviceId: raw.service_id ?? raw.id, message: raw.message }))

export type Accepted = z.output<typeof acceptedSchema>

export const gitAccessSchema = z
  .object({ git_remote: z.string(), repo: text, name: text, expires_at: text })
  .transform((raw) => ({ remote: raw.git_remote, expiresAt: raw.expires_at }))

export const databaseSchema = z
  .object({
    resource_id: text,
    id: text,
    name: z.string(),
    type: text,
    status: text,
    database_url: text,
    auth_token: text,
  })
  .transform((raw) => ({
    id: raw.resource_id ?? raw.id,
    name: raw.name,
    type: raw.type,
    status: raw.status,
    url: raw.database_url,
    authToken: raw.auth_token,
  }))

/** A database of ml.ink; `url` and `authToken` are set by the calls that reveal them. */
export type Database = z.output<typeof databaseSchema>

const output = z.object({
  key: z.string(),
  value: z
    .string()
    .nullish()
    .transform((value) => value ?? ''),
  sensitive: z.boolean().nullish(),
})

export const templateInstanceSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    status: text,
    services: z.array(z.object({ service_id: text, name: z.string(), status: text })).nullish(),
    outputs: z.array(output).nullish(),
  })
  .transform(({ services, outputs, ...rest }) => ({
    ...rest,
    services: (services ?? []).map(({ service_id: id, name }) => ({ id, name })),
    outputs: outputs ?? [],
  }))

/** A deployed template. Lists mask its sensitive outputs. */
export type TemplateInstance = z.output<typeof templateInstanceSchema>

const instances = z.array(templateInstanceSchema).nullish()

export const templateInstancesSchema = z
  .object({ instances, template_instances: instances })
  .transform((raw) => raw.instances ?? raw.template_instances ?? [])

export const volumesSchema = z
  .object({ volumes: z.array(z.object({ name: z.string() })).nullish() })
  .transform((raw) => raw.volumes ?? [])

export const domainSchema = z.object({ domain: text, status: text, message: text })
export type DomainAnswer = z.output<typeof domainSchema>

const zone = z
  .object({
    zone: z.string(),
    status: text,
    error: text,
    dns_records: z
      .array(z.object({ host: z.string(), type: z.string(), value: z.string(), verified: z.boolean() }))
      .nullish(),
  })
  .transform(({ dns_records: records, ...rest }) => ({
    ...rest,
    /** What its owner has to set at the registrar for the delegation, as far as the server says. */
    toSet: records?.filter(({ verified }) => !verified),
  }))

/** A zone that was delegated to the platform, or is about to be. */
export type Zone = z.output<typeof zone>

const zones = z.array(zone).nullish()

export const zonesSchema = z
  .object({ zones, delegations: zones })
  .transform((raw) => raw.zones ?? raw.delegations ?? [])

const dnsRecord = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z
    .number()
    .nullish()
    .transform((ttl) => ttl ?? undefined),
  managed: z
    .boolean()
    .nullish()
    .transform((managed) => managed ?? false),
})

/** A DNS record of a delegated zone; a `managed` one is the platform's own. */
export type DnsRecord = z.output<typeof dnsRecord>

export const dnsRecordSchema = z.union([z.object({ record: dnsRecord }).transform(({ record }) => record), dnsRecord])

export const dnsRecordsSchema = z
  .object({ records: z.array(dnsRecord).nullish() })
  .transform((raw) => raw.records ?? [])

export const accountSchema = z
  .object({ user_id: text, github_username: text, name: text, email: text })
  .transform((raw) => ({ name: raw.github_username ?? raw.name ?? raw.email ?? raw.user_id }))

const project = z
  .object({ name: z.string(), ref: text, slug: text })
  .transform(({ name, ref, slug }) => ({ name, ref: ref ?? slug }))

export const projectsSchema = z.object({ projects: z.array(project).nullish() }).transform((raw) => raw.projects ?? [])

const workspace = z.object({ slug: text, name: text }).transform(({ slug, name }) => ({ slug: slug ?? name ?? '' }))

export const workspacesSchema = z
  .object({ workspaces: z.array(workspace).nullish() })
  .transform((raw) => (raw.workspaces ?? []).filter(({ slug }) => slug !== ''))

function domainOf(
  domain: z.output<typeof customDomain> | null | undefined,
  status: string | undefined,
): { domain: string; status: string; error: string | undefined } | undefined {
  if (!domain) return undefined
  return typeof domain === 'string' ? { domain, status: status ?? 'unknown', error: undefined } : domain
}

function withScheme(address: string | undefined): string | undefined {
  return address === undefined || address.includes('://') ? address : `https://${address}`
}
