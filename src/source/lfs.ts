import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { lstat, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import * as z from 'zod'
import { bodyAtMost, fetchAllowed } from '../core/addresses.ts'
import { retry, retryAfterMs } from '../core/async.ts'
import { DeployError, errorCode, errorMessage } from '../core/errors.ts'
import { inSeconds } from '../core/format.ts'
import { jsonIn } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import type { TreeLocation } from './checkout.ts'
import type { GitRepository } from './git.ts'
import type { TreeEntry } from './objects.ts'
import type { GitRemote } from './remote.ts'
import { type GitWorkspace, readObjects, type Stores, storeFiles } from './workspace.ts'

/** What a Git LFS pointer file stands for. */
interface LfsPointer {
  /** SHA-256 of the contents, hexadecimal. */
  readonly oid: string
  readonly size: number
}

type PointerFile = LfsPointer & { readonly path: string }

/**
 * Finds the contents that LFS pointer files stand for: in the checkout's files, in its LFS store, at the origin.
 * @param entries those that the tree's attributes give to LFS: a pointer elsewhere is a text like any other
 * @param weigh gets the size of each, in bytes
 */
export async function findLfsContents(
  { git, own }: Stores,
  entries: readonly TreeEntry[],
  location: TreeLocation,
  weigh: (bytes: number) => void,
) {
  const pointers = await findPointers(own, entries)
  for (const { size } of pointers) weigh(size)
  const located = new Map<string, Buffer>()
  for (const pointer of pointers) {
    const path = await locate(location, pointer, git.signal)
    if (path !== undefined) located.set(pointer.oid, path)
  }
  const wanted = new Map(pointers.filter(({ oid }) => !located.has(oid)).map(({ oid, size }) => [oid, { oid, size }]))
  const { downloaded, reasons } = await downloadContents(git, location.remote, [...wanted.values()])
  for (const [oid, path] of downloaded) located.set(oid, path)

  const found = pointers.flatMap(({ path, oid, size }) => {
    const content = located.get(oid)
    return content === undefined ? [] : [{ path, size, content }]
  })
  const contents = found.map(({ content }) => content)
  const stored = await storeFiles(own, contents)
  return {
    /** Path of a pointer file → the object with the contents, and its size in bytes. */
    replacements: new Map(found.map(({ path, size }, index) => [path, { oid: stored[index] ?? '', size }])),
    /** Paths whose contents could not be fetched. */
    missing: pointers.filter(({ oid }) => !located.has(oid)).map(({ path }) => path),
    /** Why, in the server's own words. */
    reasons,
  }
}

async function findPointers(own: GitRepository, entries: readonly TreeEntry[]): Promise<readonly PointerFile[]> {
  const small = entries.filter(
    ({ type, mode, size = pointerBelowBytes }) => type === 'blob' && mode !== '120000' && size < pointerBelowBytes,
  )
  const oids = small.map(({ oid }) => oid)
  const contents = await readObjects(own, oids)
  return small.flatMap(({ path, oid }) => {
    const content = contents.get(oid)
    const pointer = content && parsePointer(content)
    return pointer === undefined ? [] : [{ ...pointer, path }]
  })
}

/** A pointer is a text of less than this (git-lfs, docs/spec.md). */
const pointerBelowBytes = 1024

/** Reads a pointer file; undefined when it is something else, or needs an extension's program to be read. */
export function parsePointer(content: Buffer): LfsPointer | undefined {
  if (content.length >= pointerBelowBytes) return undefined
  const pointer = /^version https:\/\/git-lfs\.github\.com\/spec\/v1\noid sha256:([0-9a-f]{64})\nsize (\d{1,15})\n$/
  const [, oid, size] = pointer.exec(content.toString('utf8')) ?? []
  return oid === undefined ? undefined : { oid, size: Number(size) }
}

async function locate({ checkout }: TreeLocation, pointer: PointerFile, signal: AbortSignal) {
  if (checkout === undefined) return undefined
  const { path, oid } = pointer
  const inTree = Buffer.concat([Buffer.from(`${checkout.directory}/`), Buffer.from(path, 'latin1')])
  const folder = join(checkout.gitDirectory, 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4))
  for (const one of [inTree, Buffer.from(join(folder, oid))]) if (await hasContents(one, pointer, signal)) return one
  return undefined
}

async function hasContents(path: Buffer | string, { oid, size }: LfsPointer, signal: AbortSignal): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined)
  if (status?.isFile() !== true || status.size !== size) return false
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash, { signal })
  return hash.digest('hex') === oid
}

const batchObject = z.object({
  oid: z.string(),
  actions: z
    .object({ download: z.object({ href: z.string(), header: z.record(z.string(), z.string()).optional() }) })
    .optional(),
  error: z.object({ message: z.string() }).optional(),
})
const batchAnswer = z.object({ objects: z.array(batchObject) })

// The server's limit is not documented; git-lfs itself asks for so many at once.
const batchSize = 100
const mostBatchBytes = 4_000_000
const jsonType = 'application/vnd.git-lfs+json'
// What object storages want to be sent. Any other header could mean something to a server that is none.
const headersPassedOn = /^(?:authorization|accept|x-(?:amz|goog|ms)-[a-z-]+)$/i

