import * as z from 'zod'
import { innermostReason } from '../core/errors.ts'
import { webAddress } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { PlatformError } from './errors.ts'
import { fitting, ifFits, listUnder, optionalText } from './fields.ts'

/**
 * Rewrites keys to camelCase, so that one schema reads every generation: some servers answer in snake_case.
 * Environment variables are left alone, whose names are data.
 */
function camelKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(camelKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => {
      const camel = key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
      return [camel, camel === 'envVars' && !Array.isArray(inner) ? inner : camelKeys(inner)]
    }),
  )
}

/** Reads a tool's result with a schema. @throws PlatformError `protocol` naming the tool and what is wrong with its answer */
export function readResult<T>(schema: z.ZodType<T>, result: unknown, tool: string): T {
  const parsed = schema.safeParse(camelKeys(result))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const what = `${sanitizePhrase(issue?.path.join('.') || 'the result')}: ${issue?.message ?? 'does not fit'}`
  throw new PlatformError('protocol', `ml.ink’s ${tool} answered something unexpected: ${what}`, {
    hint: 'The platform may have changed. A newer version of this action may know the new form.',
  })
}

const text = z.union([z.string(), z.number().transform(String)])
const textOrNumber = ifFits(text).transform((value) => value || undefined)

// Logs come as one text or as a list, of lines or of records; which one differs between generations.
const logLine = z.union([
  z.string(),
  ...['message', 'line', 'text'].map((name) =>
    z.object({ [name]: z.string() }).transform((entry) => entry[name] ?? ''),
  ),
])
const log = z
  .union([
    z.string().transform((whole) => (whole ? whole.replace(/\n$/, '').split('\n') : [])),
    fitting(logLine).transform((lines) => lines ?? []),
  ])
  .catch([])

// An empty value comes back without `value` (G1).
const value = z
  .union([text, z.boolean().transform(String)])
  .nullish()
  .transform((given) => given ?? '')
// All of them or none: an update sends back what was read, and would lose those that were left out.
const variables = ifFits(
  z.union([
    z
      .array(z.object({ key: z.string(), value }))
      .transform((list) => Object.fromEntries(list.map(({ key, value: given }) => [key, given]))),
    z.record(z.string(), value),
  ]),
)

// One generation groups these by the life they belong to, instead of prefixing their names.
const life = ifFits(z.object({ status: optionalText, errorMessage: optionalText, logs: log }))

const port = z.object({ publicEndpoint: optionalText })
const domainName = z.string().regex(/^[\w*.-]{1,253}$/)
// Either an object of its own, or a name with its status beside it.
const customDomain = ifFits(
  z.union([
    z.object({ domain: domainName, status: optionalText, error: optionalText }),
    domainName.transform((domain) => ({ domain, status: undefined, error: undefined })),
  ]),
)

const listed = {
  serviceId: optionalText,
  id: optionalText,
  name: z.string(),
  project: optionalText,
  repo: optionalText,
  status: optionalText,
  deployment: life,
  url: optionalText,
}

/** A service as any generation reports it. */
export const serviceSchema = z
  .object({
    ...listed,
    branch: optionalText,
    buildStatus: optionalText,
    runtime: life,
    errorMessage: optionalText,
    fqdn: optionalText,
    ports: fitting(port),
    commitHash: optionalText,
    createdAt: optionalText,
    updatedAt: optionalText,
    memory: optionalText,
    vcpus: textOrNumber,
    deployLogs: log,
    deploymentLogs: log,
    runtimeLogs: log,
    envVars: variables,
    customDomain,
    customDomainStatus: optionalText,
  })
  .transform((raw, context) => {
    const { name, project, repo, branch, commitHash, createdAt, updatedAt, memory, vcpus, customDomain: domain } = raw
    const status = raw.status ?? raw.deployment?.status ?? raw.buildStatus
    if (status === undefined) {
      context.addIssue({ code: 'custom', path: ['status'], message: 'is missing' })
      return z.NEVER
    }
    const error = raw.errorMessage ?? raw.deployment?.errorMessage
    const addresses = [raw.url, ...(raw.ports ?? []).map((one) => one.publicEndpoint), raw.fqdn]
    return {
      ...{ name, project, repo, branch, commitHash, createdAt, updatedAt, memory, vcpus },
      id: raw.serviceId ?? raw.id,
      status,
      /** The reason alone; see {@link innermostReason}. */
      errorMessage: error && innermostReason(error),
      url: addresses.map(webAddress).find((address) => address !== undefined),
      deployLogs:
        [raw.deployLogs, raw.deploymentLogs, raw.deployment?.logs ?? []].find((lines) => lines.length > 0) ?? [],
      runtimeLogs: raw.runtimeLogs.length > 0 ? raw.runtimeLogs : (raw.runtime?.logs ?? []),
      env: raw.envVars,
      customDomain: domain && { ...domain, status: domain.status ?? raw.customDomainStatus ?? 'unknown' },
    }
  })

/** One service of ml.ink. `status` is that of its **latest** deployment, whoever started it. */
export type Service = z.output<typeof serviceSchema>

/** Services as lists show them. */
export const servicesSchema = listUnder(
  ['services'],
  z.object(listed).transform(({ serviceId, id, status, deployment, url, ...rest }) => ({
    ...rest,
    id: serviceId ?? id,
    status: status ?? deployment?.status,
    url: webAddress(url),
  })),
)

/** What creating or updating a service answers. */
export const acceptedSchema = z
  .object({ serviceId: optionalText, id: optionalText, message: optionalText })
  .transform(({ serviceId, id, message }) => ({ serviceId: serviceId ?? id, message }))

/** The remote carries a password: it must reach no log, argument or file. */
export const gitAccessSchema = z
  .object({ gitRemote: z.string().refine(isRemote, 'is not the http address of a repository') })
  .transform(({ gitRemote: remote }) => ({ remote }))

function isRemote(address: string): boolean {
  return /^https?:\/\/[^\s\x00-\x1f]+$/i.test(address) && URL.canParse(address)
}

/** The repository's `owner/slug`, which the platform reports with a service, from a remote's address. */
export function repositorySlug(remote: string): string {
  return new URL(remote).pathname.replace(/^\//, '').replace(/\.git$/, '')
}

export const databaseSchema = z
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

export const templateInstanceSchema = z
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

export const instancesSchema = listUnder(
  ['instances', 'templateInstances'],
  z.object({ id: z.string(), name: z.string() }),
)
export const volumesSchema = listUnder(['volumes'], z.object({ name: z.string() }))

export const domainSchema = z.object({ domain: optionalText, status: optionalText, message: optionalText })

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

export const dnsRecordSchema = z.union([z.object({ record: dnsRecord }).transform(({ record }) => record), dnsRecord])
export const dnsRecordsSchema = listUnder(['records'], dnsRecord)
