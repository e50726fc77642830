import { describe, expect, it } from 'vitest'
import type { Caller } from '../../src/ink/catalogue.ts'
import { openCatalogue } from '../../src/ink/catalogue.ts'
import { ToolError } from '../../src/ink/errors.ts'
import { templateCalls } from '../../src/ink/platform.ts'
import { readResult } from '../../src/ink/results.ts'

const catalogue = openCatalogue(
  ['template_instance_list', 'template_instance_get'].map((name) => ({ name, inputSchema: { type: 'object' } })),
)

/** Finds the instance `db` where the list and the single answers are these. */
function find(list: readonly object[], single: Readonly<Record<string, object>>) {
  const repeatable: Caller['repeatable'] = async (purpose, wanted, schema) => {
    if (purpose === 'listTemplateInstances') return readResult(schema, { instances: list }, purpose)
    const found = single[String(wanted.instanceId)]
    if (!found) throw new ToolError('template_instance_get', 'instance not found')
    return readResult(schema, found, purpose)
  }
  return templateCalls({ repeatable, once: repeatable }, catalogue).templateInstance('db', new AbortController().signal)
}

const services = [{ service_id: 's1', name: 'db', status: 'active' }]

describe('the instance of a template', () => {
  it('is found although the list shows no services', async () => {
    const found = await find([{ id: 'a', name: 'db' }], { a: { id: 'a', name: 'db', status: 'active', services } })
    expect(found).toMatchObject({ id: 'a', services: [{ id: 's1', name: 'db' }] })
  })

  it('is the one that has services, of all that have had its name', async () => {
    const list = [
      { id: 'gone', name: 'db' },
      { id: 'emptied', name: 'db', services },
      { id: 'other', name: 'db-2', services },
      { id: 'a', name: 'db' },
    ]
    const emptied = { id: 'emptied', name: 'db', services: [] }
    expect(await find(list, { emptied, a: { id: 'a', name: 'db', services } })).toMatchObject({ id: 'a' })
    expect(await find(list, { emptied })).toBeUndefined()
  })
})
