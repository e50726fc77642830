import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { GitRemote } from '../../src/source/remote.ts'
import { submoduleRemote } from '../../src/source/resolve-tree.ts'
import { deploy } from '../source/deploying.ts'
import { type Stage, setStage } from '../source/deployment.ts'
import { commitFiles, git, newRepository, writeFiles } from '../source/scratch.ts'

const content = randomBytes(2_000)
const oid = createHash('sha256').update(content).digest('hex')
const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`
const attributes = { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n' }

type Answer = (request: IncomingMessage, response: ServerResponse) => unknown

async function listen(answer: Answer): Promise<{ url: string; seen: IncomingMessage[] } & AsyncDisposable> {
  const seen: IncomingMessage[] = []
  const server: Server = createServer((request, response) => {
    seen.push(request)
    request.resume().on('end', () => answer(request, response))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** An origin whose LFS server names that address for every content; whatever else it is asked goes to `other`. */
async function hostileOrigin(href: (own: string) => string, header: Record<string, string>, other?: Answer) {
  const origin = await listen((request, response) => {
    if (request.url?.endsWith('/objects/batch') !== true) {
      if (other === undefined) response.end(content)
      else other(request, response)
      return
    }
    response.end(JSON.stringify({ objects: [{ oid, actions: { download: { href: href(origin.url), header } } }] }))
  })
  return origin
}

async function deployPointer(stage: Stage, originUrl: string, overrides: { deadlineAt?: number } = {}) {
  await newRepository(stage.workspace)
  const sha = await commitFiles(stage.workspace, { ...attributes, 'one.png': pointer })
  await using source = stage.open({
    origin: { url: `${originUrl}/acme/web`, token: stage.originToken },
    ...overrides,
  })
  return await deploy(stage, source, sha)
}

async function refusal(deployment: Promise<unknown>): Promise<{ code: string; message: string }> {
  return await deployment.then(
    () => {
      throw new Error('deployed')
    },
    (error: { code: string; message: string }) => error,
  )
}

describe('an LFS server that sends the runner elsewhere', () => {
  it.for(['http', 'https'])('inside, over %s, gets nobody asked', async (scheme) => {
    await using stage = await setStage()
    await using inside = await listen((_, response) => response.end(content))
    const href = inside.url.replace('http:', `${scheme}:`)
    await using origin = await hostileOrigin(() => href, { 'Metadata-Flavor': 'Google' })
    const { code, message } = await refusal(deployPointer(stage, origin.url))
    expect(code).toBe('lfs-missing')
    expect(message).toContain('is not asked')
    expect(inside.seen).toEqual([])
    expect(stage.platform.requests).toEqual([])
  })

  it.for(['https://169.254.169.254/latest/', 'https://[::1]/', 'https://localhost/', 'file:///etc/passwd', 'x', ''])(
    'to %s gets nobody asked',
    async (href) => {
      await using stage = await setStage()
      await using origin = await hostileOrigin(() => href, {})
      const { code, message } = await refusal(deployPointer(stage, origin.url))
      expect(code).toBe('lfs-missing')
      expect(message).toContain('is not asked')
      expect(message).not.toMatch(/Invalid URL|undefined/)
    },
  )

  it('by a redirect of its own gets nobody asked, neither for the batch nor for the contents', async () => {
    await using inside = await listen((_, response) => response.end(content))
    const redirect: Answer = (_, response) => response.writeHead(307, { location: `${inside.url}/x` }).end()
    await using contents = await hostileOrigin((own) => `${own}/contents`, {}, redirect)
    await using batch = await listen(redirect)
    for (const origin of [contents, batch]) {
      await using stage = await setStage()
      expect((await refusal(deployPointer(stage, origin.url))).message).toContain('is not asked')
    }
    expect(inside.seen).toEqual([])
  })

  it('has no say in the headers that are sent, beside those of object storages', async () => {
    await using stage = await setStage()
    const header = {
      'Metadata-Flavor': 'Google',
      'X-aws-ec2-metadata-token': 'x',
      Host: 'inside.example',
      Cookie: 'a=b',
      'X-Amz-Meta-Ticket': 'kept',
    }
    await using origin = await hostileOrigin((own) => `${own}/contents`, header)
    await deployPointer(stage, origin.url)
    const { headers } = origin.seen.at(-1) ?? { headers: {} }
    expect(headers).toMatchObject({ 'x-amz-meta-ticket': 'kept', host: new URL(origin.url).host })
    for (const name of ['metadata-flavor', 'x-aws-ec2-metadata-token', 'cookie', 'authorization'])
      expect(headers).not.toHaveProperty(name)
  })
})

describe('an LFS server that does not end', () => {
  function flood(response: ServerResponse, count: (bytes: number) => void): void {
    const chunk = Buffer.alloc(65_536, 'x')
    const more = () => {
      let room = true
      while (room && !response.destroyed) {
        room = response.write(chunk)
        count(chunk.length)
      }
    }
    response.on('drain', more).on('error', () => undefined)
    more()
  }

  it.for(['contents', 'batch'])('with its %s is cut off', async (part) => {
    await using stage = await setStage()
    let sent = 0
    const endless: Answer = (_, response) => {
      flood(response, (bytes) => {
        sent += bytes
      })
    }
    await using origin =
      part === 'batch' ? await listen(endless) : await hostileOrigin((own) => `${own}/contents`, {}, endless)
    const { code, message } = await refusal(deployPointer(stage, origin.url))
    expect(code).toBe('lfs-missing')
    expect(message).toContain('sent more than the')
    expect(sent).toBeLessThan(32_000_000)
  })

  const drip: Answer = (_, response) => {
    const drop = setInterval(() => response.write('x'), 200)
    response.on('close', () => clearInterval(drop))
  }

  it.concurrent.for([
    ['the batch, of which nothing comes', 'batch', () => undefined],
    ['the batch, a byte at a time', 'batch', drip],
    ['contents of which nothing comes', 'contents', () => undefined],
    ['contents a byte at a time', 'contents', drip],
  ] satisfies [string, string, Answer][])('with %s is left at the deadline', async ([, part, answer]) => {
    await using stage = await setStage()
    await using origin =
      part === 'batch' ? await listen(answer) : await hostileOrigin((own) => `${own}/contents`, {}, answer)
    const { code, message } = await refusal(deployPointer(stage, origin.url, { deadlineAt: Date.now() + 3_000 }))
    expect(code).toBe('timed-out')
    expect(message).toContain('Making the snapshot took longer')
  })
})

describe('LFS contents that the host does not hand out', () => {
  const quota = 'This repository is over its data quota. Purchase more data packs to restore access.'

  it.for([
    ['the whole batch', 403, { message: quota }],
    ['each object', 200, { objects: [{ oid, error: { code: 403, message: quota } }] }],
  ] as const)(
    'for %s end the deployment before anything is pushed, with its own reason',
    async ([, status, answer]) => {
      await using stage = await setStage()
      await using origin = await listen((_, response) => response.writeHead(status).end(JSON.stringify(answer)))
      const error = await refusal(deployPointer(stage, origin.url))
      expect(error).toMatchObject({
        code: 'lfs-missing',
        message: expect.stringMatching(/1 LFS file .*one\.png.*over its data quota/),
        hint: expect.stringContaining('lfs-pointers'),
      })
      expect(stage.platform.requests).toEqual([])
    },
  )

  it('for a moment are asked for again', async () => {
    await using stage = await setStage()
    let refusals = 2
    await using origin = await listen((request, response) => {
      if (refusals-- > 0) return response.writeHead(503, { 'retry-after': '0' }).end('<html>')
      if (request.url?.endsWith('/objects/batch') !== true) return response.end(content)
      return response.end(
        JSON.stringify({ objects: [{ oid, actions: { download: { href: `${origin.url}/contents` } } }] }),
      )
    })
    expect((await deployPointer(stage, origin.url)).snapshot.lfs).toEqual({ replaced: 1, missing: [] })
  })
})

describe('the address of a submodule', () => {
  it.for(['127.0.0.1', 'localhost', '[::1]'])('on this machine (%s) is not connected to', async (host) => {
    await using stage = await setStage()
    let connections = 0
    const inside = createSocketServer((socket) => {
      connections++
      socket.destroy()
    })
    await new Promise<void>((resolve) => inside.listen(0, resolve))
    try {
      const url = `https://${host}:${(inside.address() as AddressInfo).port}/lib.git`
      await newRepository(stage.workspace)
      await writeFiles(stage.workspace, { '.gitmodules': `[submodule "lib"]\n\tpath = lib\n\turl = ${url}\n` })
      await git(stage.workspace, 'add', '.gitmodules')
      await git(stage.workspace, 'update-index', '--add', '--cacheinfo', `160000,${'a'.repeat(40)},lib`)
      await git(stage.workspace, 'commit', '-q', '-m', 'Point inside')
      await using source = stage.open()
      const error = await refusal(deploy(stage, source, await git(stage.workspace, 'rev-parse', 'HEAD')))
      expect(error).toMatchObject({ code: 'no-submodule', message: expect.stringContaining('is not asked') })
      expect(connections).toBe(0)
    } finally {
      inside.close()
    }
  })

  it.for([
    ['https://git.example/acme/web', 'http://git.example/acme/lib'],
    ['https://git.example/acme/web', 'http://git.example:443/acme/lib'],
    ['https://git.example/acme/web', 'https://git.example:8443/acme/lib'],
    ['http://git.example/acme/web', 'https://git.example/acme/lib'],
    ['http://git.example/acme/web', 'http://git.example:8080/acme/lib'],
  ])('%s gives its token to nothing but the same scheme, host and port: %s', ([parent = '', url = '']) => {
    const remote = submoduleRemote(url, new GitRemote(parent, 'x-access-token', 'secret'))
    expect(remote?.authorization()).toBeUndefined()
    expect(remote?.url.startsWith('http:')).not.toBe(true)
  })

  it('below a stranger’s submodule is a stranger’s, too', () => {
    const parent = new GitRemote('https://git.example/acme/web', 'x-access-token', 'secret')
    const child = submoduleRemote('https://elsewhere.example/lib', parent)
    expect(submoduleRemote('../inner', child)).toMatchObject({ untrusted: true })
    expect(submoduleRemote('https://git.example/acme/x', child)?.authorization()).toBeUndefined()
  })
})
