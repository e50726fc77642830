import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'

const root = resolve(import.meta.dirname, '../..')

interface Offered {
  readonly version: string
  /** Where its files are. */
  readonly folder: string
  readonly manifest: object
}

export interface LocalRegistry extends AsyncDisposable {
  readonly url: string
}

/**
 * An npm registry on loopback with the packages that are installed for this repository, so that apps install the real ones
 * although nothing is fetched. Source: npm's documentation of package metadata.
 * @param standIns packages that are not installed here, by their names: their files
 */
export async function openRegistry(
  standIns: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Promise<LocalRegistry> {
  const own = await mkdtemp(join(tmpdir(), 'registry-'))
  const packages = await installed()
  for (const [name, files] of Object.entries(standIns)) {
    const folder = join(own, 'stand-ins', name)
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
    }
    packages.set(name, [await offered(folder)])
  }
  const server = createServer(async (request, response) => {
    const [name = '', version] = decodeURIComponent(request.url ?? '')
      .slice(1)
      .split('/-/')
    const all = packages.get(name) ?? []
    const wanted = all.find((one) => one.version === version)
    if (wanted) return void response.end(await packed(wanted.folder))
    const latest = all[0]?.version
    const versions = all.map((one) => [
      one.version,
      { ...one.manifest, dist: { tarball: `${url}/${name}/-/${one.version}` } },
    ])
    response.writeHead(latest === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ name, 'dist-tags': { latest }, versions: Object.fromEntries(versions) }))
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await rm(own, { recursive: true, force: true })
    },
  }
}

/** What is on this machine of what the lock file names; packages for other systems are not. */
async function installed(): Promise<Map<string, Offered[]>> {
  const lock = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as { packages: object }
  const packages = new Map<string, Offered[]>()
  for (const path of Object.keys(lock.packages)) {
    const [, name] = /node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path) ?? []
    if (name === undefined || !existsSync(join(root, path, 'package.json'))) continue
    packages.set(name, [...(packages.get(name) ?? []), await offered(join(root, path))])
  }
  return packages
}

async function offered(folder: string): Promise<Offered> {
  const manifest = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
  // What was built for its authors need not be built again.
  return { version: manifest.version, folder, manifest: { ...manifest, scripts: {}, devDependencies: {} } }
}

/** Npm takes the first part of each path away, whatever it is called. */
async function packed(folder: string): Promise<Buffer> {
  const args = ['-cf', '-', '--exclude', 'node_modules', '-C', dirname(folder), basename(folder)]
  const { stdout } = await promisify(execFile)('tar', args, { encoding: 'buffer', maxBuffer: 1 << 28 })
  return stdout
}
