import * as z from 'zod'
import { innermostReason } from '../core/errors.ts'
import { webAddress } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import { PlatformError } from './errors.ts'

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
  const where = sanitizePhrase(issue?.path.join('.') || 'the result')
  throw new PlatformError(
    'protocol',
    `ml.ink’s ${tool} answered something unexpected: ${where}: ${issue?.message ?? 'does not fit'}`,
    {
      hint: 'The platform may have changed. A newer version of this action may know the new form.',
    },
  )
}

/**
 * A field that is not needed must not fail a step, whatever a server puts there: what does not fit counts as not given.
 * Only what a result is nothing without (its name, its status, its list) is insisted on.
 */
export function ifFits<T>(schema: z.ZodType<T>) {
  return schema
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined)
}

/** A text that may be missing; an empty one counts as missing. */
export const optionalText = ifFits(z.string()).transform((value) => value || undefined)
const textOrNumber = ifFits(z.union([z.string(), z.number().transform(String)])).transform(
  (value) => value || undefined,
)

/** Those items of a list that fit; `null` is an empty list, as Go writes it. Anything but a list is `undefined`. */
export function fitting<T>(item: z.ZodType<T>) {
  return z
    .union([z.array(z.unknown()), z.null().transform(() => [])])
    .optional()
    .catch(undefined)
    .transform((list) => list?.flatMap((one): T[] => fittingOne(item, one)))
}

function fittingOne<T>(item: z.ZodType<T>, value: unknown): T[] {
  const parsed = item.safeParse(value)
  return parsed.success ? [parsed.data] : []
}

/**
 * An answer that is a list, under the first of these names that it has. One without any is refused: to take it for an
 * empty list would be to think that nothing is there.
 */
export function listUnder<T>(names: readonly [string, ...string[]], item: z.ZodType<T>) {
  return z.record(z.string(), z.unknown()).transform((raw, context): readonly T[] => {
    const list = names.map((name) => fitting(item).parse(raw[name])).find((found) => found !== undefined)
    if (list !== undefined) return list
    context.addIssue({ code: 'custom', path: [names[0]], message: 'is missing' })
    return z.NEVER
  })
}

// Logs come as one text or as a list, of lines or of records; which one differs between generations.
const logLine = z.union([
  z.string(),
  z.object({ message: z.string() }).transform((entry) => entry.message),
  z.object({ line: z.string() }).transform((entry) => entry.line),
  z.object({ text: z.string() }).transform((entry) => entry.text),
])
const log = z
  .union([
    z.string().transform((whole) => (whole ? whole.replace(/\n$/, '').split('\n') : [])),
    fitting(logLine).transform((lines) => lines ?? []),
  ])
  .catch([])

// An empty value comes back without `value` (G1).
const value = z
  .union([z.string(), z.number().transform(String), z.boolean().transform(String)])
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

const port = z.object({ publicEndpoint: optionalText, visibility: optionalText })
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
      /** The error as it came, with all that is wrapped around the reason. */
      errorInFull: error,
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
