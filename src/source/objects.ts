import { createHash } from 'node:crypto'
import { assertPublicAddress } from '../core/addresses.ts'
import { GitFailure, type GitRepository, type GitSetting } from './git.ts'
import { type GitRemote, type NetworkOutput, SourceError } from './remote.ts'
import { type GitWorkspace, quotePath, type Stores } from './workspace.ts'

const newline = 0x0a

/** Contents of objects, by name. Those that the store does not hold are left out. All of them are held in memory. */
export async function readObjects(
  store: GitRepository,
  oids: readonly string[],
  { mostBytes = 64_000_000 } = {},
): Promise<ReadonlyMap<string, Buffer>> {
  const contents = new Map<string, Buffer>()
  if (oids.length === 0) return contents
  const answer = await store.run(['cat-file', '--batch', '--buffer'], { input: `${oids.join('\n')}\n`, mostBytes })
  // <oid> SP <type> SP <size> LF <content> LF, or <oid> SP "missing" LF: git-cat-file(1), BATCH OUTPUT
  for (let position = 0; position < answer.length; ) {
    const lineEnd = answer.indexOf(newline, position)
    const [oid = '', , size] = answer.toString('latin1', position, lineEnd).split(' ')
    position = lineEnd + 1
    if (size === undefined) continue
    contents.set(oid, answer.subarray(position, position + Number(size)))
    position += Number(size) + 1
  }
  return contents
}

/**
 * Stores files as they lie on disk: no line endings converted, no filters run.
 * @param paths absolute paths, as bytes
 * @returns the names of the contents, in the same order
 */
export async function storeFiles(store: GitRepository, paths: readonly Buffer[]): Promise<readonly string[]> {
  if (paths.length === 0) return []
  const input = paths.map((path) => `${quotePath(path)}\n`).join('')
  const answer = await store.run(['hash-object', '-w', '--no-filters', '--stdin-paths'], { input })
  return answer.toString('latin1').trim().split('\n')
}

interface FetchRequest {
  readonly remote: GitRemote
  readonly wants: readonly string[]
  /** What the wants name. */
  readonly kind: 'commits' | 'contents'
  /** `blob:none`: directories, but not files' contents. `tree:0`: commits alone. */
  readonly filter?: 'blob:none' | 'tree:0'
}

/**
 * Fetches objects by name, commits without their history. Into a store that nothing is pushed from: fetching leaves marks in
 * a repository (shallow, promisor) that a server would have to be told of.
 * @throws GitFailure when the server cannot be reached or does not have one of them
 */
export async function fetchObjects(stores: Stores, request: FetchRequest): Promise<void> {
  requireFetched(await runFetch(stores, request))
}

/**
 * As {@link fetchObjects}, for what is needed and not only of use: tried again when the network or the server fails.
 * @throws SourceError `unreachable` when it keeps failing
 */
export async function fetchNeeded(git: GitWorkspace, stores: Stores, request: FetchRequest): Promise<void> {
  const { remote } = request
  const attempt = async () => runFetch(stores, request, remote.untrusted ? await guardSettings(git, remote) : [])
  requireFetched(await git.retrying(`Fetching from ${remote.url}`, remote, attempt))
}

function requireFetched({ exitCode, stderr }: NetworkOutput): void {
  if (exitCode !== 0) throw new GitFailure('fetch', exitCode, stderr)
}

// A stranger named the server. It is asked only where everybody may ask, at the very addresses that were looked up for
// the check (git 2.37 and newer), and cannot send us elsewhere.
async function guardSettings(git: GitWorkspace, remote: GitRemote): Promise<readonly GitSetting[]> {
  const { url, ips } = await assertPublicAddress(remote.url)
  const direct: GitSetting = ['http.followRedirects', 'false']
  // Unknown here, it may still be known to the proxy; but without one a name must not get a second chance to lead inside.
  if (ips.length === 0 && git.proxied) return [direct]
  if (ips.length === 0) throw new SourceError('unreachable', `${url.host} could not be found (DNS)`)
  const pinned = ips.map((ip) => (ip.includes(':') ? `[${ip}]` : ip)).join(',')
  return [direct, ['http.curloptResolve', `${url.hostname}:${url.port === '' ? 443 : url.port}:${pinned}`]]
}

function runFetch(
  { fetched }: Stores,
  { remote, wants, kind, filter }: FetchRequest,
  settings: readonly GitSetting[] = [],
): Promise<NetworkOutput> {
  const depth = kind === 'commits' ? ['--depth=1'] : []
  // git remembers a filter, so having none must be said.
  const filtering = filter === undefined ? '--no-filter' : `--filter=${filter}`
  const args = ['fetch', '--quiet', ...depth, filtering, '--no-tags', '--no-write-fetch-head', '--stdin', remote.url]
  return fetched.runRemote(remote, args, { settings, input: wants.map((want) => `${want}\n`).join('') })
}

