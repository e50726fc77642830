import type { ServiceSettings } from '../ink/platform.ts'
import type { Service } from '../ink/results.ts'
import type { Autoscale } from '../plan/autoscale.ts'
import type { BuildSettings, EnvStrategy } from '../plan/settings.ts'
import { layVariables, type Variables } from '../plan/variables.ts'

/** What decides how a service shall be: what the run asks for, and what is there already. */
export interface Wishes {
  build: BuildSettings
  /** Sizes that are the monitor's to change, once the service is there. */
  autoscale?: Autoscale | undefined
  variables: Variables
  envStrategy: EnvStrategy
  /** Credentials of the service's own database, laid over everything else. */
  databaseVariables: Readonly<Record<string, string>>
  /** A whole directory of built files was shipped, so nothing is to be built. */
  prebuilt: boolean
  expireAfterSeconds: number | undefined
  existing: Service | undefined
}

/**
 * The settings to send with the create or update call. An update replaces **all** variables of a service, so with
 * `merge` those which are there are read back and sent along (ink-platform: `env_vars` replaces all).
 */
export function desiredSettings(wishes: Wishes): ServiceSettings {
  const { build, existing, autoscale } = wishes
  const scaled = existing ? autoscale : undefined
  const defaultPack = wishes.prebuilt && !existing ? 'static' : undefined
  return {
    buildPack: build.buildPack ?? defaultPack,
    buildCommand: build.buildCommand,
    startCommand: build.startCommand,
    publishDirectory: build.publishDirectory,
    rootDirectory: build.rootDirectory,
    dockerfilePath: build.dockerfilePath,
    port: build.port,
    memory: scaled?.memoryMi ? undefined : build.memory,
    vcpus: scaled?.vcpus ? undefined : build.vcpus,
    region: existing ? undefined : build.region,
    env: desiredVariables(wishes),
    destroyTimeoutSeconds: wishes.expireAfterSeconds,
  }
}

/** All variables that the service shall have. */
export function desiredVariables({
  variables,
  envStrategy,
  databaseVariables,
  existing,
}: Wishes): Record<string, string> {
  return { ...layVariables(existing?.env, variables, envStrategy), ...databaseVariables }
}
