import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { parse } from 'yaml'
import { parseInkFile } from '../../src/plan/file/ink-file.ts'
import { openStage, type Stage } from '../flows/stage.ts'
import { type LocalRegistry, openRegistry } from './local-registry.ts'

/*
 * The apps that people bring, each deployed with what the README says for it and nothing else. Express and Vite are the real
 * ones: what is installed under their names hands over to those of this repository. Next and FastAPI are stand-ins, which
 * are installed, built and started in the same way.
 */

const vitePackage = createRequire(import.meta.url).resolve('vite/package.json')
const viteVersion: string = JSON.parse(readFileSync(vitePackage, 'utf8')).version

const packages = {
  express: {
    'package.json': JSON.stringify({ name: 'express', version: '5.0.0' }),
    'index.js': `module.exports = require(${JSON.stringify(createRequire(import.meta.url).resolve('express'))})\n`,
  },
  vite: {
    'package.json': JSON.stringify({ name: 'vite', version: viteVersion, bin: './vite.mjs' }),
    'vite.mjs': `#!/usr/bin/env node\nimport ${JSON.stringify(pathToFileURL(resolve(vitePackage, '../bin/vite.js')).href)}\n`,
  },
  next: {
    'package.json': JSON.stringify({ name: 'next', version: '16.0.0', bin: './next.cjs' }),
    'next.cjs': `#!/usr/bin/env node
const fs = require('node:fs')
if (process.argv[2] === 'build') {
  fs.mkdirSync('.next', { recursive: true })
  fs.writeFileSync('.next/BUILD_ID', 'built')
} else {
  const { default: page } = require(process.cwd() + '/pages/index.js')
  const answer = (request, response) => response.end(fs.readFileSync('.next/BUILD_ID', 'utf8') + ': ' + page({ url: request.url }))
  require('node:http').createServer(answer).listen(process.env.PORT ?? 3000)
}
`,
  },
}

/** Wheels of stand-ins, made by Python itself: nothing is fetched. */
const wheels = `
import sys, zipfile
modules = {
  'fastapi': '''
class FastAPI:
    def __init__(self):
        self.pages = {}
    def get(self, path):
        return lambda function: self.pages.setdefault(path, function)
''',
  'uvicorn': '''
import argparse, http.server, importlib, json, sys
def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('app'); parser.add_argument('--host'); parser.add_argument('--port', type=int)
    given = parser.parse_args()
    sys.path.insert(0, '.')
    module, name = given.app.split(':')
    pages = getattr(importlib.import_module(module), name).pages
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = pages.get(self.path)
            self.send_response(200 if page else 404)
            self.end_headers()
            self.wfile.write(json.dumps(page() if page else 'Not Found').encode())
    http.server.ThreadingHTTPServer((given.host, given.port), Handler).serve_forever()
''',
}
for name, text in modules.items():
    info = f'{name}-1.0.dist-info'
    with zipfile.ZipFile(f'{sys.argv[1]}/{name}-1.0-py3-none-any.whl', 'w') as wheel:
        wheel.writestr(f'{name}.py', text)
        wheel.writestr(f'{info}/METADATA', f'Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n')
        wheel.writestr(f'{info}/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
        if name == 'uvicorn':
            wheel.writestr(f'{info}/entry_points.txt', '[console_scripts]\\nuvicorn = uvicorn:main\\n')
        wheel.writestr(f'{info}/RECORD', '')
`

const readme = readFileSync(resolve(import.meta.dirname, '../../README.md'), 'utf8')
/** What the README's table of recipes has for an app, as code. */
function recipe(what: string): string {
  const [, code] = new RegExp(`^\\| ${what}[^|]*\\| \`([^\`]+)\``, 'm').exec(readme) ?? []
  if (code === undefined) throw new Error(`The README has no recipe for ${what}.`)
  return code
}

/** How an app of which nothing is said was found to be built. */
function found(log: string) {
  const [, build = '{}'] = /Nothing says how to build it.* `build: (\{.*?\})`/.exec(log) ?? []
  return parse(build)
}

