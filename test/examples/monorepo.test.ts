import { expect, it } from 'vitest'
import { useStage } from '../flows/use-stage.ts'
import { openPullRequest, runExample } from './run-example.ts'

const example = 'monorepo'
const stage = useStage({ timing: { healthGateMs: 60_000 } })

it('a pull request gets front end and API with a database, wired to each other, and its close takes all of it away', async () => {
  const change = { 'web/greeting.js': "export const greeting = 'Hello, you'\n" }
  const { scene, head, number } = await openPullRequest(stage, example, change)
  const { repository } = scene
  const event = await repository.event('pull_request', { action: 'opened', number })
  const opened = await runExample(stage, example, scene, event)
  expect([opened.told, ...opened.warnings]).toEqual(['live'])
  const services = JSON.parse(opened.outputs.services ?? '{}')
  expect(services).toMatchObject({
    web: { status: 'live', commit: head, service: scene.preview(number) },
    api: { status: 'live', commit: head, service: `${scene.production}-api-pr-${number}` },
  })
  const page = await (await fetch(services.web.url)).text()
  expect(page).toContain('Hello, you')
  expect(page).toContain('The API says: <em>read from a database of its own</em>')
  expect(page).toContain(head)

  await repository.close(number)
  const closing = await repository.event('pull_request', { action: 'closed', number })
  expect((await runExample(stage, example, scene, closing)).told).toBe('removed')
  expect(stage.ink.services()).toEqual([])
  expect(stage.github.violations).toEqual([])
})
