import type * as z from 'zod'
import { accountCalls, metricsSchema, type ServiceSize } from './account.ts'
import {
  allowedValues,
  defaultValue,
  type RefusedArgument,
  refusedArguments,
  type ServiceSettings,
  shapeArguments,
  type WantedArguments,
} from './arguments.ts'
import { type Caller, type Catalogue, openCatalogue, type Purpose, type ToolCall, unlessMissing } from './catalogue.ts'
import { isNameTaken } from './errors.ts'
import { resourceCalls } from './resources.ts'
import { acceptedSchema, gitAccessSchema, readResult, serviceSchema, servicesSchema } from './results.ts'
import { openSession, type SessionOptions } from './session.ts'

/** Where on ml.ink: every call that takes these gets them. */
interface Scope {
  readonly project: string
  readonly workspace: string | undefined
}

/** ml.ink, in the words of this project. Names are service names within the {@link Scope} that it was opened for. */
export type Platform = Awaited<ReturnType<typeof openPlatform>>

/** Connects to ml.ink. Dispose of it when done, or the process does not end. */
export async function openPlatform(
  options: SessionOptions & { scope: Scope; warning: (text: string) => void },
  signal: AbortSignal,
) {
  const session = await openSession(options, signal)
  const catalogue = openCatalogue(session.tools)
  const warned = new Set<string>()

  const call: Caller = async <T>(
    { purpose, wanted, repeatable, dispensable = [] }: ToolCall,
    schema: z.ZodType<T>,
    callSignal: AbortSignal,
  ): Promise<T> => {
    const tool = catalogue.need(purpose)
    const { args, undeclared } = shapeArguments(tool, { ...wanted, ...options.scope })
    for (const missing of undeclared) {
      if (missing === 'workspace' || !(missing in wanted) || dispensable.includes(missing as keyof WantedArguments))
        continue
      const text = `This ml.ink server’s ${tool.name} takes no “${missing}”; the platform’s own value is used instead.`
      if (!warned.has(text)) options.warning(text)
      warned.add(text)
    }
    return readResult(schema, await session.call(tool.name, args, { repeatable, signal: callSignal }), tool.name)
  }

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

interface GitAccess {
  readonly remote: string
  readonly created: boolean
}

function serviceCalls(call: Caller, catalogue: Catalogue) {
  return {
    service: (name: string, parts: ServiceParts, signal: AbortSignal) => {
      const { env: includeEnv, deployLogLines, runtimeLogLines } = parts
      const wanted = { name, includeEnv, deployLogLines, runtimeLogLines }
      const dispensable = ['includeEnv', 'deployLogLines', 'runtimeLogLines'] as const
      return unlessMissing('service-not-found', () =>
        call({ purpose: 'getService', wanted, repeatable: true, dispensable }, serviceSchema, signal),
      )
    },
    /** What a service uses, over the last hour; undefined when no tool tells. */
    usage: async (name: string, signal: AbortSignal) => {
      const tool = catalogue.find('serviceMetrics')
      // A server that asks for anything but the name means another tool than the one that is known.
      if (!tool || !(tool.inputSchema.required ?? []).every((argument) => argument === 'name')) return undefined
      const wanted = { name, timeRange: 'ONE_HOUR' }
      const dispensable = ['timeRange'] as const
      return unlessMissing('service-not-found', () =>
        call({ purpose: 'serviceMetrics', wanted, repeatable: true, dispensable }, metricsSchema, signal),
      )
    },
    /** All services of the account, newest first; the platform shows 100 at most and has no further pages. */
    services: (signal: AbortSignal) =>
      call({ purpose: 'listServices', wanted: {}, repeatable: true }, servicesSchema, signal),
    createService: (name: string, repo: string, branch: string, settings: ServiceSettings, signal: AbortSignal) => {
      const wanted = { name, repo, branch, ...settings }
      return call({ purpose: 'createService', wanted, repeatable: false }, acceptedSchema, signal)
    },
    updateService: async (
      name: string,
      changes: ServiceSettings & { branch?: string; repo?: string },
      signal: AbortSignal,
    ) => {
      const { region: _region, ...changeable } = changes // the platform cannot move a service to another region
      const wanted = 'region' in (catalogue.need('updateService').inputSchema.properties ?? {}) ? changes : changeable
      return call({ purpose: 'updateService', wanted: { name, ...wanted }, repeatable: false }, acceptedSchema, signal)
    },
    /** Asks for deletion and returns before it has happened. `false`: there was no such service. */
    deleteService: async (name: string, signal: AbortSignal): Promise<boolean> => {
      const deleted = await unlessMissing('service-not-found', () =>
        call({ purpose: 'deleteService', wanted: { name }, repeatable: true }, acceptedSchema, signal),
      )
      return deleted !== undefined
    },
    /**
     * Push access to a repository, which is made when it does not exist and `create` is set. The remote carries a
     * password: it must reach no log, argument or file.
     */
    gitAccess: async (name: string, create: boolean, signal: AbortSignal): Promise<GitAccess | undefined> => {
      const existing = await unlessMissing('repository-not-found', () =>
        call({ purpose: 'getGitToken', wanted: { name }, repeatable: true }, gitAccessSchema, signal),
      )
      if (existing) return { remote: existing.remote, created: false }
      if (!create) return undefined
      // Making a repository that exists returns it, so asking twice is harmless.
      const making = { purpose: 'createRepository', wanted: { name }, repeatable: true } as const
      try {
        const { remote } = await call(making, gitAccessSchema, signal)
        return { remote, created: true }
      } catch (error) {
        // Of two that make it at once one loses, and finds it made.
        if (!isNameTaken(error)) throw error
        const { remote } = await call({ ...making, purpose: 'getGitToken' }, gitAccessSchema, signal)
        return { remote, created: false }
      }
    },
  }
}
