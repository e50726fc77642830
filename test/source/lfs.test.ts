import { createHash, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parsePointer } from '../../src/source/lfs.ts'
import { deploy, pushedFile } from './deploying.ts'
import { setStage } from './deployment.ts'
import { commitFiles, newRepository, writeFiles } from './scratch.ts'

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}

function pointerTo(content: Buffer): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${content.length}\n`
}

const attributes = { '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n' }

/** An LFS server of the batch kind, behind Basic authentication. Contents are served without. */
async function lfsServer(contents: readonly Buffer[], authorization: string) {
  const downloads: (string | undefined)[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.url === '/acme/web.git/info/lfs/objects/batch') {
        if (request.headers.authorization !== authorization) return response.writeHead(401).end()
        const wanted: { oid: string }[] = JSON.parse(Buffer.concat(chunks).toString()).objects
        const objects = wanted.map(({ oid }) =>
          contents.some((content) => sha256(content) === oid)
            ? { oid, actions: { download: { href: `${address}/contents/${oid}`, header: { 'X-Amz-Ticket': oid } } } }
            : { oid, error: { code: 404, message: 'not there' } },
        )
        return response.setHeader('Content-Type', 'application/vnd.git-lfs+json').end(JSON.stringify({ objects }))
      }
      downloads.push(request.headers.authorization)
      const found = contents.find((content) => request.headers['x-amz-ticket'] === sha256(content))
      return response.writeHead(found ? 200 : 404).end(found)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { address, downloads, [Symbol.asyncDispose]: async () => void server.close() }
}

describe('LFS files', () => {
  it('are shipped with their contents from the work tree and from the LFS store of the checkout', async () => {
    await using stage = await setStage()
    const [one, two] = [randomBytes(2000), randomBytes(3000)]
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, {
      ...attributes,
      'one.png': pointerTo(one),
      'shop/art/two.png': pointerTo(two),
      // Git sorts a folder as if its name ended in a slash, so behind this one.
      'shop/art.txt': 'a\n',
      'note.txt': pointerTo(one),
    })
    const oid = sha256(two)
    await writeFiles(stage.workspace, {
      'one.png': one,
      [join('.git', 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid)]: two,
    })
    await using source = stage.open({ origin: undefined })
    const { snapshot, branch } = await deploy(stage, source, sha)
    expect(snapshot.lfs).toEqual({ replaced: 2, missing: [] })
    expect(snapshot.suffix).toBe(snapshot.tree.slice(0, 8))
    expect(snapshot.bytes).toBeGreaterThan(5000)
    expect(await pushedFile(stage, branch, 'one.png')).toBe(one.toString().trim())
    expect(await pushedFile(stage, branch, 'shop/art/two.png')).toBe(two.toString().trim())
    // No attribute gives this one to LFS, so its text is what it is.
    expect(await pushedFile(stage, branch, 'note.txt')).toBe(pointerTo(one).trim())
  })

  it('are fetched from the origin, whose token does not follow to where the contents lie', async () => {
    await using stage = await setStage()
    const content = randomBytes(2000)
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, { ...attributes, 'one.png': pointerTo(content) })
    const basic = `Basic ${Buffer.from(`x-access-token:${stage.originToken}`).toString('base64')}`
    await using server = await lfsServer([content], basic)
    await using source = stage.open({ origin: { url: `${server.address}/acme/web`, token: stage.originToken } })
    const { branch } = await deploy(stage, source, sha)
    expect(await pushedFile(stage, branch, 'one.png')).toBe(content.toString().trim())
    expect(server.downloads).toEqual([undefined])
  })

  it('whose contents cannot be had are shipped as pointers where that is wanted, with a warning that names them', async () => {
    await using stage = await setStage()
    const [here, gone] = [randomBytes(2000), randomBytes(2000)]
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, {
      ...attributes,
      'a/gone.png': pointerTo(gone),
      'here.png': pointerTo(here),
    })
    // A file of the right size with other contents is not what the commit says.
    await writeFiles(stage.workspace, { 'here.png': here, 'a/gone.png': randomBytes(2000) })
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, source, sha, { lfsPointers: 'allow' })
    expect(snapshot.lfs).toEqual({ replaced: 1, missing: ['a/gone.png'] })
    expect(await pushedFile(stage, branch, 'a/gone.png')).toBe(pointerTo(gone).trim())
    const warnings = stage.log.lines.filter((line) => line.startsWith('warning'))
    expect(warnings).toEqual([expect.stringMatching(/a\/gone\.png.*lfs: true/)])
    expect(warnings.join()).not.toContain('here.png')
  })

  it('are pointers only when they are written exactly so', () => {
    const pointer = pointerTo(Buffer.from('x'))
    expect(parsePointer(Buffer.from(pointer))).toEqual({ oid: sha256(Buffer.from('x')), size: 1 })
    for (const other of ['', `${pointer}more\n`, pointer.replace('sha256', 'md5'), pointer.padEnd(2000, '\n')])
      expect(parsePointer(Buffer.from(other))).toBeUndefined()
  })
})

describe('export-ignore', () => {
  const files = {
    '.gitattributes': 'secret.txt export-ignore\n/docs export-ignore\nonly-folders/ export-ignore\n',
    'a.txt': 'a\n',
    'secret.txt': 'secret\n',
    'sub/secret.txt': 'secret\n',
    'sub/only-folders': 'a file of that name\n',
    'docs/a/b.txt': 'b\n',
  }

  it('is honoured when asked for', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, files)
    await using source = stage.open()
    const { snapshot, branch } = await deploy(stage, source, sha, { exportIgnore: true })
    expect(snapshot).toMatchObject({ files: 3, suffix: snapshot.tree.slice(0, 8) })
    await expect(pushedFile(stage, branch, 'docs/a/b.txt')).rejects.toThrow()
    await expect(pushedFile(stage, branch, 'sub/secret.txt')).rejects.toThrow()
    expect(await pushedFile(stage, branch, 'sub/only-folders')).toBe('a file of that name')
  })

  it('is of no effect otherwise', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, files)
    await using source = stage.open()
    const { snapshot } = await deploy(stage, source, sha)
    expect(snapshot.files).toBe(6)
    expect(snapshot.suffix).toBeUndefined()
  })
})
