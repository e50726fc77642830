import * as z from 'zod'
import { callsAtOnce, inTurns } from '../core/async.ts'
import {
  accountSchema,
  creditsSchema,
  limitsSchema,
  metricsSchema,
  projectsSchema,
  type ServiceSize,
  workspacesSchema,
} from './account.ts'
import {
  type Caller,
  type Catalogue,
  defaultValue,
  openCaller,
  openCatalogue,
  type Purpose,
  refusedArguments,
  type ServiceSettings,
  unlessMissing,
  type WantedArguments,
} from './catalogue.ts'
import { isNameTaken, type ToolFailure } from './errors.ts'
import * as results from './results.ts'
import type { Session } from './session.ts'

/** ml.ink, in the words of this project. Names are service names within the project and workspace that it was opened for. */
export type Platform = ReturnType<typeof openPlatform> & AsyncDisposable

/** @param warning told, once each, what of a wish this server does not know */
export function openPlatform(
  session: Session,
  scope: { readonly project: string; readonly workspace: string | undefined },
  warning: (text: string) => void,
) {
  session.admit()
  const catalogue = openCatalogue(session.tools)
  const call = openCaller(session, catalogue, scope, warning)
  const creation = catalogue.find('createService')
  const createArguments = creation?.inputSchema.properties ?? {}
  return {
    server: session.server,
    offers: (purpose: Purpose): boolean => catalogue.find(purpose) !== undefined,
    /** Which of these this server would refuse. Asks nobody, so it can be known before anything is touched. */
    checkArguments: (purpose: Purpose, wanted: WantedArguments) => refusedArguments(catalogue.find(purpose), wanted),
    /** What a service has that was given no size; G1's own where the server declares none. */
    defaultSize: {
      memory: defaultValue(creation, 'memory') ?? '256Mi',
      vcpus: defaultValue(creation, 'vcpus') ?? '0.5',
    } satisfies ServiceSize,
    /** Whether a service can be told to end itself. */
    canExpire: 'destroy_timeout_seconds' in createArguments,
    /** Whether calls can be told which workspace they are for. */
    knowsWorkspaces: 'workspace_slug' in createArguments || 'workspace' in createArguments,
    ...serviceCalls(call, catalogue),
    ...databaseCalls(call, catalogue),
    ...templateCalls(call, catalogue),
    ...domainCalls(call, catalogue),
    ...accountCalls(call, catalogue),
  }
}

/** An answer of which nothing is read. */
const anything = z.looseObject({})

/** Asks for deletion and returns before it has happened. `false`: there was nothing of that name. */
function deleting(purpose: Purpose, missing: ToolFailure, call: Caller) {
  return async (name: string, signal: AbortSignal): Promise<boolean> => {
    const deletion = call.repeatable(purpose, { name }, anything, signal)
    return (await unlessMissing(missing, deletion)) !== undefined
  }
}

/** Which parts of a service to read; logs cost the platform time, so they are asked for only when wanted. */
interface ServiceParts {
  env?: boolean
  deployLogLines?: number
  runtimeLogLines?: number
}

function serviceCalls(call: Caller, catalogue: Catalogue) {
  /** By the repository's name. Every answer carries a token that is good for a year, so one is asked for. */
  const opened = new Map<string, { readonly remote: string; readonly created: false }>()
  return {
    service: (name: string, { env: includeEnv, ...logs }: ServiceParts, signal: AbortSignal) => {
      const reading = call.repeatable('getService', { name, includeEnv, ...logs }, results.serviceSchema, signal)
      return unlessMissing('service-not-found', reading)
    },
    /** What a service uses, over the last hour; undefined when no tool tells. */
    usage: async (name: string, signal: AbortSignal) => {
      const tool = catalogue.find('serviceMetrics')
      // A server that asks for anything but the name means another tool than the one that is known.
      if (!tool || !(tool.inputSchema.required ?? []).every((argument) => argument === 'name')) return undefined
      const wanted = { name, timeRange: 'ONE_HOUR' }
      return unlessMissing('service-not-found', call.repeatable('serviceMetrics', wanted, metricsSchema, signal))
    },
    /** All services of the account, newest first; the platform shows 100 at most and has no further pages. */
    services: (signal: AbortSignal) => call.repeatable('listServices', {}, results.servicesSchema, signal),
    createService: (name: string, repo: string, branch: string, settings: ServiceSettings, signal: AbortSignal) =>
      call.once('createService', { name, repo, branch, ...settings }, results.acceptedSchema, signal),
    updateService: async (
      name: string,
      changes: ServiceSettings & { branch?: string; repo?: string },
      signal: AbortSignal,
    ) => {
      const { region: _region, ...changeable } = changes // the platform cannot move a service to another region
      const wanted = 'region' in (catalogue.need('updateService').inputSchema.properties ?? {}) ? changes : changeable
      return call.once('updateService', { name, ...wanted }, results.acceptedSchema, signal)
    },
    deleteService: deleting('deleteService', 'service-not-found', call),
    /**
     * Push access to a repository, which is made when it does not exist and `create` is set. The remote carries a
     * password: it must reach no log, argument or file.
     */
    gitAccess: async (name: string, create: boolean, signal: AbortSignal) => {
      const known = opened.get(name)
      if (known) return known
      const askFor = async (purpose: 'getGitToken' | 'createRepository') => {
        const access = await call.repeatable(purpose, { name }, results.gitAccessSchema, signal)
        opened.set(name, { ...access, created: false })
        return access
      }
      const existing = await unlessMissing('repository-not-found', askFor('getGitToken'))
      if (existing) return { ...existing, created: false }
      if (!create) return undefined
      try {
        // Making a repository that exists returns it, so asking twice is harmless.
        return { ...(await askFor('createRepository')), created: true }
      } catch (error) {
        // Of two that make it at once one loses, and finds it made.
        if (!isNameTaken(error)) throw error
        return { ...(await askFor('getGitToken')), created: false }
      }
    },
  }
}

