// What a run imports when it needs it: virtual time does not wait for files to be read.
import { setTimeout as pause } from 'node:timers/promises'
import '../src/flows/carry-out.ts'
import '../src/flows/environment/environment.ts'
import '../src/flows/teardown.ts'
import type { RunEvent } from '../src/plan/event.ts'
import { openStage } from '../test/flows/stage.ts'
import { BASE, openWorld } from '../test/flows/virtual-world.ts'
import { atMost, type Bench, type Row } from './table.ts'

const PREVIEWS = 100
const CALL_MS = 50
const schedule: RunEvent = { kind: 'schedule', cron: '17 3 * * *' }

/** How often a run asks the platform and GitHub, and what a sweep of many previews takes when every answer takes its time. */
export const benchCalls: Bench = async () => {
  const swept = await sweep(PREVIEWS)
  return [
    ...(await updates()),
    atMost(`sweep of ${PREVIEWS} previews at ${CALL_MS} ms a call`, swept.seconds, 5, 's'),
    { what: `calls to ml.ink in it`, figure: String(swept.calls) },
  ]
}

/** A preview that is updated, with a build of twelve seconds. */
async function updates(): Promise<readonly Row[]> {
  await using stage = await openStage({ timing: { queueMs: 1_000, rolloutMs: 11_000 } })
  const scene = await stage.scene()
  const { number } = await scene.open('one')
  await scene.act('pull_request', { action: 'opened', number })
  const { sha, before } = await scene.push(number, 'two')
  const since = stage.ink.journal.length
  const updated = await scene.act('pull_request', { action: 'synchronize', number, after: sha, before })
  if (updated.outputs.status !== 'live') throw new Error(`the preview is ${updated.told}`)
  const besidePolling = toolsOf(stage.ink.journal.slice(since))
  return [
    atMost('calls of tools for an update, beside polling', besidePolling.length, 5, ''),
    // The tests have nothing checked out, so that one more asks for ink.yml.
    atMost('calls to GitHub for it, with a build of 12 s', updated.githubCalls.length - 1, 9, ''),
  ]
}

/** The tools that were called, without the readings of a deployment that went on. */
export function toolsOf(journal: readonly { readonly name: string }[]): readonly string[] {
  const tools = journal.flatMap(({ name }) => (/^[a-z]+_[a-z_]+$|^whoami$/.test(name) ? [name] : []))
  const started = tools.findIndex((name) => name === 'update_service' || name === 'create_service')
  return tools.filter((name, index) => index <= started || name !== 'get_service')
}

/** All previews of closed pull requests, swept in virtual time. */
export async function sweep(previews: number): Promise<{ readonly seconds: number; readonly calls: number }> {
  const world = openWorld({ latencyMs: () => CALL_MS, deletionMs: 1_000, limit: 2 * previews, turn: () => pause(5) })
  const marks = { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'acme/web' }
  for (let number = 1; number <= previews; number += 1) {
    world.github.setPull(number, { open: false })
    const branch = `ink/pr-${number}/${BASE}-pr-${number}/${'a'.repeat(40)}`
    world.ink.add(`${BASE}-pr-${number}`, branch, { ...marks, INK_GIT_PULL_REQUEST: String(number) })
    world.ink.branches.set(branch, 'a'.repeat(40))
  }
  const startedAt = world.time.clock.now()
  const run = world.start(schedule, { command: 'sweep' })
  await world.time.drive(run.done)
  if (world.ink.services.size > 0) throw new Error(`${world.ink.services.size} previews are left`)
  return { seconds: (world.time.clock.now() - startedAt) / 1_000, calls: world.ink.calls }
}
