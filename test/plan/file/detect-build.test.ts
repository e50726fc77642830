import { describe, expect, it } from 'vitest'
import { decidingFiles, detectBuild, isBuildSaid, startAdvice } from '../../../src/plan/file/detect.ts'
import { type Given, settingsOf as settingsFor } from '../plan-inputs.ts'

type Files = Readonly<Record<string, string>>

/** As it is looked at for a deployment: of the contents only those that are said to decide anything. */
function treeOf(files: Files, folder: string) {
  const deciding = decidingFiles(new Set(Object.keys(files)), folder)
  return { paths: Object.keys(files), read: (path: string) => (deciding.includes(path) ? files[path] : undefined) }
}
const settingsOf = (files: Files, folder = '.') => detectBuild(treeOf(files, folder), folder)?.settings
const advice = (files: Files) => startAdvice(treeOf(files, '.'), '.')

const pack = (manifest: object) => JSON.stringify(manifest)
const app = (tool: string, build: string, more: object = {}) =>
  pack({ scripts: { build }, devDependencies: { [tool]: '1' }, ...more })
const vite = { 'package.json': app('vite', 'tsc -b && vite build'), 'index.html': '', 'src/main.ts': '' }
const site = { buildPack: 'railpack', buildCommand: 'npm run build', publishDirectory: 'dist' }

describe('what is set for a new service that nothing is said of', () => {
  it.each<[string, Files, object]>([
    ['Vite', vite, site],
    ['Vite with a usual configuration', { ...vite, 'vite.config.ts': 'export default { plugins: [] }' }, site],
    [
      'Vite whose page loads a script beside it',
      { ...vite, 'index.html': '<script type="module" src="/main.js"></script>', 'main.js': '' },
      site,
    ],
    [
      'Vite that is built by a script of its own',
      { 'package.json': pack({ scripts: { build: 'run-p a b', b: 'vite build' }, dependencies: { vite: '7' } }) },
      site,
    ],
    [
      'Astro with pnpm',
      { 'package.json': app('astro', 'astro build'), 'pnpm-lock.yaml': '' },
      { ...site, buildCommand: 'pnpm run build' },
    ],
    [
      'Create React App, started for development',
      {
        'package.json': pack({
          scripts: { start: 'react-scripts start', build: 'react-scripts build' },
          dependencies: { 'react-scripts': '5' },
        }),
      },
      { ...site, publishDirectory: 'build' },
    ],
    [
      'a Dockerfile',
      { Dockerfile: 'FROM node\nEXPOSE 80', 'package.json': '{}', 'server.js': '' },
      { buildPack: 'dockerfile' },
    ],
  ])('%s', (_, files, settings) => {
    expect(settingsOf(files)).toEqual(settings)
  })

  it('by the directory of the service alone', () => {
    const files = { Dockerfile: 'FROM x', 'web/package.json': vite['package.json'] }
    expect(settingsOf(files, 'web')).toEqual(site)
    expect(settingsOf({ ...files, 'web/Dockerfile': 'FROM y' }, 'web')).toEqual({ buildPack: 'dockerfile' })
  })

  it.each<[string, Files]>([
    [
      'an app that is started',
      { 'package.json': app('vite', 'vite build', { scripts: { build: 'vite build', start: 'node server.js' } }) },
    ],
    [
      'a preview server that is told where to listen',
      {
        'package.json': app('vite', '', {
          scripts: { build: 'vite build', start: 'vite preview --host --port $PORT' },
        }),
      },
    ],
    ['a server beside it', { ...vite, 'server.js': '' }],
    ['a framework with a server', { 'package.json': app('vite', 'vite build', { dependencies: { hono: '4' } }) }],
    ['Astro on a server', { 'package.json': app('astro', 'astro build', { dependencies: { '@astrojs/node': '9' } }) }],
    ['Vite for tests only', { 'package.json': app('vite', 'tsc') }],
    ['another output directory', { 'package.json': app('vite', 'vite build --outDir ../public') }],
    ['another one in the configuration', { ...vite, 'vite.config.js': 'export default { build: { outDir: "x" } }' }],
    ['another directory that is built', { 'package.json': app('vite', 'vite build web') }],
    ['Angular without its configuration', { 'package.json': app('@angular/cli', 'ng build') }],
    [
      'a directory that the tool of SvelteKit is told',
      {
        'package.json': app('@sveltejs/adapter-static', 'vite build'),
        'svelte.config.js': "adapter: adapter({ pages: 'dist' })",
      },
    ],
    ['a package of workspaces', { 'package.json': app('vite', 'vite build', { workspaces: ['apps/*'] }) }],
    ['a Procfile', { ...vite, Procfile: 'web: npx serve dist' }],
    ['a Dockerfile beside a configuration of the builder', { Dockerfile: '', 'railpack.json': '{}' }],
    ['a Dockerfile elsewhere', { 'dev/Dockerfile': '' }],
    ['plain files, which the builder knows', { 'index.html': '' }],
    ['nothing', {}],
  ])('not for %s', (_, files) => {
    expect(settingsOf(files)).toBeUndefined()
  })

  it('says why, what, and that it stays', () => {
    const sentence = detectBuild(treeOf(vite, '.'), '.')?.sentence
    expect(sentence).toContain('package.json has vite and no server')
    expect(sentence).toContain('`build: { pack: railpack, command: npm run build, publish: dist }`')
    expect(sentence).toContain('until ink.yml says otherwise')
  })
})

