import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import { finishInterrupted } from '../../src/flows/records.ts'
import type { StickyComment } from '../../src/github/comments.ts'
import { encodeState } from '../../src/report/state.ts'
import { openStand } from '../github/stand.ts'
import { row } from '../report/rows.ts'

const MARKER = '<!-- ink-deploy:card -->'
const card = (pullRequest: number, text = 'live'): StickyComment => ({
  pullRequest,
  marker: MARKER,
  fold: (bodies) => ({
    body: [MARKER, text, ...bodies.filter((body) => body.includes('2099'))].join('\n'),
    shared: false,
  }),
})

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** Something that stands where GitHub should be. */
async function serve(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer((request, response) => {
    request.resume()
    answer(request, response)
  })
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a comment of another account with our marker', () => {
  it.each(['evil[bot]', 'mallory', 'github-actions'])('by %s is neither read nor written', async (author) => {
    await using stand = await openStand()
    const forged = stand.repository.comment(stand.pull.number, `${MARKER}\n{"updatedAt":"2099-01-01"}`, author)
    const { github } = stand.open()
    const written = await github.comments.upsert(card(stand.pull.number))
    const again = await stand.open().github.comments.upsert(card(stand.pull.number, 'live again'))
    expect(written?.outcome).toBe('created')
    expect(again).toMatchObject({ id: written?.id, outcome: 'updated' })
    expect(stand.repository.comments(stand.pull.number).map(({ id, body }) => ({ id, body }))).toEqual([
      { id: forged.id, body: `${MARKER}\n{"updatedAt":"2099-01-01"}` },
      { id: written?.id, body: `${MARKER}\nlive again` },
    ])
  })

  it('is told apart by GraphQL where our token is an app’s, and what the app wrote is found', async () => {
    const comments = [
      { id: 1, body: `${MARKER}\n2099`, user: { login: 'evil[bot]', type: 'Bot' } },
      { id: 2, body: `${MARKER}\nold`, user: { login: 'acme-deploys[bot]', type: 'Bot' } },
    ].map((comment) => ({ ...comment, html_url: `https://github.example/${comment.id}` }))
    const written: string[] = []
    const apiUrl = await serve((request, response) => {
      response.setHeader('content-type', 'application/json')
      if (request.method === 'GET') return void response.end(JSON.stringify(comments))
      written.push(`${request.method} ${request.url}`)
      const viewer = { data: { viewer: { login: 'acme-deploys[bot]' } } }
      response.end(JSON.stringify(request.url === '/api/graphql' ? viewer : comments[1]))
    })
    await using stand = await openStand()
    const { github } = stand.open({ apiUrl: `${apiUrl}/api/v3`, token: 'ghs_app' })
    expect(await github.comments.upsert(card(1))).toMatchObject({ id: 2, outcome: 'updated' })
    expect(written).toEqual(['POST /api/graphql', 'PATCH /api/v3/repos/acme/shop/issues/comments/2'])
  })

  it('is left alone also where nobody says who we are: what we then write tells it', async () => {
    const user = { login: 'acme-deploys[bot]', type: 'Bot' }
    const comments = [
      { id: 1, body: `${MARKER}\n2099`, user: { login: 'evil[bot]', type: 'Bot' }, html_url: 'https://x.example/1' },
      { id: 2, body: `${MARKER}\nold`, user, html_url: 'https://x.example/2' },
    ]
    const written: string[] = []
    const apiUrl = await serve((request, response) => {
      response.setHeader('content-type', 'application/json')
      if (request.url?.endsWith('/graphql')) return void response.writeHead(404).end('{"message":"Not Found"}')
      if (request.method === 'POST')
        comments.push({ id: 3, body: `${MARKER}\nlive`, user, html_url: 'https://x.example/3' })
      if (request.method !== 'GET') written.push(`${request.method} ${request.url?.split('/').slice(-1)}`)
      response.end(JSON.stringify(request.method === 'GET' ? comments : comments.at(-1)))
      if (request.method === 'DELETE') comments.pop()
    })
    await using stand = await openStand()
    const { github } = stand.open({ apiUrl, token: 'ghs_app' })
    await github.comments.upsert(card(1))
    expect(written).toEqual(['POST comments', 'PATCH 2', 'DELETE 3'])
  })
})

