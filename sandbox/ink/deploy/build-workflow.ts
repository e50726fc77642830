import { randomUUID } from 'node:crypto'
import type { Builder, BuildOutcome } from '../build/builder.ts'
import { BuildFailure } from '../build/image.ts'
import type { Repositories } from '../git/repositories.ts'
import type { InkTiming } from '../options.ts'
import type { Deployment, Service } from '../services.ts'
import { abortable } from './container.ts'

/** How often a build is tried before the deployment fails. */
const BUILD_ATTEMPTS = 2

/** Builds as the platform's workflow engine runs them: each under an id, tried twice, failing with the engine's long error. */
export interface BuildWorkflows {
  run(service: Service, deployment: Deployment, signal: AbortSignal): Promise<BuildOutcome>
}

/** @param dependencies.track - keeps the platform from having stopped while a promise is pending */
export function createBuildWorkflows(dependencies: {
  readonly builder: Builder
  readonly repositories: Repositories
  readonly timing: InkTiming
  readonly track: (promise: Promise<unknown>) => void
}): BuildWorkflows {
  const { builder, repositories, timing, track } = dependencies
  /** Ids of the workflows that have not ended. A second one of the same id is refused. */
  const open = new Set<string>()

  async function buildOnce(service: Service, { config }: Deployment, signal: AbortSignal): Promise<BuildOutcome> {
    const repository = repositories.byFullName(config.repo)
    if (repository === undefined) throw new BuildFailure(`repository not found: ${config.repo}`, 'clone')
    const timeout = AbortSignal.timeout(timing.buildTimeoutMs)
    try {
      return await builder.build({
        repository,
        imageName: `${service.accountId}/${service.projectRef}/${service.name}`,
        config,
        log: (line) => service.buildLog.write(line),
        signal: AbortSignal.any([signal, timeout]),
      })
    } catch (error) {
      signal.throwIfAborted()
      if (timeout.aborted) throw new BuildFailure('activity StartToClose timeout: the build took too long')
      throw error
    }
  }

  async function buildWithRetry(service: Service, deployment: Deployment, signal: AbortSignal): Promise<BuildOutcome> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await buildOnce(service, deployment, signal)
      } catch (error) {
        if (!(error instanceof BuildFailure) || attempt === BUILD_ATTEMPTS) throw error
        await abortable(timing.buildRetryMs, signal)
      }
    }
  }

  return {
    async run(service, deployment, signal) {
      // The id holds the pushed commit, which deployments started by a tool call do not have: those of a service share one id.
      const workflowId = `build-${service.id}-${deployment.triggerRef}`
      if (open.has(workflowId)) throw new Error('child workflow execution already started')
      signal.throwIfAborted()
      open.add(workflowId)
      const close = () => open.delete(workflowId)
      // A cancelled workflow winds down for a while, and until then blocks the next one of its id.
      const windDown = () => track(pause(timing.windDownMs).then(close))
      signal.addEventListener('abort', windDown, { once: true })
      try {
        return await buildWithRetry(service, deployment, signal)
      } catch (error) {
        if (!(error instanceof BuildFailure)) throw error
        throw new Error(childWorkflowError(workflowId, deployment.config.buildPack, error), { cause: error })
      } finally {
        signal.removeEventListener('abort', windDown)
        if (!signal.aborted) close()
      }
    },
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

const ACTIVITIES: Readonly<Record<string, string>> = {
  railpack: 'RailpackBuild',
  dockerfile: 'DockerfileBuild',
  static: 'StaticBuild',
}

/**
 * A failed build as the platform's workflow engine words it: each layer tells its own words and those of its cause, so that the
 * reason comes twice, in the middle of a long text.
 */
function childWorkflowError(workflowId: string, buildPack: string, { step, message }: BuildFailure): string {
  const child = `child workflow execution error (type: BuildServiceWorkflow, workflowID: ${workflowId}, runID: ${randomUUID()}, initiatedEventID: 11, startedEventID: 12)`
  if (step === 'workflow') return `${child}: ${message} (type: errorString, retryable: true)`
  const twice = (what: string, reason: string) =>
    `${child}: ${what}: ${reason} (type: wrapError, retryable: true): ${reason}`
  if (step === 'clone') {
    const cause = 'exit status 128 (type: ExitError, retryable: true)'
    return twice('clone failed', `${activityError('CloneRepo', 5, message)}: ${cause}`)
  }
  return twice(`build failed (${buildPack})`, activityError(ACTIVITIES[buildPack] ?? 'Build', 23, message))
}

/** A failed activity in the words of the workflow engine. */
export function activityError(type: string, event: number, reason: string): string {
  const activity = `activity error (type: ${type}, scheduledEventID: ${event}, startedEventID: ${event + 1}, identity: 1@worker@)`
  return `${activity}: ${reason} (type: wrapError, retryable: true)`
}
