import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { FaultRegistry } from '../../fault.ts'
import type { ProcessGroup, ProcessGroupOptions } from '../deploy/process-group.ts'
import type { InkFaultName } from '../faults.ts'
import { checkOut } from '../git/checkout.ts'
import type { GitCommand } from '../git/command.ts'
import type { Repositories, Repository } from '../git/repositories.ts'
import type { InkTiming } from '../options.ts'
import type { ServiceConfig } from '../services.ts'
import { BuildFailure, type BuildTools, type Image, insideFolder } from './image.ts'
import { buildSource } from './packs.ts'

/** How many built images are kept that no service runs. */
const KEPT_IMAGES = 40

export interface BuildRequest {
  readonly repository: Repository
  /** Project and service name; images are shared by nobody else. */
  readonly imageName: string
  readonly config: ServiceConfig
  readonly log: (line: string) => void
  readonly signal: AbortSignal
}

export interface BuildOutcome {
  readonly image: Image
  readonly commit: string
  readonly cached: boolean
}

export interface Builder {
  /** Clones and builds, unless the image exists. Throws `BuildFailure`, or the signal's reason when it was aborted. */
  build(request: BuildRequest): Promise<BuildOutcome>
  /** Marks an image as running, so that it is kept. Returns the function that releases it. */
  hold(image: Image): () => void
}

export interface BuilderDependencies {
  readonly root: string
  readonly git: GitCommand
  readonly repositories: Repositories
  readonly addresses: { readonly gitOrigin: string }
  readonly faults: FaultRegistry<InkFaultName>
  readonly timing: InkTiming
  /** Environment that every build and every app gets, before the service's own. */
  readonly baseEnv: Readonly<Record<string, string>>
  readonly startProcess: (options: ProcessGroupOptions) => ProcessGroup
}

/** The key of an image: commit, build configuration and environment. Nothing else makes the platform build again. */
export function imageKey(imageName: string, commit: string, config: ServiceConfig): string {
  const { repo, branch, memory, vcpus, ...build } = config
  return createHash('sha256')
    .update(JSON.stringify([imageName, commit, build]))
    .digest('hex')
}

export function createBuilder(dependencies: BuilderDependencies): Builder {
  const { git, repositories, addresses, faults, timing } = dependencies
  const images = new Map<string, Image>()
  const holders = new Map<Image, number>()

  /** The commit that is to be built. Fails in the words of the `git clone` that the platform does. */
  async function findCommit({ repository, config }: BuildRequest, folder: string): Promise<string> {
    const fail = (words: string) => {
      const output = `Cloning into '/tmp/build-${basename(folder)}'...\n${words}\n`
      return new BuildFailure(`git clone failed: exit status 128\noutput: ${output}`, 'clone')
    }
    if (!repositories.isPrepared(repository)) {
      const remote = `${addresses.gitOrigin}/${repository.fullName}.git/`
      throw fail(
        `remote: git command failed\nfatal: unable to access '${remote}': The requested URL returned error: 500`,
      )
    }
    const commit = (await repositories.branches(repository)).get(config.branch)
    if (commit === undefined) throw fail(`fatal: Remote branch ${config.branch} not found in upstream origin`)
    return commit
  }

  function toolsFor(request: BuildRequest, folder: string): BuildTools {
    const serviceEnv = Object.fromEntries(request.config.env.map(({ key, value }) => [key, value]))
    return {
      log: request.log,
      async run(command, workingDirectory, env = {}) {
        const group = dependencies.startProcess({
          command: 'sh',
          args: ['-c', command],
          cwd: workingDirectory,
          env: { ...dependencies.baseEnv, CI: 'true', HOME: join(folder, 'home'), ...serviceEnv, ...env },
          // The platform builds in a container, at /app, and that is the path which its logs name.
          onLine: (line) => request.log(line.replaceAll(join(folder, 'source'), '/app')),
          killGraceMs: timing.killGraceMs,
        })
        const stop = () => void group.stop()
        request.signal.addEventListener('abort', stop, { once: true })
        const exitCode = await group.exited
        request.signal.removeEventListener('abort', stop)
        await group.stop()
        request.signal.throwIfAborted()
        if (exitCode === 0) return
        const text = `process "sh -c ${command}" did not complete successfully: exit code: ${exitCode}`
        request.log(`ERROR: ${text}`)
        throw new BuildFailure(text)
      },
    }
  }

  async function sufferFaults(tools: BuildTools, folder: string): Promise<void> {
    const slow = faults.strike('build.slow')
    if (slow !== undefined) await tools.run(`sleep ${Number(slow.options.delayMs ?? 2_000) / 1000}`, folder)
    const flood = faults.strike('build.log-flood')
    if (flood !== undefined) {
      const count = Number(flood.options.lines ?? 100_000)
      for (let line = 1; line <= count; line += 1) tools.log(`flood line ${line} of ${count}`)
    }
    const spoken = faults.strike('build.log-line')
    if (spoken !== undefined) for (const line of spoken.options.lines as string[]) tools.log(line)
    if (faults.strike('build.hang')) await tools.run('while true; do sleep 1; done', folder)
    const crash = faults.strike('build.crash')
    if (crash !== undefined) await tools.run(`exit ${Number(crash.options.exitCode ?? 137)}`, folder)
  }

  function forgetOldImages(): void {
    const idle = [...images.values()].filter((image) => !holders.has(image))
    for (const image of idle.slice(0, Math.max(0, idle.length - KEPT_IMAGES))) {
      images.delete(image.key)
      void rm(image.folder, { recursive: true, force: true, maxRetries: 3 })
    }
  }

  return {
    async build(request) {
      const folder = join(dependencies.root, randomUUID())
      await mkdir(join(folder, 'home'), { recursive: true })
      try {
        const commit = await findCommit(request, folder)
        request.log(`Cloning ${request.config.repo} (branch ${request.config.branch})`)
        const key = imageKey(request.imageName, commit, request.config)
        const existing = images.get(key)
        if (existing !== undefined) {
          request.log(`Image of ${commit.slice(0, 7)} exists already, skipping the build`)
          await rm(folder, { recursive: true, force: true, maxRetries: 3 })
          return { image: existing, commit, cached: true }
        }
        await checkOut({ git, repository: request.repository.path, commit, folder, signal: request.signal })
        const tools = toolsFor(request, folder)
        const root = insideFolder(join(folder, 'source'), request.config.rootDirectory || '.')
        await mkdir(root, { recursive: true })
        await sufferFaults(tools, root)
        const { serve } = await buildSource(request.config, root, tools)
        request.log('Successfully built image')
        const image = { key, folder, serve }
        images.set(key, image)
        forgetOldImages()
        return { image, commit, cached: false }
      } catch (error) {
        await rm(folder, { recursive: true, force: true, maxRetries: 3 })
        throw error
      }
    },
    hold(image) {
      holders.set(image, (holders.get(image) ?? 0) + 1)
      return () => {
        const left = (holders.get(image) ?? 1) - 1
        if (left > 0) holders.set(image, left)
        else holders.delete(image)
      }
    },
  }
}
