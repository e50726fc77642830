import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { get, type Ink, nodeApp, startInk, untilAnswers } from './harness.ts'

let ink: Ink
beforeAll(async () => {
  ink = await startInk({ timing: { buildRetryMs: 1 } })
})
afterAll(async () => {
  await ink[Symbol.asyncDispose]()
})

let count = 0
async function deploy(files: Record<string, string>, args: Record<string, unknown> = {}) {
  count += 1
  const name = `app-${count}`
  await ink.push(name, files)
  await ink.call('create_service', { repo: name, name, ...args })
  const service = await ink.platform.waitForStatus(name, ['active', 'failed'])
  return { service, url: String(service.url), error: service.deployments.at(-1)?.errorMessage ?? '' }
}

const server = nodeApp()['app.mjs']

test('start_command and build_command take precedence over what is detected', async () => {
  const { service, url } = await deploy(
    { 'package.json': JSON.stringify({ scripts: { build: 'exit 1', start: 'exit 1' } }), 'other.mjs': server },
    { build_command: 'echo CUSTOM BUILD', start_command: 'GREETING=custom node other.mjs' },
  )
  expect(service.buildLog).toContain('CUSTOM BUILD')
  expect(await untilAnswers(url)).toBe('custom')
})

test('publish_directory serves what the build has made', async () => {
  const build = 'mkdir -p dist && echo made > dist/index.html && echo about > dist/about.html'
  const { url } = await deploy(
    { 'package.json': JSON.stringify({ scripts: { build } }) },
    { publish_directory: 'dist' },
  )
  expect(await untilAnswers(url)).toBe('made\n')
  expect((await get(`${url}/about`)).body).toBe('about\n')
  expect((await get(`${url}/package.json`)).status).toBe(404)
})

test('a publish_directory that the build has not made fails the build', async () => {
  const { error } = await deploy({ 'package.json': '{}' }, { publish_directory: 'dist' })
  expect(error).toContain('"/app/dist": not found')
})

test('root_directory is where the app is looked for', async () => {
  const { url } = await deploy({ 'package.json': 'not json', 'web/index.html': 'inner' }, { root_directory: 'web' })
  expect(await untilAnswers(url)).toBe('inner')
})

test('a Procfile’s web line starts the app', async () => {
  const { url } = await deploy({ Procfile: 'worker: exit 1\nweb: node server.mjs\n', 'server.mjs': server })
  expect(await untilAnswers(url)).toBe('hello')
})

test('a Python app is started by its main.py', async () => {
  const { url } = await deploy({
    'requirements.txt': '# nothing\n',
    'main.py': `import os
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b'python')
HTTPServer(('0.0.0.0', int(os.environ['PORT'])), Handler).serve_forever()
`,
  })
  expect(await untilAnswers(url)).toBe('python')
})

test('the static pack serves the files as they are, without a build', async () => {
  const { url } = await deploy(
    { 'package.json': JSON.stringify({ scripts: { build: 'exit 1' } }), 'index.html': 'as it is', '404.html': 'lost' },
    { build_pack: 'static' },
  )
  expect(await untilAnswers(url)).toBe('as it is')
  expect(await get(`${url}/nowhere`)).toEqual({ status: 404, body: 'lost' })
})

test('a path that leads out of the site is not served', async () => {
  const { url } = await deploy({ 'index.html': 'x' }, { build_pack: 'static' })
  await untilAnswers(url)
  expect((await get(`${url}/..%2f..%2f..%2fetc/passwd`)).status).toBe(404)
})

test('a Dockerfile is carried out: WORKDIR, COPY, ENV, RUN, CMD', async () => {
  const { service, url } = await deploy(
    {
      Dockerfile: `# an app
FROM node:24-alpine
WORKDIR /app
COPY src/ ./
COPY package.json .
ENV GREETING="from the \\
image"
RUN echo "with $GREETING" && ls
EXPOSE 8123
CMD ["node", "app.mjs"]
`,
      'package.json': '{}',
      'src/app.mjs': server,
    },
    { build_pack: 'dockerfile' },
  )
  expect(service.buildLog.join('\n')).toMatch(/^with from the +image$[\s\S]*^app.mjs$[\s\S]*^package.json$/m)
  expect(await untilAnswers(url)).toMatch(/^from the +image$/)
})

