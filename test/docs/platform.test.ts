import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type InkProfile, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { type Purpose, toolNames } from '../../src/ink/catalogue.ts'
import { codeSpans, readMarkdown } from '../skill/markdown.ts'
import { connect } from '../skill/reader.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(resolve(root, path), 'utf8')

interface Row {
  readonly purpose: string | undefined
  readonly tools: readonly string[]
  readonly usedBy: string
}

let tools: readonly Row[]
let shownBy: readonly string[]
beforeAll(async () => {
  const { tables } = await readMarkdown(resolve(root, 'docs/platform.md'))
  const bodies = tables.map(([, ...rows]) => rows)
  shownBy = bodies.flat().map((row) => row.at(-1) ?? '')
  tools = (bodies[0] ?? []).map(([purpose = '', names = '', usedBy = '']) => ({
    purpose: codeSpans(purpose)[0],
    tools: codeSpans(names),
    usedBy,
  }))
})

describe('docs/platform.md', () => {
  it.each(Object.entries(toolNames))('has a row for %s, with every name in its order', (purpose, names) => {
    expect(tools.filter((row) => row.purpose === purpose).map((row) => row.tools)).toEqual([names])
  })

  it('knows no purpose that there is not', () => {
    expect(
      tools.flatMap(({ purpose }) => purpose ?? []).filter((purpose) => !Object.hasOwn(toolNames, purpose)),
    ).toEqual([])
  })

  it.each<InkProfile>(['g0', 'g1', 'g2'])('has every tool of the generation %s', async (profile) => {
    await using ink = await startInkPlatform({ profile, credits: {}, insight: true })
    const client = await connect({ url: ink.endpoint, headers: { Authorization: `Bearer ${ink.apiKey}` } })
    const listed = (await client.listTools()).tools.map(({ name }) => name)
    await client.close()
    expect(listed.filter((name) => tools.every((row) => !row.tools.includes(name)))).toEqual([])
  })

  it('says of each purpose truly whether it is used, and names files that there are', () => {
    const used = purposesInUse()
    for (const { purpose, usedBy } of tools) {
      const files = codeSpans(usedBy).filter((code) => code.startsWith('src/'))
      expect(files.filter((path) => !existsSync(resolve(root, path)))).toEqual([])
      const inUse = purpose !== undefined && used.has(purpose as Purpose)
      expect(files.length > 0 ? 'used' : usedBy.split(':')[0], purpose ?? 'a tool without a purpose').toBe(
        inUse ? 'used' : 'nothing',
      )
    }
  })

  it('names tests that there are', () => {
    expect(shownBy.length).toBeGreaterThan(Object.keys(toolNames).length)
    for (const cell of shownBy) {
      const [, path = '', title = ''] = /^`(test\/[\w/-]+\.test\.ts)` “(.+)”$/.exec(cell) ?? []
      expect(path, cell).not.toBe('')
      expect(read(path), cell).toMatch(titled(title))
    }
  })
})

/** The title of a test or of a group of them; further words may follow it, such as what differs between cases. */
function titled(title: string): RegExp {
  const literal = title.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`['"\`](?:[^'"\`\\n]*: )?${literal}`)
}

/** The purposes for which some call is made. */
function purposesInUse(): ReadonlySet<Purpose> {
  const files = readdirSync(resolve(root, 'src/ink')).filter((name) => name !== 'catalogue.ts')
  const code = files.map((name) => read(`src/ink/${name}`)).join('\n')
  const asked = (purpose: string) =>
    new RegExp(`(repeatable|once|ifOffered|askFor|deleting|need)\\(\\s*'${purpose}'`).test(code)
  return new Set((Object.keys(toolNames) as Purpose[]).filter(asked))
}