/** As {@link fetchObjects} for commits, but does without those that the server does not have. */
export async function fetchKnownCommits(stores: Stores, request: Omit<FetchRequest, 'kind'>): Promise<void> {
  let wants = request.wants
  while (wants.length > 0) {
    try {
      return await fetchObjects(stores, { ...request, wants, kind: 'commits' })
    } catch (error) {
      // The server names one at a time, and sends nothing at all then.
      const unknown = error instanceof GitFailure ? /not our ref ([0-9a-f]+)/.exec(error.stderr)?.[1] : undefined
      if (unknown === undefined || !wants.includes(unknown)) throw error
      wants = wants.filter((want) => want !== unknown)
    }
  }
}

/** What a snapshot takes over from the commit it is made of. Bytes, as old commits are not always UTF-8. */
export type SourceCommit = ReturnType<typeof parseCommit>

export async function readCommit(store: GitRepository, sha: string): Promise<SourceCommit> {
  return parseCommit(await store.run(['cat-file', 'commit', sha], { mostBytes: 16_000_000 }))
}

/** When the commit was made, in seconds since 1970; 0 when it does not say. */
export function committedAtSeconds(commit: SourceCommit): number {
  return Number(/> (\d+) [+-]\d+$/.exec(commit.committer.toString('latin1'))?.[1] ?? 0)
}

/** Takes a commit object's content apart. */
export function parseCommit(content: Buffer) {
  // latin1 keeps every byte as one character.
  const text = content.toString('latin1')
  const headerEnd = text.indexOf('\n\n')
  const headers = headerEnd < 0 ? text : text.slice(0, headerEnd)
  const message = headerEnd < 0 ? '' : text.slice(headerEnd + 2)
  const header = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(headers)?.[1]
  const lines = message.split('\n').map(trimBlanks)
  const start = lines.findIndex((line) => line !== '')
  const end = lines.indexOf('', start)
  const firstParagraph = start < 0 ? [] : lines.slice(start, end < 0 ? lines.length : end)
  return {
    tree: header('tree') ?? '',
    parents: Array.from(headers.matchAll(/^parent ([0-9a-f]+)$/gm), ([, sha = '']) => sha),
    author: Buffer.from(header('author') ?? '', 'latin1'),
    committer: Buffer.from(header('committer') ?? '', 'latin1'),
    /** Content of the `encoding` header, when the message is not UTF-8. */
    encoding: header('encoding'),
    /** First paragraph of the message on one line. */
    subject: Buffer.from(firstParagraph.join(' '), 'latin1'),
  }
}

// Not String.trim: one of the characters it takes away is the last byte of "à" in UTF-8. And no regular expression, as
// those look for the end of a text from every blank in it.
function trimBlanks(line: string): string {
  let [start, end] = [0, line.length]
  while (start < end && blanks.has(line[start] ?? '')) start++
  while (end > start && blanks.has(line[end - 1] ?? '')) end--
  return line.slice(start, end)
}

const blanks = new Set([' ', '\t', '\r', '\v', '\f'])

/** The subject for people. */
export function readableSubject(commit: SourceCommit): string {
  try {
    return new TextDecoder(commit.encoding ?? 'utf-8').decode(commit.subject)
  } catch {
    // An encoding that nobody knows: the bytes are still mostly ASCII.
    return commit.subject.toString('utf8')
  }
}

/**
 * Content of the snapshot commit: no parents, author, date and subject of the source, and a trailer that leads back to
 * it. A function of the tree and of the source commit alone: neither the ref nor the name of the repository is part of
 * it, as a commit keeps its snapshot when it is merged, tagged or its repository renamed.
 */
export function snapshotContent(tree: string, source: SourceCommit, sourceSha: string): Buffer {
  const encoding = source.encoding === undefined ? '' : `encoding ${source.encoding}\n`
  const subject = source.subject.length === 0 ? Buffer.from('(no message)') : source.subject
  return Buffer.concat([
    Buffer.from(`tree ${tree}\nauthor `),
    source.author,
    Buffer.from('\ncommitter '),
    source.committer,
    Buffer.from(`\n${encoding}\n`),
    subject,
    Buffer.from(`\n\nSource-Commit: ${sourceSha}\n`),
  ])
}

/** Name which git gives to a commit with that content. */
export function commitName(content: Buffer): string {
  return createHash('sha1').update(`commit ${content.length}\0`).update(content).digest('hex')
}

/** Writes the commit. Not checked by git: what authors wrote into old commits is not always well formed. */
export async function writeCommit(store: GitRepository, content: Buffer): Promise<string> {
  return await store.line(['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], { input: content })
}