let stage: Stage
let registry: LocalRegistry
let wheelFolder: string
beforeAll(async () => {
  registry = await openRegistry(packages)
  wheelFolder = mkdtempSync(join(tmpdir(), 'wheels-'))
  execFileSync('python3', ['-c', wheels, wheelFolder])
  vi.stubEnv('npm_config_registry', registry.url)
  stage = await openStage({ timing: { healthGateMs: 60_000 } })
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await Promise.all([stage[Symbol.asyncDispose](), registry[Symbol.asyncDispose]()])
  rmSync(wheelFolder, { recursive: true })
})

/** What the address of a preview answers that is deployed with these files. */
async function preview(files: Readonly<Record<string, string>>) {
  const { repository, first, act } = await stage.scene()
  const all = { 'index.html': null, ...files }
  await repository.commit({ branch: 'change', parent: first, files: all, message: 'Write the app' })
  const { number } = await repository.openPullRequest({ head: 'change', title: 'Change' })
  const inputs = { 'build-pack': '', timeout: '5m' }
  const { outputs, log } = await act('pull_request', { action: 'opened', number }, { inputs })
  expect(outputs.status === 'live' ? 'live' : log.join('\n')).toBe('live')
  return { text: await (await fetch(outputs.url ?? '')).text(), log: log.join('\n') }
}

it('Express is live with the workflow alone', async () => {
  const { text } = await preview({
    'package.json': JSON.stringify({
      type: 'module',
      scripts: { start: 'node server.js' },
      dependencies: { express: '^5.0.0' },
    }),
    'server.js': `import express from 'express'
express().get('/', (request, response) => response.send('from Express')).listen(process.env.PORT)
`,
  })
  expect(text).toBe('from Express')
})

it('a server that renders what it has built, as Next does, is live with the workflow alone', async () => {
  const { text } = await preview({
    'package.json': JSON.stringify({
      scripts: { dev: 'next dev', build: 'next build', start: 'next start' },
      dependencies: { next: '^16.0.0' },
    }),
    'pages/index.js': "exports.default = ({ url }) => 'rendered ' + url\n",
  })
  expect(text).toBe('built: rendered /')
})

const vite = {
  'package.json': JSON.stringify({
    scripts: { dev: 'vite', build: 'vite build' },
    devDependencies: { vite: viteVersion },
  }),
  'index.html': '<!doctype html><title>Vite</title><script type="module" src="/main.js"></script>\n',
  'main.js': "document.title = 'bundled'\n",
}

it('Vite is live with the workflow alone, built as the README says', async () => {
  const { text, log } = await preview(vite)
  expect(text).toMatch(/src="\/assets\/index-[\w-]+\.js"/)
  const said = recipe('Vite')
  expect(parseInkFile(said, 'ink.yml')).toMatchObject({ ok: true })
  expect(found(log)).toEqual({ pack: 'railpack', ...parse(said).services.web.build })
})

it('FastAPI is live with its start command', async () => {
  const { text } = await preview({
    'requirements.txt': `--no-index\n--find-links ${wheelFolder}\nfastapi\nuvicorn\n`,
    'main.py': `import shutil
from fastapi import FastAPI

app = FastAPI()

@app.get("/")
def home():
    return {"from": "FastAPI", "pip": shutil.which("pip")}
`,
    'ink.yml': `${recipe('FastAPI')}\n`,
  })
  // What the app installs when it starts is not to end up among this machine's packages.
  expect(JSON.parse(text)).toEqual({ from: 'FastAPI', pip: expect.stringMatching(/\/\.venv\/bin\/pip$/) })
})

const go = (() => {
  try {
    return execFileSync('go', ['version'], { encoding: 'utf8' })
  } catch {
    return undefined
  }
})()

it.skipIf(go === undefined)(
  'Go in a Dockerfile is live with the workflow alone, built as the README says',
  async () => {
    const files = {
      'go.mod': 'module example.com/shop\n\ngo 1.22\n',
      'main.go': `package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "from Go") })
	http.ListenAndServe(":"+os.Getenv("PORT"), nil)
}
`,
      Dockerfile: `FROM golang:1.24 AS build
WORKDIR /src
COPY . .
RUN CGO_ENABLED=0 go build -o /server .

FROM gcr.io/distroless/static
COPY --from=build /server /server
CMD ["/server"]
`,
    }
    const { text, log } = await preview(files)
    expect(text).toBe('from Go')
    expect(parse(recipe('a Dockerfile'))).toEqual({ 'build-pack': found(log).pack })
  },
  300_000,
)
