import { callsAtOnce, inTurns } from '../core/parallel.ts'
import type { Platform } from './platform.ts'

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
