import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

export interface LocalRegistry extends AsyncDisposable {
  readonly url: string
}

/** The files of a package by their paths. */
type Package = Readonly<Record<string, string>> & { readonly 'package.json': string }

/**
 * An npm registry on loopback, so that apps install packages although nothing is fetched. Source: npm's documentation of
 * package metadata.
 * @param packages by their names
 */
export async function openRegistry(packages: Readonly<Record<string, Package>>): Promise<LocalRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'registry-'))
  for (const [name, files] of Object.entries(packages)) {
    await mkdir(join(folder, name))
    for (const [path, text] of Object.entries(files)) await writeFile(join(folder, name, path), text)
  }
  const server = createServer(async (request, response) => {
    const [name = '', version] = decodeURIComponent(request.url ?? '')
      .slice(1)
      .split('/-/')
    const files = packages[name]
    if (files === undefined) return void response.writeHead(404).end('{}')
    if (version !== undefined) return void response.end(await packed(folder, name))
    const manifest = JSON.parse(files['package.json'])
    const latest: string = manifest.version
    const versions = { [latest]: { ...manifest, dist: { tarball: `${url}/${name}/-/${latest}` } } }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ name, 'dist-tags': { latest }, versions }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Npm takes the first part of each path away, whatever it is called. */
async function packed(folder: string, name: string): Promise<Buffer> {
  const { stdout } = await promisify(execFile)('tar', ['-cf', '-', '-C', folder, name], { encoding: 'buffer' })
  return stdout
}
