import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parseInkFile } from '../../../src/plan/file/ink-file.ts'

const root = resolve(import.meta.dirname, '../../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const validate = new Ajv2020({ allowUnionTypes: true }).compile(JSON.parse(read('ink.schema.json')))
const schemaUrl = 'https://raw.githubusercontent.com/OWNER/ink-deploy/v1/ink.schema.json'

const examples = (await readdir(join(root, 'examples'), { recursive: true })).filter((path) =>
  /(^|\/)ink\.yml$/.test(path),
)
/** What the documents show of the file. */
const shown = ['README.md', 'skills/ink-deploy/references/action.md'].flatMap((path) =>
  [...read(path).matchAll(/```yaml\n([\s\S]*?)```/g)]
    .map(([, block = '']) => block)
    .filter((block) => /^# ink\.yml|ink\.schema\.json/.test(block))
    .map((block, index) => [`${path}, ${index + 1}`, block] as const),
)

/** The recipes of the README that are a line of the file. */
const recipes = [...read('README.md').matchAll(/^\|[^|]*\| `((?:services|previews): \{[^`]*\})`/gm)].map(
  ([, line = '']) => [line, line] as const,
)

describe('the schema for editors, and the action itself, take', () => {
  const files = [...examples.map((path) => [path, read(join('examples', path))] as const), ...shown, ...recipes]
  it('no less than there are', () => {
    expect(examples.length).toBeGreaterThan(1)
    expect(shown.length).toBeGreaterThan(3)
    expect(recipes.length).toBeGreaterThan(4)
  })

  it.each(files)('%s', (_, text) => {
    validate(parse(text))
    expect(validate.errors ?? []).toEqual([])
    expect(parseInkFile(text, 'ink.yml')).toMatchObject({ ok: true })
  })
})

it.each(examples)('%s names the schema in its first line, for editors', (path) => {
  expect(read(join('examples', path)).split('\n')[0]).toBe(`# yaml-language-server: $schema=${schemaUrl}`)
})

describe('the schema refuses, as the action does,', () => {
  it.each([
    ['an unknown key', 'services: { web: { heath: { path: / } } }'],
    ['an unknown size', 'services: { web: { size: { memory: 3Gi } } }'],
    ['a port that is none', 'services: { web: { port: 70000 } }'],
    ['a list where a mapping belongs', 'services: []'],
    ['a duration without unit', 'previews: { ttl: 7 }'],
  ])('%s', (_, text) => {
    expect(validate(parse(text))).toBe(false)
  })
})