describe('what counts as said', () => {
  const isSaid = (given: Given) => {
    const settings = settingsFor(given)
    return isBuildSaid({ ...settings, variables: settings.environment.shared })
  }

  it.each<Given>([
    { 'build-pack': 'railpack' },
    { 'build-command': 'make' },
    { 'start-command': 'node .' },
    { 'build-pack': 'static', 'publish-directory': 'out' },
    { directory: 'dist' },
    { env: 'RAILPACK_SPA_OUTPUT_DIR=out' },
  ])('%o', (given) => {
    expect(isSaid(given)).toBe(true)
  })

  it('neither size, port nor directory of the service', () => {
    expect(isSaid({ memory: '512Mi', port: '8080', 'root-directory': 'web', env: 'A=b' })).toBe(false)
  })
})

describe('what to set where nothing starts', () => {
  it.each<[string, Files, string]>([
    [
      'FastAPI',
      { 'requirements.txt': 'fastapi', 'main.py': 'app = FastAPI()\n@app.get("/")' },
      'Set `start: uvicorn main:app --host 0.0.0.0 --port $PORT` in ink.yml (main.py makes a FastAPI app called app).',
    ],
    [
      'FastAPI without a page at /',
      { 'requirements.txt': 'fastapi', 'main.py': 'app = FastAPI()' },
      '` and `health: { path: /docs }` in ink.yml',
    ],
    [
      'Flask',
      { 'requirements.txt': 'flask', 'app.py': 'app = Flask(__name__)' },
      'Set `start: flask --app app:app run',
    ],
    [
      'Django',
      { 'requirements.txt': 'gunicorn', 'manage.py': '', 'shop/wsgi.py': '' },
      'Set `start: gunicorn shop.wsgi --',
    ],
    [
      'Django in a directory that is no module',
      { 'requirements.txt': 'gunicorn', 'manage.py': '', 'a\n::error::/wsgi.py': '' },
      'Set `start: python manage.py runserver 0.0.0.0:$PORT`',
    ],
    ['Vite', vite, 'The build leaves `dist/`; set `build: { publish: dist }` in ink.yml'],
  ])('%s', (_, files, text) => {
    expect(advice(files)).toContain(text)
  })

  it('nothing for what is started by itself, or is not known', () => {
    expect(advice({ 'go.mod': '' })).toBeUndefined()
    expect(advice({ Dockerfile: '' })).toBeUndefined()
    expect(advice({})).toBeUndefined()
  })
})
