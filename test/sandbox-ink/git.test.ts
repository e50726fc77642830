import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commitAll, git, type Ink, startInk, writeFiles } from './harness.ts'

let ink: Ink
let remote: string
beforeAll(async () => {
  ink = await startInk()
  await ink.push('site', { 'index.html': 'x' })
  remote = String((await ink.call('get_git_token', { name: 'site' })).git_remote)
})
afterAll(async () => {
  await ink[Symbol.asyncDispose]()
})

/** Address of the repository without the token, and the header that carries the token. */
function split(address: string): { url: string; authorization: string } {
  const { origin, pathname, username, password } = new URL(address)
  return { url: origin + pathname, authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}` }
}

const refs = (address: string) => `${address}/info/refs?service=git-upload-pack`

test('without credentials, or with a token that nobody gave out, the answer is 401 and “authentication required”', async () => {
  const { url } = split(remote)
  const wrong = `Basic ${Buffer.from('x-git-token:mlg_nonsense').toString('base64')}`
  for (const headers of [undefined, { authorization: wrong }]) {
    const response = await fetch(refs(url), headers === undefined ? {} : { headers })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('Basic')
    expect((await response.text()).trim()).toBe('authentication required')
  }
})

test('a token is good for its own repository only', async () => {
  const { git_remote } = await ink.call('create_repo', { name: 'other' })
  const response = await fetch(refs(split(String(git_remote)).url), {
    headers: { authorization: split(remote).authorization },
  })
  expect(response.status).toBe(403)
})

test('the protocol is version 0 even when the client asks for 2', async () => {
  const { url, authorization } = split(remote)
  const response = await fetch(refs(url), { headers: { authorization, 'git-protocol': 'version=2' } })
  const text = await response.text()
  expect(text).not.toContain('version 2')
  expect(text).toMatch(/^001e# service=git-upload-pack\n0000[0-9a-f]{4}[0-9a-f]{40} /)
})

test('a push from a shallow clone is refused, even when the server has all the history before it', async () => {
  const folder = await ink.workingTree({ 'index.html': '1' })
  const { git_remote } = await ink.call('create_repo', { name: 'history' })
  await git(folder, 'push', '--quiet', String(git_remote), 'HEAD:refs/heads/main')
  await writeFiles(folder, { 'index.html': '2' })
  await commitAll(folder)
  await git(folder, 'clone', '--quiet', '--depth=1', `file://${folder}`, 'shallow')
  await expect(git(`${folder}/shallow`, 'push', String(git_remote), 'HEAD:refs/heads/next')).rejects.toThrow(
    'shallow update not allowed',
  )
})

test('a partial clone’s filter is ignored: everything arrives', async () => {
  const folder = await ink.workingTree({})
  await git(folder, 'clone', '--quiet', '--filter=blob:none', '--no-checkout', remote, 'clone')
  const missing = await git(`${folder}/clone`, 'rev-list', '--objects', '--all', '--missing=print')
  expect(missing).not.toContain('?')
})

test('a request body compressed with gzip is not understood', async () => {
  const { url, authorization } = split(remote)
  const { main } = await ink.platform.branches('site')
  const want = `want ${main}\n`
  const packet = (line: string) => (line.length + 4).toString(16).padStart(4, '0') + line
  const body = Buffer.from(`${packet(want)}0000${packet('done\n')}`)
  const fetchPack = (compressed: boolean) =>
    fetch(`${url}/git-upload-pack`, {
      method: 'POST',
      headers: {
        authorization,
        'content-type': 'application/x-git-upload-pack-request',
        ...(compressed ? { 'content-encoding': 'gzip' } : {}),
      },
      body: compressed ? gzipSync(body) : body,
    }).then(
      (response) => response.arrayBuffer(),
      () => new ArrayBuffer(0),
    )
  expect(Buffer.from(await fetchPack(false)).includes('PACK')).toBe(true)
  expect(Buffer.from(await fetchPack(true)).includes('PACK')).toBe(false)
})

test('a plain git clone and push pass, large objects included', async () => {
  const folder = await ink.workingTree({})
  await git(folder, 'clone', '--quiet', remote, 'clone')
  // More than git sends at once: it asks whether it may push first, and sends the pack in chunks.
  await writeFile(`${folder}/clone/noise`, randomBytes(1_500_000))
  const commit = await commitAll(`${folder}/clone`)
  await git(`${folder}/clone`, 'push', '--quiet', 'origin', 'HEAD:refs/heads/ink/pr-1/abc')
  expect(await ink.platform.branches('site')).toMatchObject({ 'ink/pr-1/abc': commit })
})

test('branches can be deleted and moved by force', async () => {
  const folder = await ink.workingTree({ 'a.txt': 'a' })
  await git(folder, 'push', '--quiet', '--force', remote, 'HEAD:refs/heads/temporary')
  await git(folder, 'push', '--quiet', remote, '--delete', 'temporary')
  expect(await ink.platform.branches('site')).not.toHaveProperty('temporary')
})

test('two pushes at once both arrive', async () => {
  const folders = await Promise.all(['a', 'b'].map((text) => ink.workingTree({ 'a.txt': text })))
  await Promise.all(
    folders.map((folder, index) => git(folder, 'push', '--quiet', remote, `HEAD:refs/heads/both-${index}`)),
  )
  expect(Object.keys(await ink.platform.branches('site'))).toEqual(expect.arrayContaining(['both-0', 'both-1']))
})
