import { randomUUID } from 'node:crypto'
import { cp, mkdir, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, createServer } from 'node:net'
import { join, relative } from 'node:path'
import type { FaultRegistry, StruckFault } from '../../fault.ts'
import type { Image } from '../build/image.ts'
import type { InkFaultName } from '../faults.ts'
import type { InkTiming } from '../options.ts'
import type { EnvVar } from '../services.ts'
import type { ProcessGroup, ProcessGroupOptions } from './process-group.ts'
import { serveStaticFile } from './static-files.ts'

/**
 * Where apps are reached. On Linux all of 127/8 is this machine, so an app that listens on 127.0.0.1 only is not reached here,
 * just as it is not reached from outside its container.
 */
const APP_HOST = process.platform === 'linux' ? '127.0.0.2' : '127.0.0.1'

/** A running image. */
export interface Container {
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  /** Resolves with the exit code when the app ends by itself or is stopped; never for files. */
  readonly exited: Promise<number>
  stop(): Promise<void>
}

export interface ContainerHost {
  /** Starts an image and waits until it accepts connections. Throws with the reason when it does not, or is aborted. */
  start(options: {
    readonly image: Image
    readonly env: readonly EnvVar[]
    /** A worker is reached by nobody, so nobody waits for its port. */
    readonly worker: boolean
    /** Makes it one that never accepts a connection. */
    readonly unhealthy?: boolean
    readonly log: (line: string) => void
    readonly signal: AbortSignal
  }): Promise<Container>
}

/**
 * @param dependencies.root - an existing folder; each container gets a copy of its image there, as from a registry
 */
export function createContainerHost(dependencies: {
  readonly root: string
  readonly baseEnv: Readonly<Record<string, string>>
  readonly faults: FaultRegistry<InkFaultName>
  readonly timing: InkTiming
  readonly startProcess: (options: ProcessGroupOptions) => ProcessGroup
}): ContainerHost {
  const { faults, timing } = dependencies

  return {
    async start({ image, env, worker, unhealthy, log, signal }) {
      if (unhealthy) {
        await abortable(timing.unhealthyMs, signal)
        throw new Error('timed out waiting for rollout: the container does not accept connections')
      }
      const erring = faults.strike('app.error')
      if (image.serve.kind === 'static') {
        const { directory } = image.serve
        const handle = orError(erring, (request, response) => void serveStaticFile(directory, request, response))
        return { handle, exited: new Promise(() => {}), stop: async () => {} }
      }

      const folder = join(dependencies.root, randomUUID())
      await mkdir(folder, { recursive: true })
      await cp(image.folder, folder, { recursive: true, verbatimSymlinks: true })
      const port = await freePort()
      const serviceEnv = Object.fromEntries(env.map(({ key, value }) => [key, value]))
      const group = dependencies.startProcess({
        command: 'sh',
        args: ['-c', image.serve.command],
        cwd: join(folder, relative(image.folder, image.serve.workingDirectory)),
        env: {
          ...dependencies.baseEnv,
          HOME: join(folder, 'home'),
          ...image.serve.env,
          ...serviceEnv,
          PORT: String(port),
        },
        onLine: (line) => log(line.replaceAll(join(folder, 'source'), '/app').replaceAll(folder, '/app')),
        killGraceMs: timing.killGraceMs,
      })
      const stop = async () => {
        await group.stop()
        await rm(folder, { recursive: true, force: true, maxRetries: 3 })
      }
      try {
        if (!worker) await healthGate(port, group, signal)
      } catch (error) {
        await stop()
        throw error
      }
      return {
        handle: orError(erring, (request, response) => proxy(port, request, response)),
        exited: group.exited,
        stop,
      }
    },
  }

  /** The platform's gate: the container must accept TCP connections on its port, from outside itself. */
  async function healthGate(port: number, group: ProcessGroup, signal: AbortSignal): Promise<void> {
    const deadlineMs = Date.now() + timing.healthGateMs
    let exitCode: number | undefined
    void group.exited.then((code) => {
      exitCode = code
    })
    while (!(await acceptsConnections(port))) {
      signal.throwIfAborted()
      if (exitCode !== undefined) throw new Error(`container exited with code ${exitCode} before accepting connections`)
      if (Date.now() > deadlineMs) {
        throw new Error('timed out waiting for rollout: nothing accepts connections on $PORT on 0.0.0.0')
      }
      await abortable(15, signal)
    }
    signal.throwIfAborted()
  }
}

function orError(fault: StruckFault | undefined, handle: Container['handle']): Container['handle'] {
  if (fault === undefined) return handle
  return (request, response) => {
    request.resume()
    const status = Number(fault.options.status ?? 500)
    response
      .writeHead(status, { 'content-type': 'text/plain' })
      .end(String(fault.options.body ?? 'Internal Server Error\n'))
  }
}

/** Waits, and throws the signal's reason as soon as it is aborted. */
export function abortable(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

function acceptsConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: APP_HOST, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, () => {
      const address = server.address()
      server.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port to be had')),
      )
    })
  })
}

function proxy(port: number, request: IncomingMessage, response: ServerResponse): void {
  const upstream = httpRequest(
    { host: APP_HOST, port, method: request.method, path: request.url, headers: request.headers, agent: false },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
      answer.once('error', () => response.destroy())
    },
  )
  upstream.once('error', () => {
    if (response.headersSent) response.destroy()
    else response.writeHead(502, { 'content-type': 'text/plain; charset=utf-8' }).end('Bad Gateway')
  })
  response.once('close', () => upstream.destroy())
  request.pipe(upstream)
}
