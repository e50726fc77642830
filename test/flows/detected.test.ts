import { describe, expect, it } from 'vitest'
import type { Source } from '../../src/source/source.ts'
import type { How, Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

/** Nothing is said: the stage itself says `static`. */
const inputs = { 'build-pack': '' }
const commit = (scene: Scene, files: Readonly<Record<string, string>>) =>
  scene.repository.commit({ branch: 'main', files, message: 'Write the app' })
const push = async (scene: Scene, files: Readonly<Record<string, string>>, how: How = { inputs }) =>
  scene.act('push', { after: await commit(scene, files) }, how)

/** An app as Vite makes it, with a tool of that name that needs no network. */
const viteLike = {
  'package.json': JSON.stringify({
    scripts: { dev: 'vite', build: 'vite build' },
    devDependencies: { vite: 'file:tools/vite' },
  }),
  'index.html': 'not built',
  'tools/vite/package.json': JSON.stringify({ name: 'vite', version: '1.0.0', bin: 'cli.cjs' }),
  'tools/vite/cli.cjs': `#!/usr/bin/env node
const { mkdirSync, writeFileSync } = require('node:fs')
mkdirSync('dist', { recursive: true })
writeFileSync('dist/index.html', 'built')
`,
}

describe('a new service that nothing is said of', () => {
  it('serves what the build of a Vite app leaves, says so, and keeps it', async () => {
    const scene = await stage.scene()
    const run = await push(scene, viteLike)
    expect(run.told).toBe('live')
    expect(await scene.page(scene.production)).toBe('built')
    const lines = run.log.filter((line) => line.startsWith('Nothing says how to build it'))
    expect(lines).toEqual([expect.stringContaining('build: { pack: railpack, command: npm run build, publish: dist }')])
    expect(run.summary).toContain('`build: { pack: railpack, command: npm run build, publish: dist }`')

    const later = await push(scene, { Dockerfile: 'FROM scratch' })
    expect(later.told).toBe('live')
    expect(await scene.page(scene.production)).toBe('built')
    expect(later.log.join('\n')).not.toContain('Nothing says how to build it')
  })

  it('is built from its Dockerfile', async () => {
    const scene = await stage.scene()
    const server = "require('node:http').createServer((_, res) => res.end('own image')).listen(process.env.PORT)"
    const run = await push(scene, {
      Dockerfile: 'FROM node\nWORKDIR /app\nCOPY . .\nCMD ["node", "web.cjs"]\n',
      'web.cjs': server,
    })
    expect(run.told).toBe('live')
    expect(await scene.page(scene.production)).toBe('own image')
  })

  it('is foreseen with it by command: plan, where the checkout tells', async () => {
    const scene = await stage.scene()
    const change: How['change'] = (deps) => ({
      ...deps,
      openSource: (...args) => ({
        ...deps.openSource(...args),
        committedPaths: async () => new Set(Object.keys(viteLike)),
        readCommitted: async ({ wanted }, path) => {
          const text = (viteLike as Record<string, string>)[path]
          const file = text === undefined ? 'absent' : Buffer.from(text)
          return { commit: wanted.sha, file, inCheckout: file } satisfies Awaited<ReturnType<Source['readCommitted']>>
        },
      }),
    })
    const run = await push(scene, viteLike, { inputs: { ...inputs, command: 'plan' }, change })
    expect(run.log).toContainEqual(expect.stringMatching(/^\+ \S+: create.*publish: dist/))
    expect(run.summary).toContain('publish: dist')
    expect(stage.ink.service(scene.production)).toBeUndefined()
  })
})

describe('a failure for want of a start command has in its hint', () => {
  it('the directory that the tool of the app leaves', async () => {
    const run = await push(await stage.scene(), viteLike, { inputs: { 'build-pack': 'railpack' } })
    expect(run.outputs.status).toBe('failed')
    expect(run.outcome?.failure?.hint).toContain('set `build: { publish: dist }` in ink.yml')
  })

  it('the directory that the log shows', async () => {
    const build = `node -e "fs.mkdirSync('out');fs.writeFileSync('out/index.html','');console.log('out/index.html 1 kB')"`
    const run = await push(await stage.scene(), { 'package.json': JSON.stringify({ scripts: { build } }) })
    expect(run.outputs.status).toBe('failed')
    expect(run.outcome?.failure?.hint).toContain('The build left `out/`; set `build: { publish: out }` in ink.yml')
  })

  it('how FastAPI is started, when it ends at once', async () => {
    const main = 'class FastAPI:\n    pass\n\napp = FastAPI()\n'
    const run = await push(await stage.scene(), { 'requirements.txt': '# fastapi\n', 'main.py': main })
    expect(run.outputs.status).toBe('failed')
    expect(run.outcome?.failure?.hint).toContain('`start: uvicorn main:app --host 0.0.0.0 --port $PORT`')
    expect(run.summary).toContain('uvicorn main:app')
  })
})