test('a Dockerfile with stages keeps its paths to itself', async () => {
  const { service, url } = await deploy(
    {
      Dockerfile: `FROM node:24 AS build
WORKDIR /src
COPY app.mjs ./
RUN cp app.mjs /server.mjs && mkdir -p /srv-of-image/deep
FROM build AS checked
RUN ls /src
FROM scratch
COPY --from=build /server.mjs /bin/server.mjs
ENV GREETING=staged
CMD ["node", "/bin/server.mjs"]
`,
      'app.mjs': server,
    },
    { build_pack: 'dockerfile' },
  )
  expect(service.buildLog).toContain('app.mjs')
  expect(await untilAnswers(url)).toBe('staged')
  expect(existsSync('/server.mjs') || existsSync('/srv-of-image') || existsSync('/bin/server.mjs')).toBe(false)
})

test('what a Dockerfile installs for all of its image is the image’s', async () => {
  const { url } = await deploy(
    {
      Dockerfile:
        'FROM node\nCOPY tool /tool\nRUN npm install -g /tool\nENV GREETING=installed\nCMD ["greet-everybody"]\n',
      'tool/package.json': JSON.stringify({ name: 'greet-everybody', version: '1.0.0', bin: './app.mjs' }),
      'tool/app.mjs': `#!/usr/bin/env node\n${server}`,
    },
    { build_pack: 'dockerfile' },
  )
  expect(await untilAnswers(url)).toBe('installed')
  expect((process.env.PATH ?? '').split(delimiter).some((place) => existsSync(join(place, 'greet-everybody')))).toBe(
    false,
  )
})

test('a Dockerfile installs nothing on this machine', async () => {
  const { error } = await deploy(
    { Dockerfile: 'FROM debian\nRUN apt-get update && apt-get install -y curl\n' },
    { build_pack: 'dockerfile' },
  )
  expect(error).toContain('the sandbox builds with the tools of this machine and installs none: RUN apt-get')
})

test('a missing Dockerfile fails the build in Docker’s words', async () => {
  const { error } = await deploy(
    { 'index.html': 'x' },
    { build_pack: 'dockerfile', dockerfile_path: 'deploy/Dockerfile' },
  )
  expect(error).toContain('failed to read dockerfile: open deploy/Dockerfile: no such file or directory')
})

test('a Dockerfile instruction that cannot be carried out fails the build instead of being skipped', async () => {
  const { error } = await deploy({ Dockerfile: 'FROM x\nHEALTHCHECK CMD true\n' }, { build_pack: 'dockerfile' })
  expect(error).toContain('cannot carry out the Dockerfile instruction HEALTHCHECK')
})

test('a compose file is accepted and its build fails, saying why', async () => {
  const { error } = await deploy({ 'compose.yaml': 'services: {}' }, { build_pack: 'dockercompose' })
  expect(error).toContain('dockercompose build pack is not supported on k8s')
})

test('a repository in which nothing is detected fails the build', async () => {
  const { error } = await deploy({ 'README.md': 'nothing here' })
  expect(error).toContain('could not determine how to build the app')
})

test('an app without a start command fails the build', async () => {
  const { error } = await deploy({ 'package.json': '{}' })
  expect(error).toContain('no start command was found')
})

test('a build that takes too long is given up', async () => {
  await using slow = await startInk({ timing: { buildTimeoutMs: 500 } })
  await slow.push('app', { 'package.json': JSON.stringify({ main: 'x' }), x: '' })
  await slow.call('create_service', { repo: 'app', name: 'app', build_command: 'sleep 60' })
  const { deployments } = await slow.platform.waitForStatus('app', ['failed'])
  expect(deployments.at(-1)?.errorMessage).toContain('the build took too long')
})
