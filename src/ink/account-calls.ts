import type { Caller } from './call.ts'
import type { Catalogue } from './catalogue.ts'
import { creditsSchema } from './credits.ts'
import { limitsSchema } from './limits.ts'
import { accountSchema, domainSchema, projectsSchema, workspacesSchema, zonesSchema } from './results.ts'

/** Domains, and who the key belongs to. */
export function accountCalls(call: Caller, catalogue: Catalogue) {
  return {
    addDomain: (service: string, domain: string, signal: AbortSignal) =>
      call({ purpose: 'addDomain', wanted: { name: service, domain }, repeatable: false }, domainSchema, signal),
    removeDomain: (service: string, signal: AbortSignal) =>
      call({ purpose: 'removeDomain', wanted: { name: service }, repeatable: false }, domainSchema, signal),
    zones: (signal: AbortSignal) =>
      catalogue.find('listZones')
        ? call({ purpose: 'listZones', wanted: {}, repeatable: true }, zonesSchema, signal)
        : Promise.resolve([]),
    account: (signal: AbortSignal) =>
      catalogue.find('whoami')
        ? call({ purpose: 'whoami', wanted: {}, repeatable: true }, accountSchema, signal)
        : Promise.resolve(undefined),
    projects: (signal: AbortSignal) =>
      catalogue.find('listProjects')
        ? call({ purpose: 'listProjects', wanted: {}, repeatable: true }, projectsSchema, signal)
        : Promise.resolve(undefined),
    credits: (signal: AbortSignal) =>
      catalogue.find('checkCredits')
        ? call({ purpose: 'checkCredits', wanted: {}, repeatable: true }, creditsSchema, signal)
        : Promise.resolve(undefined),
    limits: (signal: AbortSignal) =>
      catalogue.find('accountLimits')
        ? call({ purpose: 'accountLimits', wanted: {}, repeatable: true }, limitsSchema, signal)
        : Promise.resolve(undefined),
    workspaces: (signal: AbortSignal) =>
      catalogue.find('listWorkspaces')
        ? call({ purpose: 'listWorkspaces', wanted: {}, repeatable: true }, workspacesSchema, signal)
        : Promise.resolve(undefined),
  }
}
