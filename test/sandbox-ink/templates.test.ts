import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Ink, startInk, until } from './harness.ts'

let ink: Ink
beforeAll(async () => {
  ink = await startInk({ profile: 'g2' })
})
afterAll(async () => ink[Symbol.asyncDispose]())

interface Instance {
  readonly id: string
  readonly status: string
  readonly services: readonly { readonly name: string; readonly status: string }[]
  readonly outputs: readonly { readonly key: string; readonly sensitive: boolean; readonly value: string }[]
}

const list = async () => (await ink.call('template_instance_list')).instances as Instance[]
const outputOf = ({ outputs }: Instance, key: string) => outputs.find((output) => output.key === key)?.value

test('a template becomes a service with credentials, which lists mask and its own reading tells', async () => {
  const deployed = await ink.call('template_deploy', { template: 'postgres', name: 'pg' })
  expect(deployed).toMatchObject({
    templateInstanceId: expect.any(String),
    services: [{ name: 'pg', status: 'deploying', endpoints: [{ protocol: 'tcp', port: '5432' }] }],
  })
  await until('it runs', async () => (await list())[0]?.status === 'active')
  const [listed] = await list()
  expect(outputOf(listed as Instance, 'password')).toBe('********')
  const read = (await ink.call('template_instance_get', { id: deployed.templateInstanceId })) as unknown as Instance
  const password = outputOf(read, 'password') ?? ''
  expect(outputOf(read, 'connection_string')).toBe(`postgresql://app:${password}@pg.tcp.ml.ink:5432/app`)
  expect(await ink.call('service_list')).toMatchObject({ services: [{ name: 'pg', repo: '', status: 'active' }] })
})

test('its volume grows only, and can be deleted only once its service is gone', async () => {
  expect(await ink.call('volume_list')).toMatchObject({ volumes: [{ name: 'pg-data', sizeGi: 1, status: 'attached' }] })
  expect(await ink.call('volume_resize', { name: 'pg-data', size_gi: 3 })).toMatchObject({ sizeGi: 3 })
  expect(await ink.refusal('volume_resize', { name: 'pg-data', size_gi: 2 })).toContain('can only grow')
  expect(await ink.refusal('volume_delete', { name: 'pg-data' })).toContain('only detached volumes')
  await ink.call('service_delete', { name: 'pg' })
  await until('its service is gone', () => ink.platform.service('pg') === undefined)
  expect(await list()).toMatchObject([{ name: 'pg', status: 'removed', services: [] }])
  expect(ink.platform.volumes()).toEqual(['pg-data'])
  await ink.call('volume_delete', { name: 'pg-data' })
  expect(ink.platform.volumes()).toEqual([])
})

test('what was changed is in the action log, newest first', async () => {
  const { nodes } = (await ink.call('action_log_list', { limit: 3 })) as { nodes: { action: string }[] }
  expect(nodes.map(({ action }) => action)).toEqual(['volume.delete', 'service.delete', 'volume.resize'])
  const templates = (await ink.call('action_log_list', { entity_type: 'template' })) as { nodes: unknown[] }
  expect(templates.nodes).toMatchObject([{ action: 'template.deploy', source: 'mcp' }])
})

test.each([
  ['template_deploy', { template: 'oracle', name: 'x' }, 'template not found: oracle'],
  ['template_deploy', { template: 'redis', name: '' }, 'name is required'],
  ['template_instance_get', { id: 'gone' }, 'template instance not found: gone'],
  ['volume_delete', { name: 'gone' }, 'volume not found: gone'],
])('%s with %j is refused with “%s”', async (tool, args, text) => {
  expect(await ink.refusal(tool, args)).toBe(text)
})
