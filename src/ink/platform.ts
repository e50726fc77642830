import { callsAtOnce, inTurns } from '../core/async.ts'
import { accountCalls, metricsSchema, type ServiceSize } from './account.ts'
import {
  allowedValues,
  defaultValue,
  type RefusedArgument,
  refusedArguments,
  type ServiceSettings,
  type WantedArguments,
} from './arguments.ts'
import {
  anything,
  type Caller,
  type Catalogue,
  openCaller,
  openCatalogue,
  type Purpose,
  unlessMissing,
} from './catalogue.ts'
import { isNameTaken } from './errors.ts'
import { resourceCalls } from './resources.ts'
import { acceptedSchema, gitAccessSchema, serviceSchema, servicesSchema } from './results.ts'
import { openSession, type SessionOptions } from './session.ts'

/** ml.ink, in the words of this project. Names are service names within the project and workspace that it was opened for. */
export type Platform = Awaited<ReturnType<typeof openPlatform>>

/** Connects to ml.ink. Dispose of it when done, or the process does not end. */
export async function openPlatform(
  options: SessionOptions & {
    readonly scope: { readonly project: string; readonly workspace: string | undefined }
    readonly warning: (text: string) => void
  },
  signal: AbortSignal,
) {
  const session = await openSession(options, signal)
  const catalogue = openCatalogue(session.tools)
  const call = openCaller(session, catalogue, options.scope, options.warning)
  const creation = catalogue.find('createService')
  const createArguments = creation?.inputSchema.properties ?? {}
  return {
    server: session.server,
    offers: (purpose: Purpose): boolean => catalogue.find(purpose) !== undefined,
    /** The values that this server declares for an argument of a tool; undefined where it sets no list. */
    allowedValues: (purpose: Purpose, argument: keyof WantedArguments): readonly string[] | undefined => {
      const tool = catalogue.find(purpose)
      return tool && allowedValues(tool, argument)
    },
    /** Which of these this server would refuse. Asks nobody, so it can be known before anything is touched. */
    checkArguments: (purpose: Purpose, wanted: WantedArguments): readonly RefusedArgument[] => {
      const tool = catalogue.find(purpose)
      return tool ? refusedArguments(tool, wanted) : []
    },
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
    ...resourceCalls(call, catalogue),
    ...accountCalls(call, catalogue),
    [Symbol.asyncDispose]: (): Promise<void> => session.close(),
  }
}

/** Which parts of a service to read; logs cost the platform time, so they are asked for only when wanted. */
interface ServiceParts {
  env?: boolean
  deployLogLines?: number
  runtimeLogLines?: number
}

function serviceCalls(call: Caller, catalogue: Catalogue) {
  return {
    service: (name: string, { env: includeEnv, ...logs }: ServiceParts, signal: AbortSignal) =>
      unlessMissing(
        'service-not-found',
        call.repeatable('getService', { name, includeEnv, ...logs }, serviceSchema, signal),
      ),
    /** What a service uses, over the last hour; undefined when no tool tells. */
    usage: async (name: string, signal: AbortSignal) => {
      const tool = catalogue.find('serviceMetrics')
      // A server that asks for anything but the name means another tool than the one that is known.
      if (!tool || !(tool.inputSchema.required ?? []).every((argument) => argument === 'name')) return undefined
      const wanted = { name, timeRange: 'ONE_HOUR' }
      return unlessMissing('service-not-found', call.repeatable('serviceMetrics', wanted, metricsSchema, signal))
    },
    /** All services of the account, newest first; the platform shows 100 at most and has no further pages. */
    services: (signal: AbortSignal) => call.repeatable('listServices', {}, servicesSchema, signal),
    createService: (name: string, repo: string, branch: string, settings: ServiceSettings, signal: AbortSignal) =>
      call.once('createService', { name, repo, branch, ...settings }, acceptedSchema, signal),
    updateService: async (
      name: string,
      changes: ServiceSettings & { branch?: string; repo?: string },
      signal: AbortSignal,
    ) => {
      const { region: _region, ...changeable } = changes // the platform cannot move a service to another region
      const wanted = 'region' in (catalogue.need('updateService').inputSchema.properties ?? {}) ? changes : changeable
      return call.once('updateService', { name, ...wanted }, acceptedSchema, signal)
    },
    /** Asks for deletion and returns before it has happened. `false`: there was no such service. */
    deleteService: async (name: string, signal: AbortSignal): Promise<boolean> => {
      const deletion = call.repeatable('deleteService', { name }, anything, signal)
      return (await unlessMissing('service-not-found', deletion)) !== undefined
    },
    /**
     * Push access to a repository, which is made when it does not exist and `create` is set. The remote carries a
     * password: it must reach no log, argument or file.
     */
    gitAccess: async (
      name: string,
      create: boolean,
      signal: AbortSignal,
    ): Promise<{ readonly remote: string; readonly created: boolean } | undefined> => {
      const askFor = (purpose: 'getGitToken' | 'createRepository') =>
        call.repeatable(purpose, { name }, gitAccessSchema, signal)
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
