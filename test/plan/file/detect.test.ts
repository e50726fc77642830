import { describe, expect, it } from 'vitest'
import { detectServices, inkFileOf } from '../../../src/plan/file/detect.ts'
import { parseInkFile } from '../../../src/plan/file/ink-file.ts'

/** What is found in a repository with these files. */
function found(files: Readonly<Record<string, string>>) {
  return detectServices({ paths: Object.keys(files).sort(), read: (path) => files[path] })
}

const pack = (manifest: object) => JSON.stringify(manifest)
const vite = pack({
  scripts: { dev: 'vite', build: 'vite build', preview: 'vite preview' },
  devDependencies: { vite: '7' },
})

describe('a repository with one app', () => {
  it.each([
    ['Express', { 'package.json': pack({ scripts: { start: 'node server.js' }, dependencies: { express: '5' } }) }, {}],
    [
      'Next',
      { 'package.json': pack({ scripts: { build: 'next build', start: 'next start' }, dependencies: { next: '16' } }) },
      {},
    ],
    [
      'Vite',
      { 'package.json': vite, 'index.html': '<div>', 'src/main.ts': '' },
      { 'build.pack': 'railpack', 'build.command': 'npm run build', 'build.publish': 'dist' },
    ],
    [
      'Vite that is started for development',
      { 'package.json': pack({ scripts: { start: 'vite', build: 'vite build' }, devDependencies: { vite: '7' } }) },
      { 'build.pack': 'railpack', 'build.command': 'npm run build', 'build.publish': 'dist' },
    ],
    [
      'Vite beside a server of its own',
      {
        'package.json': pack({
          scripts: { build: 'vite build', start: 'node server.js' },
          dependencies: { express: '5' },
          devDependencies: { vite: '7' },
        }),
      },
      {},
    ],
    [
      'Astro with a server',
      {
        'package.json': pack({
          scripts: { build: 'astro build' },
          dependencies: { astro: '6', '@astrojs/node': '10' },
        }),
      },
      {},
    ],
    [
      'a server without a start script',
      { 'package.json': pack({ type: 'module' }), 'server.js': '' },
      { start: 'node server.js' },
    ],
    [
      'a Dockerfile',
      { Dockerfile: 'FROM golang\nEXPOSE 8080/tcp\n', 'go.mod': 'module x' },
      { 'build.pack': 'dockerfile', port: '8080' },
    ],
    [
      'FastAPI that has no page at /',
      { 'requirements.txt': 'fastapi\nuvicorn', 'app/main.py': 'app = FastAPI()\n@app.get("/items")\n' },
      { start: 'uvicorn app.main:app --host 0.0.0.0 --port $PORT', 'health.path': '/docs' },
    ],
    [
      'FastAPI that has one',
      { 'pyproject.toml': 'dependencies = ["fastapi"]', 'main.py': 'api: FastAPI = FastAPI()\n\n@api.get("/")\n' },
      { start: 'uvicorn main:api --host 0.0.0.0 --port $PORT' },
    ],
    [
      'Flask',
      { 'requirements.txt': 'flask\ngunicorn', 'app.py': 'app = Flask(__name__)' },
      { start: 'gunicorn app:app --bind 0.0.0.0:$PORT' },
    ],
    [
      'Django',
      { 'requirements.txt': 'Django\ngunicorn', 'manage.py': '', 'shop/wsgi.py': '' },
      { start: 'gunicorn shop.wsgi --bind 0.0.0.0:$PORT' },
    ],
    ['Go', { 'go.mod': 'module x', 'main.go': '' }, {}],
    ['plain files', { 'index.html': '<p>', 'style.css': '' }, { 'build.pack': 'static' }],
  ])('%s', (_, files, settings) => {
    expect(found(files)).toMatchObject([{ name: 'web', root: '.', settings }])
    expect(found(files)[0]?.reasons.length).toBeGreaterThan(0)
  })
})

describe('a repository with several', () => {
  it('has a service for each workspace that runs, and none for what the others use', () => {
    const services = found({
      'package.json': pack({ workspaces: ['apps/*', 'packages/*'], scripts: { start: 'turbo dev' } }),
      'apps/web/package.json': vite,
      'apps/web/index.html': '',
      'apps/api/package.json': pack({ scripts: { start: 'node .' } }),
      'packages/ui/package.json': pack({ main: 'index.js', scripts: { build: 'tsc' } }),
      'packages/ui/index.ts': '',
    })
    expect(services).toMatchObject([
      { name: 'api', root: 'apps/api', settings: {} },
      { name: 'web', root: 'apps/web', settings: { 'build.publish': 'dist' } },
    ])
  })

  it('of different languages, side by side without workspaces', () => {
    const services = found({
      'README.md': '',
      'frontend/package.json': vite,
      'backend/requirements.txt': 'flask',
      'backend/app.py': 'app = Flask(__name__)',
      'examples/old/index.html': '',
      'frontend/public/index.html': '',
    })
    expect(services.map(({ name, root }) => [name, root])).toEqual([
      ['backend', 'backend'],
      ['frontend', 'frontend'],
    ])
  })

  it('gives two of the same name names that tell them apart', () => {
    const go = { 'a/api/go.mod': '', 'b/api/go.mod': '' }
    expect(found(go).map(({ name }) => name)).toEqual(['a-api', 'b-api'])
  })
})

it('finds nothing where nothing runs', () => {
  expect(found({ 'README.md': '', 'lib/index.ts': '', 'package.json': 'no JSON' })).toEqual([])
})

it('whatever is found, the file that is made of it is understood', () => {
  const text = inkFileOf(
    found({
      'one/package.json': vite,
      'two/requirements.txt': 'fastapi',
      'two/main.py': 'app = FastAPI()',
      'three x/Dockerfile': 'EXPOSE 80',
      'on/go.mod': '',
    }),
  )
  const parsed = parseInkFile(text, 'ink.yml')
  expect(parsed.ok ? parsed.file.services.map(({ name }) => name) : parsed.problems).toEqual([
    'on',
    'one',
    'three-x',
    'two',
  ])
  if (!parsed.ok) return
  const said = (setting: Parameters<typeof parsed.file.written>[0], service: string) =>
    parsed.file.written(setting, service, 'production')?.text
  expect(said('start-command', 'two')).toBe('uvicorn main:app --host 0.0.0.0 --port $PORT')
  expect(said('root-directory', 'three-x')).toBe('three x')
  expect(said('port', 'three-x')).toBe('80')
  expect(said('publish-directory', 'one')).toBe('dist')
})
