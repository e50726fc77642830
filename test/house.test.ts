import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

/** What CONTRIBUTING.md says about the house, held against the imports themselves. Each test lists whoever breaks a rule. */

const root = fileURLToPath(new URL('..', import.meta.url))
const files = ['src', 'sandbox', 'bench', 'scripts'].flatMap(sourcesIn)
const imports = new Map(files.map((file) => [file, importsOf(file)]))

/** Which rooms a room may know beside itself; whoever is not named here may know all. */
const mayKnow: Readonly<Record<string, readonly string[]>> = {
  core: [],
  plan: ['core'],
  diagnosis: ['core', 'plan'],
  report: ['core', 'plan', 'diagnosis'],
  runner: ['core', 'plan'],
  source: ['core', 'plan'],
  ink: ['core', 'plan'],
  github: ['core', 'plan'],
  watch: ['core', 'plan', 'diagnosis'],
  flows: ['core', 'plan', 'diagnosis', 'report', 'source', 'ink', 'github', 'watch'],
  login: ['core', 'plan'],
  cli: ['core', 'plan', 'diagnosis', 'runner', 'login'],
}
const decides = ['plan', 'diagnosis', 'report']
const acts =
  /^(node:)?(fs|child_process|https?|http2|net|tls|dgram|dns|process|worker_threads)(\/|$)|^(undici|simple-git)/

const room = (file: string) => (file.startsWith('src/') && file.split('/').length > 2 ? file.split('/')[1] : undefined)

function sourcesIn(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => `${folder}/${path.replaceAll(sep, '/')}`)
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  return ts.preProcessFile(text).importedFiles.map(({ fileName }) =>
    fileName.startsWith('.')
      ? relative(root, join(root, dirname(file), fileName))
          .replaceAll(sep, '/')
          .replace(/\.js$/, '.ts')
      : fileName,
  )
}

/** Files that lead back to themselves, one line for each knot that they tie (Tarjan's algorithm). */
function circlesIn(folder: string): string[] {
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const open: string[] = []
  const circles: string[] = []
  const visit = (file: string): void => {
    order.set(file, order.size)
    lowest.set(file, order.size - 1)
    open.push(file)
    for (const next of imports.get(file) ?? []) {
      if (!imports.has(next)) continue
      if (!order.has(next)) visit(next)
      if (open.includes(next)) lowest.set(file, Math.min(lowest.get(file) ?? 0, lowest.get(next) ?? 0))
    }
    if (lowest.get(file) !== order.get(file)) return
    const knot = open.splice(open.indexOf(file))
    if (knot.length > 1 || imports.get(file)?.includes(file)) circles.push(knot.sort().join(' '))
  }
  for (const file of files) if (file.startsWith(`${folder}/`) && !order.has(file)) visit(file)
  return circles.filter((knot) => knot.includes(`${folder}/`))
}

describe('the house', () => {
  test.each(['src', 'sandbox', 'bench', 'scripts'])('has no circle of imports in %s', (folder) => {
    expect(circlesIn(folder)).toEqual([])
  })

  test('has rooms that know only those below them', () => {
    const strangers = files.flatMap((file) => {
      const known = mayKnow[room(file) ?? '']
      if (!known) return []
      const others = (imports.get(file) ?? []).filter((path) => path.startsWith('src/') && room(path) !== room(file))
      return others.filter((path) => !known.includes(room(path) ?? '')).map((path) => `${file} > ${path}`)
    })
    expect(strangers).toEqual([])
  })

  test('decides and renders without anything that acts', () => {
    const doers = files
      .filter((file) => decides.includes(room(file) ?? ''))
      .flatMap((file) => (imports.get(file) ?? []).filter((path) => acts.test(path)).map((path) => `${file} > ${path}`))
    expect(doers).toEqual([])
  })

  test('touches the process and the runner at its edge alone', () => {
    const inside = files.filter((file) => room(file) !== undefined && room(file) !== 'runner')
    const touching = inside.filter((file) => {
      const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, '')
      const named = (imports.get(file) ?? []).some(
        (path) => path.startsWith('@actions/core') || path === 'node:process',
      )
      return named || /(?<![\w.'"])process\./.test(code)
    })
    expect(touching).toEqual([])
  })

  test('imports in src nothing from outside of it', () => {
    const outside = files
      .filter((file) => file.startsWith('src/'))
      .flatMap((file) => (imports.get(file) ?? []).filter((path) => /^(sandbox|test|bench|scripts)\//.test(path)))
    expect(outside).toEqual([])
  })

  test('has at most 20 files in a folder', () => {
    const counts = new Map<string, number>()
    for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1)
    expect([...counts].filter(([, count]) => count > 20)).toEqual([])
  })

  test('has no file over 300 lines', () => {
    const long = files.filter((file) => readFileSync(join(root, file), 'utf8').trimEnd().split('\n').length > 300)
    expect(long).toEqual([])
  })

  test('gives no name to two things', () => {
    const owners = new Map<string, string[]>()
    const defined = /^export (?:async )?(?:const|function\*?|class|type|interface) (\w+)/gm
    for (const file of files.filter((path) => path.startsWith('src/')))
      for (const [, name = ''] of readFileSync(join(root, file), 'utf8').matchAll(defined))
        owners.set(name, [...(owners.get(name) ?? []), file])
    expect([...owners].filter(([, where]) => where.length > 1)).toEqual([])
  })
})
