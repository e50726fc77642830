import { createWriteStream } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import type { LfsPointer } from './lfs-pointer.ts'
import type { GitRemote } from './remote.ts'

const batchAnswer = z.object({
  objects: z.array(
    z.object({
      oid: z.string(),
      actions: z
        .object({ download: z.object({ href: z.url(), header: z.record(z.string(), z.string()).optional() }) })
        .optional(),
      error: z.object({ message: z.string() }).optional(),
    }),
  ),
})

/** Where one content can be downloaded, and the headers to send there. */
export interface LfsDownload {
  readonly href: string
  readonly headers: Readonly<Record<string, string>>
}

// The server's limit is not documented; git-lfs itself asks for so many at once.
const batchSize = 100

/**
 * Asks the origin where contents can be downloaded (git-lfs, docs/api/batch.md). Those it does not have are left out.
 *
 * @returns SHA-256 → where to download it
 * @throws Error when the server does not answer, or with something else than a batch
 */
export async function findDownloads(
  fetch: typeof globalThis.fetch,
  remote: GitRemote,
  pointers: readonly LfsPointer[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, LfsDownload>> {
  const found = new Map<string, LfsDownload>()
  for (let start = 0; start < pointers.length; start += batchSize) {
    const authorization = remote.authorization()
    const response = await fetch(`${remote.url.replace(/(\.git)?\/?$/, '')}.git/info/lfs/objects/batch`, {
      method: 'POST',
      headers: {
        Accept: 'application/vnd.git-lfs+json',
        'Content-Type': 'application/vnd.git-lfs+json',
        ...(authorization === undefined ? {} : { Authorization: authorization }),
      },
      body: JSON.stringify({
        operation: 'download',
        transfers: ['basic'],
        objects: pointers.slice(start, start + batchSize),
      }),
      signal,
    })
    if (!response.ok) throw new Error(`HTTP ${response.status} from ${new URL(remote.url).host}`)
    for (const { oid, actions } of batchAnswer.parse(await response.json()).objects) {
      if (actions === undefined) continue
      found.set(oid, { href: actions.download.href, headers: actions.download.header ?? {} })
    }
  }
  return found
}

/**
 * Downloads one content to a file. Our credentials stay here: the address carries its own, and often is another host's.
 *
 * @throws Error when the server refuses or the connection breaks
 */
export async function download(
  fetch: typeof globalThis.fetch,
  from: LfsDownload,
  path: string,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(from.href, { headers: { ...from.headers }, signal })
  if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status} from ${new URL(from.href).host}`)
  await pipeline(Readable.fromWeb(response.body), createWriteStream(path), { signal })
}
