import { expect, it } from 'vitest'
import { useStage } from '../flows/use-stage.ts'
import { openPullRequest, runExample } from './run-example.ts'

const example = 'protected'
const stage = useStage({ timing: { healthGateMs: 60_000 } })

/** The status that a path answers to this user and password. */
async function enter(url: string, path: string, login?: string): Promise<number> {
  const headers = login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` }
  return (await fetch(new URL(path, url), { headers })).status
}

it('a preview asks for the password that only previews are given, and its health check needs none', async () => {
  const { scene, first, head, number } = await openPullRequest(stage, example, { 'NOTES.md': 'x' })
  const secrets = { PREVIEW_PASSWORD: 'open # sesame' }
  const opened = await scene.repository.event('pull_request', { action: 'opened', number })
  const preview = await runExample(stage, example, scene, opened, secrets)
  expect([preview.told, ...preview.warnings]).toEqual(['live'])
  const { url = '' } = preview.outputs
  expect(await (await fetch(new URL('/healthz', url))).text()).toBe(`ok ${head}\n`)
  expect([
    await enter(url, '/'),
    await enter(url, '/', 'preview:guess'),
    await enter(url, '/', 'preview:open # sesame'),
  ]).toEqual([401, 401, 200])

  const pushed = await scene.repository.event('push', { after: first })
  const production = await runExample(stage, example, scene, pushed, secrets)
  expect([production.told, ...production.warnings]).toEqual(['live'])
  expect(await enter(production.outputs.url ?? '', '/')).toBe(200)
  const given = (name: string) => stage.ink.service(name)?.env.PREVIEW_PASSWORD
  expect([given(scene.preview(number)), given(scene.production)]).toEqual(['open # sesame', undefined])
})

it('a preview whose password is missing is live and lets nobody in', async () => {
  const { scene, number } = await openPullRequest(stage, example, { 'NOTES.md': 'x' })
  const event = await scene.repository.event('pull_request', { action: 'opened', number })
  const { outputs, told, warnings } = await runExample(stage, example, scene, event)
  expect(told).toBe('live')
  expect(warnings).toEqual([expect.stringContaining('gh secret set PREVIEW_PASSWORD')])
  expect([await enter(outputs.url ?? '', '/'), await enter(outputs.url ?? '', '/', 'preview:')]).toEqual([401, 401])
})
