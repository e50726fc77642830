import { callsAtOnce } from '../core/parallel.ts'
import type { Platform } from './platform.ts'

/**
 * The platform, with at most so many calls under way at once; others wait for their turn. What is waited for between two
 * calls holds nobody up.
 */
export function fewAtOnce(platform: Platform, atOnce: number = callsAtOnce): Platform {
  let free = atOnce
  const waiting: (() => void)[] = []
  const inTurn = async <T>(call: () => Promise<T>): Promise<T> => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await call()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free += 1
    }
  }
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
