import type { FaultRegistry } from '../../fault.ts'
import type { Builder } from '../build/builder.ts'
import type { Image } from '../build/image.ts'
import type { InkFaultName } from '../faults.ts'
import type { Repositories } from '../git/repositories.ts'
import { shortId } from '../identifiers.ts'
import type { InkTiming } from '../options.ts'
import type { Deployment, Service } from '../services.ts'
import { activityError, createBuildWorkflows } from './build-workflow.ts'
import { abortable, type Container, type ContainerHost } from './container.ts'
import type { Edge } from './edge.ts'

const ROLLOUT_ATTEMPTS = 3
const IN_FLIGHT = new Set<Deployment['status']>(['queued', 'building', 'deploying'])

/** Runs deployments: queued → building → deploying → active, or failed; a newer one cancels what is in flight. */
export interface Deployer {
  /**
   * Starts a deployment of the service as it is configured now.
   *
   * @param triggerRef - the pushed commit when a push is the trigger, else empty
   */
  start(service: Service, trigger: Deployment['trigger'], triggerRef?: string): Deployment
  /** Ends everything of a service: deployments in flight and, after the edge delay, its container. */
  tearDown(service: Service): void
  /** Resolves when nothing runs any more. */
  close(): Promise<void>
}

export interface DeployerDependencies {
  readonly builder: Builder
  readonly containers: ContainerHost
  readonly edge: Edge
  readonly repositories: Repositories
  readonly faults: FaultRegistry<InkFaultName>
  readonly timing: InkTiming
  readonly reportsCrashes: boolean
  readonly nowMs: () => number
  readonly onChange: (service: Service, deployment: Deployment) => void
}

interface Running {
  readonly container: Container
  readonly deployment: Deployment
  readonly release: () => void
}

