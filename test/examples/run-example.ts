import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { RunOptions, RunResult, Sandbox, WebhookEvent } from '../../sandbox/index.ts'
import { evaluateTemplate } from '../../sandbox/runner/expression.ts'

const workflow = z.object({
  jobs: z.object({
    deploy: z.object({
      permissions: z.record(z.string(), z.enum(['read', 'write'])),
      steps: z.array(
        z.object({ uses: z.string().optional(), with: z.record(z.string(), z.coerce.string()).optional() }),
      ),
    }),
  }),
})

/** Runs the action's step as an example's own workflow has it, after `prepare` has done what its other steps do. */
export async function runExample(
  sandbox: Sandbox,
  of: {
    /** Folder of the example. */
    readonly example: string
    readonly repository: RunOptions['repository']
    readonly event: WebhookEvent
    readonly secrets?: Readonly<Record<string, string>>
    readonly prepare?: RunOptions['prepare']
  },
): Promise<RunResult> {
  const { example, repository, event, secrets, prepare } = of
  const { jobs } = workflow.parse(parse(await readFile(join(example, '.github/workflows/deploy.yml'), 'utf8')))
  const { permissions, steps } = jobs.deploy
  const step = steps.find(({ uses }) => uses?.includes('ink-deploy'))
  const contexts = {
    secrets: { INK_API_KEY: sandbox.ink.apiKey, ...secrets },
    github: { event: event.payload, event_name: event.name },
  }
  const inputs = Object.entries(step?.with ?? {}).map(([name, value]) => [
    name,
    evaluateTemplate(value, contexts, 'success'),
  ])
  return sandbox.run({
    repository,
    event,
    permissions,
    with: Object.fromEntries(inputs),
    ...(prepare === undefined ? {} : { prepare }),
  })
}