/** A server answered, and not with what it was asked for. */
class LfsRefusal extends DeployError {
  readonly status: number
  readonly retryAfter: string | null

  constructor(host: string, said: string, { status, headers }: Response) {
    super(`${host} answered HTTP ${status}${said === '' ? '' : ` (${sanitizePhrase(said)})`}`)
    this.status = status
    this.retryAfter = headers.get('retry-after')
  }
}

/** Fetches what it can, and says what stood in the way of the rest. */
async function downloadContents(git: GitWorkspace, remote: GitRemote | undefined, wanted: readonly LfsPointer[]) {
  const downloaded = new Map<string, Buffer>()
  if (wanted.length === 0) return { downloaded, reasons: [] }
  if (remote === undefined) return { downloaded, reasons: ['There is no server to fetch them from.'] }
  const server = await lfsServer(git, remote)
  const reasons = new Set<string>()
  const folder = git.freshPath('lfs')
  await mkdir(folder, { recursive: true })
  try {
    for (let start = 0; start < wanted.length; start += batchSize) {
      const batch = wanted.slice(start, start + batchSize)
      const objects = await server.askBatch(batch)
      for (const pointer of batch) {
        const { actions, error } = objects.find(({ oid }) => oid === pointer.oid) ?? {}
        const path = join(folder, pointer.oid)
        if (actions === undefined) {
          const said = error?.message ?? 'it does not say where the contents are'
          reasons.add(`${new URL(remote.url).host}: ${sanitizePhrase(said)}`)
        } else if (await server.download(actions.download, pointer, path)) {
          downloaded.set(pointer.oid, Buffer.from(path))
        } else reasons.add('What was downloaded is not what the commit says.')
      }
    }
  } catch (error) {
    git.signal.throwIfAborted()
    reasons.add(sanitizePhrase(remote.redact(errorMessage(error))))
  }
  return { downloaded, reasons: [...reasons].slice(0, 3) }
}

async function lfsServer({ signal, network, origin, clock, log, retryPolicy }: GitWorkspace, remote: GitRemote) {
  const { proxyFor } = await network()
  // A server of the user's own may send us to its neighbours in a private network; one that a stranger named may not.
  const trusted = remote.untrusted ? {} : { configured: origin ? [origin.url] : [], privateNetworks: true }

  /** Makes one request, its answer read by `read`, until it succeeds, fails for good or time is up. */
  const request = <T>(address: string, init: RequestInit, read: (response: Response) => Promise<T>): Promise<T> =>
    retry(async () => read(await fetchAllowed(address, { ...init, signal }, { proxyFor, ...trusted })), {
      ...retryPolicy(),
      again: (error) => {
        // What fetch itself throws for a broken connection; for a bad argument it names no code.
        if (!(error instanceof LfsRefusal)) return error instanceof TypeError && errorCode(error) !== undefined
        const passing = error.status >= 500 || error.status === 429 || error.status === 408
        return passing && (retryAfterMs(error.retryAfter, clock.now()) ?? true)
      },
      onRetry: (error, pauseMs) =>
        log.info(`LFS contents: ${sanitizePhrase(errorMessage(error))}; trying again in ${inSeconds(pauseMs)}.`),
    })

  return {
    /**
     * Asks where contents can be downloaded (git-lfs, docs/api/batch.md).
     * @throws LfsRefusal when the server answers with something else than a batch
     */
    askBatch: (pointers: readonly LfsPointer[]): Promise<readonly z.infer<typeof batchObject>[]> => {
      const authorization = remote.authorization()
      const headers = {
        Accept: jsonType,
        'Content-Type': jsonType,
        ...(authorization && { Authorization: authorization }),
      }
      const body = JSON.stringify({ operation: 'download', transfers: ['basic'], objects: pointers })
      const address = `${remote.url.replace(/(\.git)?\/?$/, '')}.git/info/lfs/objects/batch`
      return request(address, { method: 'POST', headers, body }, async (response) => {
        const answer = jsonIn(await text(bodyAtMost(response, mostBatchBytes)))
        const batch = batchAnswer.safeParse(answer)
        if (response.ok && batch.success) return batch.data.objects
        const { data } = z.object({ message: z.string() }).safeParse(answer)
        const said = data?.message ?? (response.ok ? 'which is not an answer of Git LFS' : '')
        throw new LfsRefusal(new URL(remote.url).host, said, response)
      })
    },

    /**
     * Downloads one content to a file. Our credentials stay here: the address carries its own, and often is another host's.
     * @returns whether it is the content asked for
     * @throws LfsRefusal, AddressRefused, Error when the connection breaks
     */
    download: async (
      { href, header = {} }: { readonly href: string; readonly header?: Record<string, string> | undefined },
      pointer: LfsPointer,
      path: string,
    ): Promise<boolean> => {
      const headers = Object.fromEntries(Object.entries(header).filter(([name]) => headersPassedOn.test(name)))
      await request(href, { headers }, async (response) => {
        if (response.ok) return await pipeline(bodyAtMost(response, pointer.size), createWriteStream(path), { signal })
        await response.body?.cancel()
        throw new LfsRefusal(URL.canParse(href) ? new URL(href).host : 'the server', '', response)
      })
      return await hasContents(path, pointer, signal)
    },
  }
}