export function createDeployer(dependencies: DeployerDependencies): Deployer {
  const { builder, containers, edge, faults, timing, nowMs } = dependencies
  const flights = new Map<Deployment, AbortController>()
  const work = new Set<Promise<unknown>>()
  const running = new Map<Service, Running>()
  /** Deployments whose app has ended. */
  const dead = new WeakSet<Deployment>()
  const closing = new AbortController()
  const builds = createBuildWorkflows({ builder, repositories: dependencies.repositories, timing, track })

  function track(promise: Promise<unknown>): void {
    work.add(promise)
    void promise.finally(() => work.delete(promise))
  }

  function settle(service: Service, deployment: Deployment, status: Deployment['status'], errorMessage?: string): void {
    deployment.status = status
    if (errorMessage !== undefined) deployment.errorMessage = errorMessage
    if (!IN_FLIGHT.has(status)) deployment.finishedAtMs = nowMs()
    service.updatedAtMs = nowMs()
    dependencies.onChange(service, deployment)
  }

  function cancelInFlight(service: Service): void {
    for (const deployment of service.deployments) {
      if (!IN_FLIGHT.has(deployment.status)) continue
      settle(service, deployment, 'cancelled')
      flights.get(deployment)?.abort(new Error('cancelled'))
    }
  }

  async function rollOut(service: Service, deployment: Deployment, image: Image, signal: AbortSignal): Promise<void> {
    const release = builder.hold(image)
    try {
      const [container, url] = await Promise.all([
        startContainer({
          image,
          env: deployment.config.env,
          worker: deployment.config.worker,
          log: (line) => service.runtimeLog.write(line),
          signal,
        }),
        edge.urlOf(service),
      ])
      try {
        await abortable(timing.rolloutMs, signal)
      } catch (error) {
        await container.stop()
        throw error
      }
      activate(service, { container, deployment, release }, url)
    } catch (error) {
      release()
      throw error
    }
  }

  /** The platform's rollout: the health gate is waited for several times before the deployment fails. */
  async function startContainer(options: Parameters<ContainerHost['start']>[0]): Promise<Container> {
    const unhealthy = faults.strike('rollout.unhealthy') !== undefined
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await containers.start({ ...options, unhealthy })
      } catch (error) {
        options.signal.throwIfAborted()
        if (attempt < ROLLOUT_ATTEMPTS) continue
        throw new Error(activityError('WaitForRollout', 35, (error as Error).message), { cause: error })
      }
    }
  }

  function activate(service: Service, next: Running, url: string): void {
    const previous = running.get(service)
    running.set(service, next)
    if (!next.deployment.config.worker) {
      service.url ??= url
      edge.route(service, next.container)
    }
    if (previous !== undefined) {
      if (previous.deployment.status === 'active') settle(service, previous.deployment, 'superseded')
      track(previous.container.stop().then(previous.release))
    }
    settle(service, next.deployment, 'active')
    void next.container.exited.then((code) => {
      if (running.get(service) !== next || next.deployment.status !== 'active') return
      ended(service, next.deployment, code)
    })
    const death = faults.strike('app.dies')
    if (death !== undefined) {
      const afterMs = Number(death.options.afterMs ?? 200)
      track(
        abortable(afterMs, closing.signal).then(
          () => die(service, next, Number(death.options.exitCode ?? 1)),
          () => {},
        ),
      )
    }
  }

  /** Notes that an app has ended; in generation 1 its deployment stays `active` all the same. */
  function ended(service: Service, deployment: Deployment, exitCode: number): void {
    if (dead.has(deployment)) return
    dead.add(deployment)
    const words = `container exited with code ${exitCode}`
    service.runtimeLog.write(words)
    if (dependencies.reportsCrashes && deployment.status === 'active') settle(service, deployment, 'crashed', words)
  }

  /** Files do not die by themselves, so what a dead app would show is put in their place. */
  async function die(service: Service, dying: Running, exitCode: number): Promise<void> {
    if (running.get(service) !== dying) return
    edge.route(service, {
      handle: (request, response) => {
        request.resume()
        response.writeHead(502, { 'content-type': 'text/plain; charset=utf-8' }).end('Bad Gateway')
      },
      exited: dying.container.exited,
      stop: async () => {},
    })
    ended(service, dying.deployment, exitCode)
    await dying.container.stop()
  }

  async function run(service: Service, deployment: Deployment, signal: AbortSignal): Promise<void> {
    try {
      await abortable(timing.queueMs, signal)
      settle(service, deployment, 'building')
      const { image, commit, cached } = await builds.run(service, deployment, signal)
      signal.throwIfAborted()
      deployment.commit = commit
      deployment.cached = cached
      settle(service, deployment, 'deploying')
      await rollOut(service, deployment, image, signal)
    } catch (error) {
      if (signal.aborted) return
      settle(service, deployment, 'failed', (error as Error).message)
    } finally {
      flights.delete(deployment)
    }
  }

  return {
    start(service, trigger, triggerRef = '') {
      cancelInFlight(service)
      const deployment: Deployment = {
        id: shortId(),
        trigger,
        triggerRef,
        config: service.config,
        createdAtMs: nowMs(),
        status: 'queued',
      }
      service.deployments.push(deployment)
      service.updatedAtMs = nowMs()
      const flight = new AbortController()
      flights.set(deployment, flight)
      track(run(service, deployment, AbortSignal.any([flight.signal, closing.signal])))
      dependencies.onChange(service, deployment)
      return deployment
    },
    tearDown(service) {
      cancelInFlight(service)
      track(
        abortable(timing.edgeDelayMs, closing.signal)
          .catch(() => {})
          .then(async () => {
            edge.unroute(service)
            const last = running.get(service)
            running.delete(service)
            await last?.container.stop()
            last?.release()
          }),
      )
    },
    async close() {
      closing.abort(new Error('the platform stops'))
      await Promise.all([...running.values()].map(({ container }) => container.stop()))
      while (work.size > 0) await Promise.allSettled(work)
    },
  }
}
