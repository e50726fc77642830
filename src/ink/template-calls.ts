import { z } from 'zod'
import { type Caller, unlessMissing } from './call.ts'
import type { Catalogue } from './catalogue.ts'
import { type TemplateInstance, templateInstanceSchema, templateInstancesSchema, volumesSchema } from './results.ts'

const anything = z.looseObject({})

/**
 * Templates: databases that are services of their own, with volumes. No tool deletes an instance; its services and
 * volumes are deleted instead, as the platform's own end-to-end tests do.
 */
export function templateCalls(call: Caller, catalogue: Catalogue) {
  return {
    templateInstance: async (name: string, signal: AbortSignal): Promise<TemplateInstance | undefined> => {
      if (!catalogue.find('listTemplateInstances')) return undefined
      const all = await call(
        { purpose: 'listTemplateInstances', wanted: {}, repeatable: true },
        templateInstancesSchema,
        signal,
      )
      // Lists need not show services, and an instance may stay listed when its services are gone.
      for (const { id } of all.filter((one) => one.name === name)) {
        const instance = await unlessMissing(['resource-not-found'], () =>
          call(
            { purpose: 'getTemplateInstance', wanted: { instanceId: id }, repeatable: true },
            templateInstanceSchema,
            signal,
          ),
        )
        if (instance && instance.services.length > 0) return instance
      }
      return undefined
    },
    deployTemplate: async (template: string, name: string, signal: AbortSignal): Promise<void> => {
      await call({ purpose: 'deployTemplate', wanted: { template, name }, repeatable: false }, anything, signal)
    },
    volumes: (signal: AbortSignal) =>
      catalogue.find('listVolumes')
        ? call({ purpose: 'listVolumes', wanted: {}, repeatable: true }, volumesSchema, signal)
        : Promise.resolve([]),
    deleteVolume: async (name: string, signal: AbortSignal) => {
      const gone = await unlessMissing(['resource-not-found'], () =>
        call({ purpose: 'deleteVolume', wanted: { name }, repeatable: true }, anything, signal),
      )
      return gone !== undefined
    },
  }
}
