import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readNetworkSettings } from '../../src/source/git-environment.ts'
import { deploy } from './deploying.ts'
import { setStage } from './deployment.ts'
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
