import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { actionTypes, settingsSchema, actionYaml as wantedActionYaml, withTables } from '../../scripts/docs.ts'
import { outputs } from '../../src/plan/setting-table.ts'
import { parseSettings } from '../../src/plan/settings.ts'
import { readInputs } from '../../src/runner/load-run.ts'
import { inputDefaults, rawInputs } from '../plan/plan-inputs.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const actionYaml = readFileSync(join(root, 'action.yml'), 'utf8')
const described = z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() }))
const action = z
  .object({
    inputs: described,
    outputs: described,
    runs: z.object({ using: z.string(), main: z.string(), post: z.string(), 'post-if': z.string() }),
  })
  .parse(parse(actionYaml))

/** An object that notes which of its properties are asked for. */
function watched<T extends object>(target: T): { readonly object: T; readonly asked: Set<string> } {
  const asked = new Set<string>()
  const object = new Proxy(target, {
    get(of, name, receiver) {
      if (typeof name === 'string') asked.add(name)
      return Reflect.get(of, name, receiver)
    },
  })
  return { object, asked }
}

describe('the inputs that action.yml declares', () => {
  const declared = Object.keys(action.inputs)

  test('are exactly those that are read from the environment', () => {
    const { object, asked } = watched<Record<string, string>>({})
    readInputs(object)
    const variables = declared.map((name) => `INPUT_${name.toUpperCase()}`)
    expect([...asked].sort()).toEqual([...variables, 'INK_API_KEY'].sort())
  })

  test('are exactly those of which settings are made', () => {
    const { object, asked } = watched({ ...rawInputs() })
    parseSettings(object, {})
    expect([...asked].sort()).toEqual([...declared].sort())
  })

  test('have the defaults that the code falls back to', () => {
    const { 'github-token': token, ...others } = action.inputs
    expect(token?.default).toMatch(/^\$\{\{ github\.token \}\}$/)
    for (const [name, { default: value = '' }] of Object.entries(others)) {
      expect({ [name]: value }).toEqual({ [name]: Reflect.get(inputDefaults, name) })
    }
  })
})

describe('the outputs that action.yml declares', () => {
  const declared = Object.keys(action.outputs)

  test('are exactly those that have a name in the code', () => {
    expect(Object.keys(outputs).sort()).toEqual([...declared].sort())
  })

  test('are exactly those that the code sets', () => {
    const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((f) => f.endsWith('.ts'))
    const source = files.map((file) => readFileSync(join(root, 'src', file), 'utf8')).join('\n')
    const set = [...source.matchAll(/\boutput\(\s*'([a-z-]+)'/g)].map(([, name]) => name)
    expect([...new Set(set)].sort()).toEqual([...declared].sort())
  })
})

test('action.yml, action-types.yml and ink.schema.json are those of the table of settings', () => {
  expect(actionYaml).toBe(wantedActionYaml())
  expect(readFileSync(join(root, 'action-types.yml'), 'utf8')).toBe(actionTypes())
  expect(readFileSync(join(root, 'ink.schema.json'), 'utf8')).toBe(settingsSchema())
})

test('every input and output has a type that github-actions-typing knows', () => {
  const typed = z.object({
    type: z.enum(['string', 'boolean', 'integer', 'float', 'enum']),
    'allowed-values': z.array(z.string()).min(2).optional(),
  })
  const types = z
    .object({ inputs: z.record(z.string(), typed), outputs: z.record(z.string(), typed) })
    .parse(parse(actionTypes()))
  expect(Object.keys(types.inputs)).toEqual(Object.keys(action.inputs))
  expect(Object.keys(types.outputs)).toEqual(Object.keys(action.outputs))
  expect(types.inputs.command?.['allowed-values']).toContain('plan')
})

test('every description is one line that ends without a full stop, as in a table', () => {
  for (const { description } of Object.values({ ...action.inputs, ...action.outputs })) {
    expect(description).toMatch(/^\S[^\n]*[^\s.]$/)
  }
})

test('the action runs on Node 24, and its post step always', () => {
  expect(action.runs).toEqual({
    using: 'node24',
    main: 'dist/main/index.js',
    post: 'dist/post/index.js',
    'post-if': 'always()',
  })
})

describe('the tables in the README', () => {
  test('are those of action.yml', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    expect(withTables(readme, actionYaml)).toBe(readme)
  })

  test('replace what was between their markers, and nothing else', () => {
    const readme = 'a\n<!-- inputs -->\nold\n<!-- /inputs -->\nb\n<!-- outputs -->\n<!-- /outputs -->\nc\n'
    const yaml = 'inputs: {x: {description: "one | <b> `<c>`", default: "1"}}\noutputs: {y: {description: two}}'
    expect(withTables(readme, yaml)).toBe(
      [
        'a\n<!-- inputs -->',
        '| Input | Default | Meaning |\n|---|---|---|\n| `x` | `1` | one \\| &lt;b> `<c>` |',
        '<!-- /inputs -->\nb\n<!-- outputs -->',
        '| Output | Meaning |\n|---|---|\n| `y` | two |',
        '<!-- /outputs -->\nc\n',
      ].join('\n'),
    )
  })

  test('cannot be written into a README without markers', () => {
    expect(() => withTables('nothing', 'inputs: {}\noutputs: {}')).toThrow('<!-- inputs -->')
  })
})
