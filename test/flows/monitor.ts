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

/** The branches in which the monitor keeps what it remembers. */
export const memories = async (scene: Scene) =>
  (await scene.branches()).filter((name) => name.startsWith('ink/monitor/'))

/** That the monitor counts its checks from run to run, so many of which there were, starts nothing, and keeps one branch. */
export async function countsChecks(stage: Stage, scene: Scene, checks: number): Promise<void> {
  const deployments = () => stage.ink.service(scene.production)?.deployments.length
  const before = deployments()
  const today = new Date().toISOString().slice(0, 10)
  const look = async () => (await scene.act('workflow_dispatch', {}, { inputs: { command: 'monitor' } })).summary
  const seen: (readonly string[])[] = [await memories(scene)]
  for (const count of [checks + 1, checks + 2]) {
    expect(await look()).toContain(`100 % over ${count} check${count === 1 ? '' : 's'} since ${today}`)
    seen.push(await memories(scene))
  }
  expect(seen.map(({ length }) => length)).toEqual([Math.min(checks, 1), 1, 1])
  expect(new Set(seen.flat()).size).toBe(checks === 0 ? 2 : 3)
  expect(deployments()).toBe(before)
}