describe('a comment of ours', () => {
  it('stays ours when a person has written a line above the marker', async () => {
    await using stand = await openStand()
    const own = stand.repository.comment(
      stand.pull.number,
      `Please test this one.\r\n${MARKER}\r\nold`,
      'github-actions[bot]',
    )
    expect(await stand.open().github.comments.upsert(card(stand.pull.number))).toMatchObject({ id: own.id })
    expect(stand.repository.comments(stand.pull.number)).toHaveLength(1)
  })
})

describe('a token of an app that GitHub does not name', () => {
  const bot = { login: 'github-actions[bot]', type: 'Bot' }
  const WORKFLOW = { token: 'ghs_other-app' }

  /** GitHub without GraphQL, with these comments or issues; what is written is told by method and last part of the path. */
  async function withoutGraphql(found: object[], created: object): Promise<{ apiUrl: string; written: string[] }> {
    const written: string[] = []
    const apiUrl = await serve((request, response) => {
      response.setHeader('content-type', 'application/json')
      if (request.url?.endsWith('/graphql')) return void response.writeHead(404).end('{"message":"Not Found"}')
      if (request.method !== 'GET') written.push(`${request.method} ${request.url?.split('/').at(-1)}`)
      if (request.method === 'POST') found.push(created)
      response.end(JSON.stringify(request.method === 'GET' ? found : created))
    })
    return { apiUrl, written }
  }

  it('leaves alone what workflows wrote, though most tokens are a workflow’s', async () => {
    const theirs = { id: 1, body: `${MARKER}\n2099`, user: bot, html_url: 'https://x.example/1' }
    const ours = { id: 2, body: `${MARKER}\nlive`, user: { login: 'acme-deploys[bot]', type: 'Bot' }, html_url: '' }
    const { apiUrl, written } = await withoutGraphql([theirs], ours)
    await using stand = await openStand()
    expect(await stand.open({ apiUrl, ...WORKFLOW }).github.comments.upsert(card(1))).toMatchObject({ id: 2 })
    expect(written).toEqual(['POST comments'])
  })

  it('opens no second issue beside one that may be ours, and says so', async () => {
    const marker = '<!-- ink-deploy:trouble -->'
    const issue = { number: 7, html_url: '', created_at: '', title: 'shop', body: marker, user: bot }
    const { apiUrl, written } = await withoutGraphql([issue], issue)
    await using stand = await openStand()
    const { github, warnings } = stand.open({ apiUrl, ...WORKFLOW })
    const trouble = { marker, label: 'ink-deploy', title: 'shop', body: `${marker}\ndown` }
    expect(await github.issues.upsert(trouble)).toBeUndefined()
    expect(written).toEqual([])
    expect(warnings.join()).toContain('whether issue #7 is ours')
  })
})

it('an issue of another bot with our marker is not taken for ours', async () => {
  await using stand = await openStand()
  const trouble = { marker: '<!-- ink-deploy:trouble -->', label: 'ink-deploy', title: 'shop', body: 'down' }
  const forging = stand.open({ kind: 'app', actor: 'evil[bot]' } as never).github.issues
  const forged = await forging.upsert({ ...trouble, body: `${trouble.marker}\nforged` })
  const ours = await stand.open().github.issues.upsert({ ...trouble, body: `${trouble.marker}\ndown` })
  expect(ours?.outcome).toBe('created')
  expect(ours?.number).not.toBe(forged?.number)
})