function databaseCalls(call: Caller, catalogue: Catalogue) {
  return {
    /** Undefined when there is none of that name, or the server has no databases. */
    database: async (name: string, signal: AbortSignal): Promise<results.Database | undefined> =>
      catalogue.find('getDatabase') &&
      unlessMissing('resource-not-found', call.repeatable('getDatabase', { name }, results.databaseSchema, signal)),
    createDatabase: (name: string, type: string, signal: AbortSignal): Promise<results.Database> =>
      call.once('createDatabase', { name, type }, results.databaseSchema, signal),
    deleteDatabase: deleting('deleteDatabase', 'resource-not-found', call),
  }
}

/**
 * Templates: databases that are services of their own, with volumes. No tool deletes an instance; its services and
 * volumes are deleted instead, as the platform's own end-to-end tests do.
 */
export function templateCalls(call: Caller, catalogue: Catalogue) {
  return {
    /** The instance of that name that has services, with all of its outputs. */
    templateInstance: async (name: string, signal: AbortSignal): Promise<results.TemplateInstance | undefined> => {
      if (!catalogue.find('listTemplateInstances')) return undefined
      const all = await call.repeatable('listTemplateInstances', {}, results.instancesSchema, signal)
      // Lists need not show services, and an instance may stay listed when its services are gone.
      for (const { id: instanceId } of all.filter((one) => one.name === name)) {
        const reading = call.repeatable('getTemplateInstance', { instanceId }, results.templateInstanceSchema, signal)
        const instance = await unlessMissing('resource-not-found', reading)
        if (instance && instance.services.length > 0) return instance
      }
      return undefined
    },
    deployTemplate: async (template: string, name: string, signal: AbortSignal): Promise<void> => {
      await call.once('deployTemplate', { template, name }, anything, signal)
    },
    volumes: async (signal: AbortSignal): Promise<readonly { name: string }[]> =>
      catalogue.find('listVolumes') ? call.repeatable('listVolumes', {}, results.volumesSchema, signal) : [],
    /** Only one that no service uses can be deleted. */
    deleteVolume: deleting('deleteVolume', 'resource-not-found', call),
  }
}

/** A record to be made. `name` is relative to the zone, `@` for the zone itself; `ttl` in seconds. */
type NewDnsRecord = { readonly zone: string; readonly ttl: number } & Pick<
  results.DnsRecord,
  'name' | 'type' | 'content'
>

function domainCalls(call: Caller, catalogue: Catalogue) {
  return {
    addDomain: (name: string, domain: string, signal: AbortSignal) =>
      call.once('addDomain', { name, domain }, results.domainSchema, signal),
    removeDomain: (name: string, signal: AbortSignal) =>
      call.once('removeDomain', { name }, results.domainSchema, signal),
    /** The zones delegated to the platform. */
    zones: async (signal: AbortSignal): Promise<readonly results.Zone[]> =>
      catalogue.find('listZones') ? call.repeatable('listZones', {}, results.zonesSchema, signal) : [],
    dnsRecords: (zone: string, signal: AbortSignal): Promise<readonly results.DnsRecord[]> =>
      call.repeatable('listDnsRecords', { zone }, results.dnsRecordsSchema, signal),
    addDnsRecord: ({ zone, name, type, content, ttl }: NewDnsRecord, signal: AbortSignal): Promise<results.DnsRecord> =>
      call.once('addDnsRecord', { zone, name, type, content, ttl }, results.dnsRecordSchema, signal),
    deleteDnsRecord: async (zone: string, recordId: string, signal: AbortSignal): Promise<void> => {
      await call.once('deleteDnsRecord', { zone, recordId }, anything, signal)
    },
  }
}

/** Whose key it is, and what that account may do. Each is undefined where the server has no tool that tells. */
function accountCalls(call: Caller, catalogue: Catalogue) {
  const ifOffered =
    <T>(purpose: Purpose, schema: z.ZodType<T>) =>
    async (signal: AbortSignal) =>
      catalogue.find(purpose) && call.repeatable(purpose, {}, schema, signal)
  return {
    account: ifOffered('whoami', accountSchema),
    projects: ifOffered('listProjects', projectsSchema),
    workspaces: ifOffered('listWorkspaces', workspacesSchema),
    /** What the account can still spend. */
    credits: ifOffered('checkCredits', creditsSchema),
    /** What the account's plan allows. */
    limits: ifOffered('accountLimits', limitsSchema),
  }
}

/**
 * The platform, with at most so many calls under way at once; others wait for their turn. What is waited for between two
 * calls holds nobody up. Several connections may share their turns.
 */
export function fewAtOnce(platform: Platform, inTurn = inTurns(callsAtOnce)): Platform {
  return {
    ...platform,
    service: (...args) => inTurn(() => platform.service(...args)),
    services: (...args) => inTurn(() => platform.services(...args)),
    deleteService: (...args) => inTurn(() => platform.deleteService(...args)),
    gitAccess: (...args) => inTurn(() => platform.gitAccess(...args)),
    database: (...args) => inTurn(() => platform.database(...args)),
    deleteDatabase: (...args) => inTurn(() => platform.deleteDatabase(...args)),
    templateInstance: (...args) => inTurn(() => platform.templateInstance(...args)),
    volumes: (...args) => inTurn(() => platform.volumes(...args)),
    deleteVolume: (...args) => inTurn(() => platform.deleteVolume(...args)),
  }
}
