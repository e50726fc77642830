import { spawn } from 'node:child_process'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { node24 } from '../support/node-24.ts'

const cli = fileURLToPath(new URL('../../dist/cli/index.js', import.meta.url))
/** One request of a login may take 20 s; the rest is for starting a process on a machine that is busy. */
const longestMs = 40_000

/** An endpoint that asks for a login, and an authorization server that answers like this. */
async function startServer(answer: (response: ServerResponse) => void) {
  const server = createServer((request, response) => {
    request.resume()
    if (request.method === 'POST') response.writeHead(401, { 'www-authenticate': 'Bearer' }).end()
    else answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function logIn(endpoint: string) {
  const node = await node24()
  const startedAt = performance.now()
  const args = [cli, 'login', '--endpoint', endpoint, '--print']
  const child = spawn(node, args, { cwd: tmpdir(), env: { PATH: process.env.PATH, HOME: tmpdir() } })
  let said = ''
  child.stdout.on('data', (chunk) => (said += chunk))
  child.stderr.on('data', (chunk) => (said += chunk))
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
  return { code, said, tookMs: performance.now() - startedAt }
}

function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, 'x')
  const more = () => {
    while (!response.destroyed && response.write(chunk));
  }
  response.on('drain', more).on('error', () => undefined)
  more()
}

describe('an authorization server that', { timeout: 2 * longestMs }, () => {
  it.concurrent.each<[string, (response: ServerResponse) => void]>([
    ['never answers', () => undefined],
    [
      'answers a byte at a time',
      (response) => {
        const drop = setInterval(() => response.write('x'), 200)
        response.on('close', () => clearInterval(drop))
      },
    ],
    ['floods its answer', pour],
    ['redirects to itself', (response) => response.writeHead(302, { location: '/again' }).end()],
    ['answers with a page', (response) => response.end('<html>'.repeat(1000))],
  ])('%s ends the login in time and with a reason', async (_, answer) => {
    await using server = await startServer(answer)
    const { code, said, tookMs } = await logIn(server.endpoint)
    expect(code).toBe(1)
    expect(tookMs).toBeLessThan(longestMs)
    expect(said).toMatch(/127\.0\.0\.1|ml\.ink did not say/)
    expect(said).not.toMatch(/ {4}at |Invalid URL|undefined/)
    expect(said.length).toBeLessThan(2000)
  })
})