describe('an answer that is not GitHub’s', () => {
  async function warningAbout(answer: (response: ServerResponse) => void): Promise<string> {
    const apiUrl = await serve((_, response) => answer(response))
    await using stand = await openStand()
    const { github, warnings } = stand.open({ apiUrl, token: 'ghs_known' })
    expect(await github.pullRequests.get(1)).toBeUndefined()
    expect(warnings).toHaveLength(1)
    return warnings[0] ?? ''
  }
  const page = `<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body>${'x'.repeat(12_000)}</body></html>`

  it('becomes its status and one line', async () => {
    const warning = await warningAbout((response) => response.writeHead(502, { 'content-type': 'text/html' }).end(page))
    expect(warning).toBe('Could not read pull request #1 (GitHub: 502 Bad Gateway).')
  })

  it('is named when it comes with a status of success', async () => {
    for (const type of ['text/html', 'application/json']) {
      const warning = await warningAbout((response) => response.writeHead(200, { 'content-type': type }).end(page))
      expect(warning).toMatch(/is not JSON: Bad Gateway/)
      expect(warning.length).toBeLessThan(300)
    }
  })

  it('is not read beyond 16 MB, whatever it unpacks to', async () => {
    const bomb = Buffer.concat(Array(20).fill(gzipSync(Buffer.alloc(10_000_000, ' '))))
    const before = process.memoryUsage.rss()
    const headers = { 'content-type': 'application/json', 'content-encoding': 'gzip' }
    await warningAbout((response) => response.writeHead(200, headers).end(bomb))
    expect(process.memoryUsage.rss() - before).toBeLessThan(200_000_000)
  })

  it('may be nested as deep as it likes', async () => {
    const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
    const warning = await warningAbout((response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(deep),
    )
    expect(warning).not.toMatch(/call stack/)
  })
})

describe('hundreds of deployment records', () => {
  const TASK = 'ink-preview-pr-1'

  it('are removed within GitHub’s limits for writing, the newest first, and made inactive only where they are not', {
    timeout: 120_000,
  }, async () => {
    await using stand = await openStand()
    // Each run has a token of its own, and GitHub's limit for writing is each token's.
    const runs = [stand.open(), stand.open(), stand.open()].map(({ github }) => github.records)
    const record = { environment: 'preview', task: TASK, sha: stand.pull.headSha, production: false, description: 'x' }
    const ids: number[] = []
    for (const [run, records] of runs.entries()) {
      for (let count = 1; count <= 30; count++) {
        const id = (await records.open(record)) ?? 0
        if (run < 2 || count < 30) await records.setStatus(id, { state: 'inactive' }, false)
        ids.push(id)
      }
    }
    stand.calls()
    const outcome = await stand.open().github.records.remove(TASK)
    const writes = stand.calls().filter((call) => !call.startsWith('GET'))
    expect(writes.length).toBeLessThanOrEqual(61)
    expect(writes.filter((call) => call.startsWith('POST'))).toEqual([`POST /deployments/${ids.at(-1)}/statuses`])
    expect(outcome).toEqual({ removed: 59, left: 31 })
    expect(new Set(stand.repository.deployments().map(({ id }) => id))).toEqual(new Set(ids.slice(0, 31)))
    expect(await stand.open().github.records.remove(TASK)).toEqual({ removed: 31, left: 0 })
  })
})

it('a record that GitHub made while the run was ended is brought to its end by the post step, and no other is', async () => {
  await using stand = await openStand()
  const { records } = stand.open().github
  const sha = stand.pull.headSha
  const record = { environment: 'preview', task: 'ink-preview-pr-1', sha, production: false, description: 'x' }
  const done = (await records.open(record)) ?? 0
  await records.setStatus(done, { state: 'success' }, false)
  const open = {
    row: encodeState([row({ status: 'building', commit: sha, target: 'pr-1' })]),
    pullRequest: stand.pull.number,
    deploymentId: undefined,
    recordOf: { task: record.task, sha },
  }
  const post = () =>
    finishInterrupted([open], {
      github: stand.open().github,
      surroundingsOf: (pullRequest) => ({ repositoryUrl: stand.repository.htmlUrl, pullRequest }),
      comment: 'none',
      now: Date.now(),
    })
  await post()
  expect(stand.repository.statuses(done).at(-1)?.state).toBe('success')
  const orphan = (await records.open(record)) ?? 0
  await post()
  expect(stand.repository.statuses(orphan).at(-1)?.state).toBe('inactive')
  expect(stand.repository.statuses(done).at(-1)?.state).toBe('success')
})
