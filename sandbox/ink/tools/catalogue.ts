import type { InkProfile } from '../options.ts'
import type { PlatformCore } from '../platform-core.ts'
import { g1AccountTools } from './g1-account.ts'
import { g1RepositoryTools } from './g1-repositories.ts'
import { g1ServiceTools } from './g1-services.ts'
import type { Tool } from './tool.ts'

/** The tools that a generation of the platform offers. */
export function toolsOf(profile: InkProfile, core: PlatformCore): Tool[] {
  const g1 = [...g1AccountTools(core), ...g1RepositoryTools(core), ...g1ServiceTools(core)]
  if (profile !== 'g1') throw new Error(`The profile ${profile} is not known.`)
  return g1
}
