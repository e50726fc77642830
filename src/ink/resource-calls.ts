import { z } from 'zod'
import { type Caller, unlessMissing } from './call.ts'
import type { Catalogue } from './catalogue.ts'
import type { GitAccess } from './platform.ts'
import { databaseSchema, gitAccessSchema } from './results.ts'

/** Git repositories. */
export function repositoryCalls(call: Caller) {
  return {
    gitAccess: async (name: string, create: boolean, signal: AbortSignal): Promise<GitAccess | undefined> => {
      const existing = await unlessMissing(['repository-not-found'], () =>
        call({ purpose: 'getGitToken', wanted: { name }, repeatable: true }, gitAccessSchema, signal),
      )
      if (existing) return { remote: existing.remote, created: false }
      if (!create) return undefined
      // Making a repository that exists returns it, so asking twice is harmless.
      const made = await call(
        { purpose: 'createRepository', wanted: { name }, repeatable: true },
        gitAccessSchema,
        signal,
      )
      return { remote: made.remote, created: true }
    },
  }
}

/** Databases. */
export function databaseCalls(call: Caller, catalogue: Catalogue) {
  return {
    database: (name: string, signal: AbortSignal) =>
      catalogue.find('getDatabase')
        ? unlessMissing(['resource-not-found'], () =>
            call({ purpose: 'getDatabase', wanted: { name }, repeatable: true }, databaseSchema, signal),
          )
        : Promise.resolve(undefined),
    createDatabase: (name: string, type: string, signal: AbortSignal) =>
      call({ purpose: 'createDatabase', wanted: { name, type }, repeatable: false }, databaseSchema, signal),
    deleteDatabase: async (name: string, signal: AbortSignal) => {
      const gone = await unlessMissing(['resource-not-found'], () =>
        call(
          { purpose: 'deleteDatabase', wanted: { name }, repeatable: true },
          z.object({ message: z.string().nullish() }),
          signal,
        ),
      )
      return gone !== undefined
    },
  }
}
