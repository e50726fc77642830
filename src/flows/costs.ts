import { costPerDay, templateSize } from '../ink/prices.ts'
import type { Service } from '../ink/results.ts'
import { previewNumber } from '../plan/names.ts'
import type { Place } from '../plan/plan.ts'
import type { RunningCost } from '../plan/preview-limits.ts'
import { sumPerDay } from '../plan/preview-limits.ts'
import type { DatabaseSettings, Settings } from '../plan/settings.ts'
import type { CostView } from '../report/model.ts'
import { type FoundPreview, oldestFirst } from './previews.ts'

type Sized = Pick<Service, 'memory' | 'vcpus'> & Partial<Pick<Service, 'env'>>
type Pricing = Pick<Settings, 'build' | 'prices'> & { readonly database: DatabaseSettings | undefined }

/**
 * What a service costs a day together with its database, in dollars, an estimate. Where the platform does not tell a
 * size, it is taken to be the one that the inputs ask for.
 */
export function costOf(service: Sized, { build, prices, database }: Pricing): number | undefined {
  const own = costPerDay({ memory: service.memory ?? build.memory, vcpus: service.vcpus ?? build.vcpus }, prices)
  const counts = database !== undefined && isBilled(database) && mayUse(service, database)
  return own === undefined ? undefined : own + (counts ? (costPerDay(templateSize, prices) ?? 0) : 0)
}

/** A database of a template is a service of its own; a sqlite one runs in none. */
export function isBilled({ type }: DatabaseSettings): boolean {
  return type !== 'sqlite'
}

/** One that was made before a database was asked for has none yet. */
function mayUse({ env }: Sized, database: DatabaseSettings): boolean {
  return env === undefined || [...database.env.keys()].some((name) => env[name] !== undefined)
}

/** The previews that run, the oldest first, with what they cost; those of this service's own may make room for another. */
export function runningCosts(
  previews: readonly FoundPreview[],
  place: Place,
  settings: Pricing,
): readonly RunningCost<FoundPreview>[] {
  return oldestFirst(previews).flatMap((preview) =>
    preview.service === undefined
      ? []
      : [
          {
            preview,
            perDay: costOf(preview.service, settings) ?? 0,
            mayGo: previewNumber(place.baseName, preview.serviceName) !== undefined,
          },
        ],
  )
}

/** The costs of all that run, for a report; undefined when none does or no estimate is wanted. */
export function costView(running: readonly RunningCost<unknown>[]): CostView | undefined {
  const perDay = sumPerDay(running)
  if (perDay === 0) return undefined
  return {
    perDay,
    perMonth: perDay * 30,
    basis: `${running.length} open ${running.length === 1 ? 'preview' : 'previews'}`,
  }
}
