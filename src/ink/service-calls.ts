import { z } from 'zod'
import type { ServiceSettings } from './arguments.ts'
import { type Caller, unlessMissing } from './call.ts'
import type { Catalogue } from './catalogue.ts'
import { metricsSchema } from './metrics.ts'
import type { ServiceParts } from './platform.ts'
import { acceptedSchema, listedServiceSchema, serviceSchema } from './results.ts'

/** Services, as the platform offers them. */
export function serviceCalls(call: Caller, catalogue: Catalogue) {
  return {
    service: (name: string, parts: ServiceParts, signal: AbortSignal) => {
      const wanted = {
        name,
        includeEnv: parts.env,
        deployLogLines: parts.deployLogLines,
        runtimeLogLines: parts.runtimeLogLines,
      }
      const dispensable = ['includeEnv', 'deployLogLines', 'runtimeLogLines'] as const
      return unlessMissing(['service-not-found'], () =>
        call({ purpose: 'getService', wanted, repeatable: true, dispensable }, serviceSchema, signal),
      )
    },
    usage: async (name: string, signal: AbortSignal) => {
      const tool = catalogue.find('serviceMetrics')
      // A server that asks for anything but the name means another tool than the one that is known.
      if (!tool || !(tool.inputSchema.required ?? []).every((argument) => argument === 'name')) return undefined
      const wanted = { name, timeRange: 'ONE_HOUR' }
      const dispensable = ['timeRange'] as const
      return unlessMissing(['service-not-found'], () =>
        call({ purpose: 'serviceMetrics', wanted, repeatable: true, dispensable }, metricsSchema, signal),
      )
    },
    services: (signal: AbortSignal) =>
      call({ purpose: 'listServices', wanted: {}, repeatable: true }, listedServices, signal),
    createService: (name: string, repo: string, branch: string, settings: ServiceSettings, signal: AbortSignal) =>
      call(
        {
          purpose: 'createService',
          wanted: { name, repo, branch, ...settings },
          repeatable: false,
        },
        acceptedSchema,
        signal,
      ),
    updateService: async (
      name: string,
      changes: ServiceSettings & { branch?: string; repo?: string },
      signal: AbortSignal,
    ) => {
      const { region: _region, ...changeable } = changes // the platform cannot move a service to another region
      const wanted = 'region' in (catalogue.need('updateService').inputSchema.properties ?? {}) ? changes : changeable
      return call({ purpose: 'updateService', wanted: { name, ...wanted }, repeatable: false }, acceptedSchema, signal)
    },
    deleteService: async (name: string, signal: AbortSignal) => {
      const deleted = await unlessMissing(['service-not-found'], () =>
        call({ purpose: 'deleteService', wanted: { name }, repeatable: true }, acceptedSchema, signal),
      )
      return deleted !== undefined
    },
  }
}

const listedServices = z
  .object({ services: z.array(listedServiceSchema).nullish() })
  .transform((raw) => raw.services ?? [])
