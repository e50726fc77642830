import { DeployError } from '../core/errors.ts'
import type { Platform } from '../ink/platform.ts'

/**
 * Refuses a deployment that this server has no tool for, before anything is pushed or created: what would be left of one
 * that fails half-way is of no use to anybody.
 *
 * @param exists whether the service is there already, and would be changed
 * @throws DeployError that says what cannot be done, and what can
 */
export function requireDeployTool(platform: Pick<Platform, 'offers'>, serviceName: string, exists: boolean): void {
  if (platform.offers(exists ? 'updateService' : 'createService')) return
  throw exists
    ? new DeployError(
        `This ml.ink server has no tool to change a service, so ${serviceName} stays as it is; nothing was touched`,
        {
          hint: 'The oldest servers can only create and delete services. For a preview, close the pull request and open it again; otherwise use another `endpoint`.',
        },
      )
    : new DeployError(
        `This ml.ink server has no tool to create a service, and ${serviceName} does not exist yet; nothing was touched`,
        { hint: 'Create the service at ml.ink and set `adopt: true`, or use another `endpoint`.' },
      )
}
