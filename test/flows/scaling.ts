import { expect } from 'vitest'
import type { Deps } from '../../src/flows/run.ts'
import type { Scene, Stage } from './stage.ts'

export const bounds = 'memory 256Mi..1024Mi, vcpus 0.5..2'
export const size = { memory: '256Mi', vcpus: '0.5' }

/** The monitor, so many minutes from now, and with other ports where a test wants some. */
export const look = (scene: Scene, inputs: Record<string, string> = {}, inMinutes = 0, change = (deps: Deps) => deps) =>
  scene.act(
    'workflow_dispatch',
    {},
    {
      inputs: { command: 'monitor', autoscale: bounds, 'health-timeout': '3s', ...size, ...inputs },
      change: (deps: Deps) => ({
        ...change(deps),
        clock: { ...deps.clock, now: () => deps.clock.now() + inMinutes * 60_000 },
      }),
    },
  )

/** Production, deployed with a size that is known. */
export async function deployed(stage: Stage): Promise<Scene> {
  const scene = await stage.scene()
  const run = await scene.act('push', { after: scene.first }, { inputs: { ...size, env: 'GREETING=hello' } })
  expect(run.told).toBe('live')
  return scene
}
