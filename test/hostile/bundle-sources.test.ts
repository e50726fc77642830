import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { commitFiles, git, gitBytes, nestedTrees, newRepository } from '../source/scratch.ts'
import { expectBounded, keepFigures, longestMs, plainCheckout, runAgainst } from './run-bundle.ts'

const figures = {}
let ink: InkPlatform
beforeAll(async () => {
  ink = await startInkPlatform()
})
afterEach(() => ink.clearFaults())
afterAll(async () => {
  await ink.stop()
  await keepFigures(figures, 'sources')
})

const content = randomBytes(100_000)
const oid = createHash('sha256').update(content).digest('hex')
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`

/** A checkout with one file that lies in LFS. */
async function withPointer(workspace: string): Promise<string> {
  await newRepository(workspace)
  return commitFiles(workspace, { '.gitattributes': '*.png filter=lfs -text\n', 'one.png': pointer })
}

/** A checkout without the contents of its file, which have to be fetched. */
async function withoutContents(workspace: string): Promise<string> {
  const sha = await plainCheckout(workspace)
  const blob = await git(workspace, 'rev-parse', `${sha}:index.html`)
  await rm(join(workspace, '.git/objects', blob.slice(0, 2)), { recursive: true })
  return sha
}

/** A few trees that stand for so many files on so many levels. */
async function bomb(workspace: string, width: number, levels: number): Promise<string> {
  await newRepository(workspace)
  const tree = await nestedTrees(workspace, width, levels)
  const sha = (await gitBytes(workspace, ['commit-tree', tree], { input: 'Boom' })).toString().trim()
  await git(workspace, 'update-ref', 'HEAD', sha)
  // As a server hands it out: git lists what is in a pack twenty times as fast.
  await git(workspace, 'repack', '-adq')
  return sha
}

/** A git host where the repository's LFS server answers like this. */
async function lfsHost(answer: (response: ServerResponse, part: 'batch' | 'contents', own: string) => void) {
  const server = createServer((request, response) => {
    request
      .resume()
      .on('end', () => answer(response, request.url?.endsWith('/objects/batch') ? 'batch' : 'contents', url))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const batch = (own: string) =>
  JSON.stringify({ objects: [{ oid, actions: { download: { href: `${own}/contents` } } }] })

function trickle(response: ServerResponse): void {
  const drop = setInterval(() => response.write('x'), 200)
  response.on('close', () => clearInterval(drop))
}

// The run's own bound is `longestMs`; the rest is for a busy machine to make the checkout.
const limits = { timeout: longestMs + 120_000 }
const inSnapshot = /Making the snapshot took longer than this deployment is given|phase “snapshot”/

describe('a checkout that', () => {
  it.each([
    ['stands for ten thousand million files', 10, 10, /too large|Making the snapshot took longer/],
    ['is nested a thousand levels deep', 1, 1000, /nested more than 100 levels/],
  ] as const)(
    '%s ends the run in time, in little memory, and with a reason',
    limits,
    async (name, width, levels, why) => {
      const checkout = (workspace: string) => bomb(workspace, width, levels)
      const run = await runAgainst({ endpoint: ink.endpoint, apiKey: ink.apiKey, checkout })
      expect(expectBounded(run, figures, `a checkout that ${name}`)).toMatch(why)
      expect(ink.services()).toEqual([])
    },
  )
})

describe('an LFS server that', () => {
  it.each<[string, Parameters<typeof lfsHost>[0]]>([
    ['never answers', () => undefined],
    [
      'hands out contents a byte at a time',
      (response, part, own) => (part === 'batch' ? response.end(batch(own)) : trickle(response)),
    ],
    ['fails for ever', (response) => response.writeHead(503).end()],
  ])('%s ends the run in time, in little memory, and with a reason', limits, async (name, answer) => {
    await using host = await lfsHost(answer)
    const opponent = { endpoint: ink.endpoint, apiKey: ink.apiKey, serverUrl: host.url, checkout: withPointer }
    const reason = expectBounded(await runAgainst(opponent), figures, `an LFS server that ${name}`)
    expect(reason).toMatch(name === 'fails for ever' ? /HTTP 503/ : inSnapshot)
    expect(ink.services()).toEqual([])
  })
})

describe('a git host that', () => {
  it('does not hand out contents ends the run in time, in little memory, and with a reason', limits, async () => {
    await using host = await lfsHost(() => undefined)
    const known = { endpoint: ink.endpoint, apiKey: ink.apiKey, serverUrl: host.url }
    const run = await runAgainst({ ...known, checkout: withoutContents })
    expect(expectBounded(run, figures, 'a git host that never answers')).toMatch(inSnapshot)
  })

  it('takes no push ends the run in time, in little memory, and with a reason', limits, async () => {
    ink.fault('git.slow', { delayMs: 120_000, after: 1 })
    const run = await runAgainst({ endpoint: ink.endpoint, apiKey: ink.apiKey, checkout: plainCheckout })
    const reason = expectBounded(run, figures, 'a git host that takes no push')
    expect(reason).toMatch(/phase “(?:snapshot|push)”|took longer than this deployment is given/)
    expect(ink.services()).toEqual([])
  })
})
