import { describe, expect, it } from 'vitest'
import { inkFileOf } from '../../../src/cli/init.ts'
import { detectServices } from '../../../src/plan/file/detect.ts'
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

  it('finds the WSGI module of a Django app that lies beside its manage.py, below another directory', () => {
    const files = { 'api/requirements.txt': 'Django\ngunicorn', 'api/manage.py': '', 'api/wsgi.py': '' }
    expect(found(files)).toMatchObject([{ root: 'api', settings: { start: 'gunicorn wsgi --bind 0.0.0.0:$PORT' } }])
  })
})

describe('an app that is but files once it is built', () => {
  const app = (
    packages: string,
    scripts: string | Record<string, string>,
    files: Readonly<Record<string, string>> = {},
  ) => ({
    'package.json': pack({
      scripts: typeof scripts === 'string' ? { build: scripts } : scripts,
      devDependencies: Object.fromEntries(packages.split(' ').map((name) => [name, '1'])),
    }),
    ...files,
  })
  const angular = (options: object, builder = '@angular/build:application') => ({
    'angular.json': pack({
      projects: {
        shop: { projectType: 'application', architect: { build: { builder, options } } },
        ui: { projectType: 'library', architect: {} },
      },
    }),
  })
  const publishIn = (files: Readonly<Record<string, string>>) => found(files)[0]?.settings['build.publish']

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['Astro', app('astro', 'astro build'), 'dist'],
    ['Create React App', app('react-scripts', 'react-scripts build'), 'build'],
    ['Docusaurus', app('@docusaurus/core', 'docusaurus build'), 'build'],
    ['VitePress', app('vitepress vue', { 'docs:build': 'vitepress build docs' }), 'docs/.vitepress/dist'],
    ['VitePress at the root', app('vitepress', 'vitepress build'), '.vitepress/dist'],
    ['Gatsby', app('gatsby react', { build: 'gatsby build', start: 'gatsby develop' }), 'public'],
    ['Vue CLI', app('@vue/cli-service', 'vue-cli-service build'), 'dist'],
    ['Quasar', app('@quasar/app-vite vite', 'quasar build'), 'dist/spa'],
    ['Ember', app('ember-cli', { build: 'ember build --environment=production', start: 'ember serve' }), 'dist'],
    ['Eleventy', app('@11ty/eleventy', { start: 'npx @11ty/eleventy --serve', build: 'npx @11ty/eleventy' }), '_site'],
    ['Parcel', app('parcel', { start: 'parcel', build: 'parcel build src/index.html' }), 'dist'],
    ['SvelteKit with its adapter for files', app('@sveltejs/kit @sveltejs/adapter-static vite', 'vite build'), 'build'],
    [
      'Next as an export',
      app(
        'next',
        { build: 'next build', start: 'next start' },
        { 'next.config.mjs': "export default { output: 'export' }" },
      ),
      'out',
    ],
    ['Nuxt that is generated', app('nuxt', { build: 'nuxt build', generate: 'nuxt generate' }), '.output/public'],
    [
      'React Router without a server',
      app(
        '@react-router/dev @react-router/node vite',
        { build: 'react-router build', start: 'react-router-serve ./build/server/index.js' },
        { 'react-router.config.ts': 'export default { ssr: false } satisfies Config' },
      ),
      'build/client',
    ],
    [
      'Remix without a server',
      app('@remix-run/dev @remix-run/node vite', 'remix vite:build', { 'vite.config.ts': 'remix({ ssr: false })' }),
      'build/client',
    ],
    ['Storybook', app('storybook', { 'build-storybook': 'storybook build' }), 'storybook-static'],
    ['Angular', app('@angular/cli', 'ng build', angular({})), 'dist/shop/browser'],
    ['Angular in a directory', app('@angular/cli', 'ng build', angular({ outputPath: 'out/' })), 'out/browser'],
    [
      'Angular without a directory for browsers',
      app('@angular/cli', 'ng build', angular({ outputPath: { base: 'dist/app', browser: '' } })),
      'dist/app',
    ],
    [
      'Angular with its older builder',
      app('@angular/cli', 'ng build', angular({ outputPath: 'dist/app' }, '@angular-devkit/build-angular:browser')),
      'dist/app',
    ],
    [
      'Angular that is prerendered',
      app('@angular/cli @angular/ssr', 'ng build', angular({ outputMode: 'static', ssr: { entry: 'x' } })),
      'dist/shop/browser',
    ],
    ['MkDocs', { 'requirements.txt': 'mkdocs-material', 'mkdocs.yml': 'site_name: Docs\n' }, 'site'],
    ['Jekyll', { Gemfile: "gem 'jekyll', '~> 4'\n", '_config.yml': '', 'index.html': '' }, '_site'],
  ])('%s', (_, files, publish) => {
    expect(publishIn(files)).toBe(publish)
  })

  it.each<[string, Readonly<Record<string, string>>]>([
    ['Next', app('next', { build: 'next build', start: 'next start' })],
    ['Nuxt that is built', app('nuxt', 'nuxt build')],
    ['SvelteKit with a server', app('@sveltejs/kit @sveltejs/adapter-node vite', 'vite build')],
    ['React Router with its server', app('@react-router/dev @react-router/node vite', 'react-router build')],
    ['Angular with its server', app('@angular/cli @angular/ssr', 'ng build', angular({ ssr: { entry: 'server.ts' } }))],
    ['a directory that no command could name', app('@angular/cli', 'ng build', angular({ outputPath: 'a`\n::error' }))],
    ['a directory outside', app('@angular/cli', 'ng build', angular({ outputPath: '../../etc' }))],
    ['Storybook beside a server', app('storybook express', { 'build-storybook': 'storybook build' })],
  ])('not %s', (_, files) => {
    expect(publishIn(files)).toBeUndefined()
  })

  it('is built by the script that has the command where none is called build', () => {
    const [service] = found(app('vitepress', { 'docs:build': 'vitepress build docs' }, { 'pnpm-lock.yaml': '' }))
    expect(service?.settings['build.command']).toBe('pnpm run docs:build')
  })

  it('Angular with its server is started by the script that its tool has written', () => {
    const scripts = { start: 'ng serve', build: 'ng build', 'serve:ssr:shop': 'node dist/shop/server/server.mjs' }
    const files = app('@angular/cli @angular/ssr', scripts, angular({ outputMode: 'server' }))
    expect(found(files)).toMatchObject([{ settings: { start: 'npm run serve:ssr:shop' } }])
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
