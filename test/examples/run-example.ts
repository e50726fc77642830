import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { WebhookEvent } from '../../sandbox/github/github.ts'
import { evaluateTemplate } from '../../sandbox/runner/expression.ts'
import { filesOf } from '../../sandbox/story.ts'
import { isInput } from '../../src/plan/settings.ts'
import type { Act, Scene, Stage } from '../flows/stage.ts'

const workflowSchema = z.object({
  jobs: z.object({
    deploy: z.object({
      permissions: z.record(z.string(), z.enum(['read', 'write'])),
      steps: z.array(
        z.object({ uses: z.string().optional(), with: z.record(z.string(), z.coerce.string()).optional() }),
      ),
    }),
  }),
})

/** Folder of an example that is a repository of its own. */
export function exampleFolder(name: string): string {
  return resolve(import.meta.dirname, '../../examples', name)
}

/** Opens a pull request in a repository that is a copy of the example, but for what is changed in it. */
export async function openPullRequest(stage: Stage, name: string, change: Readonly<Record<string, string>>) {
  const scene = await stage.scene()
  const { repository } = scene
  const files = { 'index.html': null, ...(await filesOf(exampleFolder(name))) }
  const first = await repository.commit({ branch: 'main', files, message: 'Start' })
  const head = await repository.commit({ branch: 'change', parent: first, files: change, message: 'Change' })
  const { number } = await repository.openPullRequest({ head: 'change', title: 'Change' })
  return { scene, first, head, number }
}

/** Where the workflow of an example is that is a repository of its own, from the examples' folder. */
export function ownWorkflow(name: string): string {
  return join(name, '.github/workflows/deploy.yml')
}

/**
 * What a workflow has the action's step given at an event, and what it grants its job.
 * @param path from the examples' folder
 * @throws Error when it gives the step what is no input
 */
export async function readStep(stage: Stage, path: string, event: WebhookEvent, secrets = {}) {
  const workflow = await readFile(exampleFolder(path), 'utf8')
  const { permissions, steps } = workflowSchema.parse(parse(workflow)).jobs.deploy
  const step = steps.find(({ uses }) => uses?.includes('ink-deploy'))
  const contexts = {
    inputs: {},
    secrets: { INK_API_KEY: stage.ink.apiKey, ...secrets },
    github: { event: event.payload, event_name: event.name },
  }
  const entries = Object.entries(step?.with ?? {})
  for (const [input] of entries) if (!isInput(input)) throw new Error(`There is no input ${input}.`)
  const inputs: Record<string, string> = Object.fromEntries(
    entries.map(([input, value]) => [input, evaluateTemplate(value, contexts, 'success')]),
  )
  return { workflow, permissions, inputs }
}

/** Runs the action as the example's own workflow does, where nothing is checked out. */
export async function runExample(
  stage: Stage,
  name: string,
  scene: Scene,
  event: WebhookEvent,
  secrets: Readonly<Record<string, string>> = {},
): Promise<Act> {
  const { inputs, ...step } = await readStep(stage, ownWorkflow(name), event, secrets)
  return scene.play(event, { ...step, inputs: { 'build-pack': '', timeout: '', ...inputs } })
}
