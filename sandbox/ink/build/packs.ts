import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ServiceConfig } from '../services.ts'
import { detectApp } from './detect.ts'
import { buildDockerfile } from './dockerfile.ts'
import { BuildFailure, type BuildTools, type Image, insideFolder } from './image.ts'

/** Builds a checked-out source folder in place with the service's build pack, and says how the result is served. */
export async function buildSource(
  config: ServiceConfig,
  folder: string,
  tools: BuildTools,
): Promise<Pick<Image, 'serve'>> {
  switch (config.buildPack) {
    case 'static':
      tools.log('#4 [1/1] COPY . /usr/share/nginx/html')
      return { serve: { kind: 'static', directory: folder } }
    case 'dockerfile':
      return { serve: await buildDockerfile(config, folder, tools) }
    case 'railpack':
      return { serve: await buildRailpack(config, folder, tools) }
    default:
      throw new BuildFailure(`${config.buildPack} build pack is not supported on k8s`, 'workflow')
  }
}

async function buildRailpack(config: ServiceConfig, folder: string, tools: BuildTools): Promise<Image['serve']> {
  const plan = await detectApp(folder)
  if (plan === undefined && config.startCommand === '') {
    tools.log('✖ Railpack could not determine how to build the app.')
    throw new BuildFailure('railpack prepare failed: could not determine how to build the app')
  }
  tools.log(`↳ Detected ${plan?.provider ?? 'shell'}`)
  const detectedSteps = plan?.steps ?? []
  const steps =
    config.buildCommand === ''
      ? detectedSteps
      : [...detectedSteps.filter((step) => step.name !== 'build'), { name: 'build', command: config.buildCommand }]
  for (const [index, step] of steps.entries()) {
    tools.log(`#${index + 5} [${step.name}] ${step.command}`)
    await tools.run(step.command, folder)
  }
  if (config.publishDirectory !== '') return servePublished(folder, config.publishDirectory)
  // Railpack's images find what was installed, whoever starts it.
  const withTools = plan?.provider === 'python' ? 'PATH="$PWD/.venv/bin:$PATH"; ' : ''
  if (config.startCommand !== '') return startProcess(`${withTools}${config.startCommand}`, folder)
  if (plan?.start === undefined) {
    tools.log('✖ No start command detected. Specify a start command.')
    throw new BuildFailure('railpack prepare failed: no start command was found')
  }
  if ('directory' in plan.start) return { kind: 'static', directory: join(folder, plan.start.directory) }
  return startProcess(`${withTools}${plan.start.command}`, folder)
}

function startProcess(command: string, workingDirectory: string): Image['serve'] {
  return { kind: 'process', command, workingDirectory, env: {} }
}

async function servePublished(folder: string, publishDirectory: string): Promise<Image['serve']> {
  const directory = insideFolder(folder, publishDirectory)
  const found = await stat(directory).catch(() => undefined)
  if (!found?.isDirectory()) {
    throw new BuildFailure(
      `failed to compute cache key: failed to calculate checksum of ref: "/app/${publishDirectory}": not found`,
    )
  }
  return { kind: 'static', directory }
}
