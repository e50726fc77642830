import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNetworkSettings } from '../../src/source/git-environment.ts'
import { startConnectProxy } from '../support/connect-proxy.ts'
import { deploy } from './deploying.ts'
import { type Stage, setStage } from './deployment.ts'
import { commitFiles, newRepository, writeFiles } from './scratch.ts'

const PATH = process.env.PATH

describe('what the machine says of networks', () => {
  it('is handed on: proxies and certificates, but neither headers nor rewritten addresses', async () => {
    await using stage = await setStage()
    await writeFiles(stage.path, {
      'home/more': '[http]\n\tsslCAInfo = /etc/company.pem\n\tsslVerify\n',
      'home/.gitconfig': `[include]\n\tpath = more\n[http]\n\tproxy = http://proxy.example\n\textraHeader = Authorization: x\n[http "https://git.example"]\n\tproxy = http://other.example\n[url "ssh://git@"]\n\tinsteadOf = https://\n`,
    })
    const settings = await readNetworkSettings({ PATH, HOME: join(stage.path, 'home') }, stage.path)
    expect(settings).toEqual([
      ['http.sslcainfo', '/etc/company.pem'],
      ['http.sslverify', 'true'],
      ['http.proxy', 'http://proxy.example'],
      ['http.https://git.example.proxy', 'http://other.example'],
    ])
    expect(await readNetworkSettings({ PATH, HOME: '/nonexistent' }, stage.path)).toEqual([])
  })

  it('leads the push through the proxy of the user’s configuration', async () => {
    await using stage = await setStage()
    const asked: string[] = []
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.writeHead(403).end()
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
    await writeFiles(stage.path, { 'home/.gitconfig': `[http]\n\tproxy = ${address}\n` })
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, { 'a.txt': 'a\n' })
    await using source = stage.open({ environment: { PATH, HOME: join(stage.path, 'home') } })
    await expect(deploy(stage, source, sha)).rejects.toMatchObject({ code: 'denied' })
    expect(asked[0]).toContain(stage.platform.url('ada/web-1234'))
    expect(stage.platform.requests).toEqual([])
    await new Promise((resolve) => proxy.close(resolve))
  })
})

describe('contents of LFS', () => {
  const content = randomBytes(2_000)
  const oid = createHash('sha256').update(content).digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`

  /** A server with LFS contents, and a checkout without them. */
  async function setOrigin(stage: Stage) {
    const server = createServer((request, response) => {
      const actions = { download: { href: `${url}/contents` } }
      const batch = JSON.stringify({ objects: [{ oid, actions }] })
      request.resume().on('end', () => response.end(request.url?.endsWith('/batch') ? batch : content))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const url = `http://${host}`
    await newRepository(stage.workspace)
    const files = { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n', 'one.png': pointer }
    const sha = await commitFiles(stage.workspace, files)
    const close = () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    }
    return { host, url, sha, [Symbol.asyncDispose]: async () => void (await close()) }
  }

  const open = (stage: Stage, url: string, environment: Record<string, string | undefined>) =>
    stage.open({ origin: { url: `${url}/acme/web`, token: 'ghs_x' }, environment: { PATH, ...environment } })
  const wanted = (sha: string) => ({ wanted: { sha }, ordinaryCheckouts: [sha] })

  it('come through the proxy that the variables name', async () => {
    await using stage = await setStage()
    await using origin = await setOrigin(stage)
    await using proxy = await startConnectProxy()
    await using source = open(stage, origin.url, { HTTP_PROXY: proxy.url })
    expect((await source.snapshot(wanted(origin.sha), stage.signal)).lfs).toMatchObject({ replaced: 1, missing: [] })
    expect(new Set(proxy.tunnels)).toEqual(new Set([origin.host]))
  })

  it.each([
    ['for all addresses', (_url: string, proxy: string) => `[http]\n\tproxy = ${proxy}\n`],
    ['without a scheme', (_url: string, proxy: string) => `[http]\n\tproxy = ${proxy.replace('http://', '')}\n`],
    [
      'for the very address, above others',
      (url: string, proxy: string) =>
        `[http]\n\tproxy = http://127.0.0.1:9\n[http "${url}/acme"]\n\tproxy = ${proxy}\n[http "${url}/contents"]\n\tproxy = ${proxy}\n`,
    ],
  ])('come through the proxy of git’s own configuration: %s', async (_, configuration) => {
    await using stage = await setStage()
    await using origin = await setOrigin(stage)
    await using proxy = await startConnectProxy()
    await writeFiles(stage.path, { 'home/.gitconfig': configuration(origin.url, proxy.url) })
    const environment = { HOME: join(stage.path, 'home'), HTTP_PROXY: 'http://127.0.0.1:9' }
    await using source = open(stage, origin.url, environment)
    expect((await source.snapshot(wanted(origin.sha), stage.signal)).lfs).toMatchObject({ replaced: 1, missing: [] })
    expect(new Set(proxy.tunnels)).toEqual(new Set([origin.host]))
  })

  it('come straight where git is told to use none', async () => {
    await using stage = await setStage()
    await using origin = await setOrigin(stage)
    await writeFiles(stage.path, { 'home/.gitconfig': `[http "${origin.url}"]\n\tproxy =\n` })
    const environment = { HOME: join(stage.path, 'home'), HTTP_PROXY: 'http://127.0.0.1:9' }
    await using source = open(stage, origin.url, environment)
    expect((await source.snapshot(wanted(origin.sha), stage.signal)).lfs).toMatchObject({ replaced: 1, missing: [] })
  })

  it('that only git could fetch are refused with the reason, and nothing is deployed', async () => {
    await using stage = await setStage()
    await using origin = await setOrigin(stage)
    await writeFiles(stage.path, { 'home/.gitconfig': '[http]\n\tproxy = socks5://ann:word@127.0.0.1:9\n' })
    await using source = open(stage, origin.url, { HOME: join(stage.path, 'home') })
    const refused = source.snapshot(wanted(origin.sha), stage.signal)
    await expect(refused).rejects.toMatchObject({ code: 'lfs-missing' })
    await expect(refused).rejects.toThrow(/http\.proxy/)
    await expect(refused).rejects.not.toThrow(/word/)
    expect(stage.platform.requests).toEqual([])
  })
})
