import { createHash } from 'node:crypto'
import type { ObjectStore } from './object-store.ts'

/** What a snapshot takes over from the commit it is made of. Bytes, as old commits are not always UTF-8. */
export interface SourceCommit {
  readonly tree: string
  readonly parents: readonly string[]
  readonly author: Buffer
  readonly committer: Buffer
  /** Content of the `encoding` header, when the message is not UTF-8. */
  readonly encoding: string | undefined
  /** First paragraph of the message on one line. */
  readonly subject: Buffer
}

export interface SnapshotNames {
  readonly sourceSha: string
  readonly sourceRef: string
  /** `owner/name` */
  readonly repository: string
}

export async function readCommit(store: ObjectStore, sha: string, signal: AbortSignal): Promise<SourceCommit> {
  return parseCommit(await store.run(['cat-file', 'commit', sha], { signal }))
}

/** When the commit was made, in seconds since 1970; 0 when it does not say. */
export function committedAtSeconds(commit: SourceCommit): number {
  return Number(/> (\d+) [+-]\d+$/.exec(commit.committer.toString('latin1'))?.[1] ?? 0)
}

/** Takes a commit object's content apart. */
export function parseCommit(content: Buffer): SourceCommit {
  // latin1 keeps every byte as one character.
  const text = content.toString('latin1')
  const headerEnd = text.indexOf('\n\n')
  const headers = headerEnd < 0 ? text : text.slice(0, headerEnd)
  const message = headerEnd < 0 ? '' : text.slice(headerEnd + 2)
  const header = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(headers)?.[1]
  const firstParagraph = message.trimStart().split(/\n\s*\n/)[0] ?? ''
  return {
    tree: header('tree') ?? '',
    parents: Array.from(headers.matchAll(/^parent ([0-9a-f]+)$/gm), ([, sha = '']) => sha),
    author: Buffer.from(header('author') ?? '', 'latin1'),
    committer: Buffer.from(header('committer') ?? '', 'latin1'),
    encoding: header('encoding'),
    subject: Buffer.from(firstParagraph.trimEnd().replaceAll(/\s*\n\s*/g, ' '), 'latin1'),
  }
}

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
 * Content of the snapshot commit: no parents, author, date and subject of the source, and trailers that lead back to
 * it. A function of its arguments alone, so the same source gives the same snapshot everywhere.
 */
export function snapshotContent(tree: string, source: SourceCommit, names: SnapshotNames): Buffer {
  const encoding = source.encoding === undefined ? '' : `encoding ${source.encoding}\n`
  const subject = source.subject.length === 0 ? Buffer.from('(no message)') : source.subject
  const trailers = [
    `Source-Commit: ${names.sourceSha}`,
    `Source-Repository: ${names.repository}`,
    `Source-Ref: ${names.sourceRef}`,
  ]
  return Buffer.concat([
    Buffer.from(`tree ${tree}\nauthor `),
    source.author,
    Buffer.from('\ncommitter '),
    source.committer,
    Buffer.from(`\n${encoding}\n`),
    subject,
    Buffer.from(`\n\n${trailers.join('\n')}\n`),
  ])
}

/** Name which git gives to a commit with that content. */
export function commitName(content: Buffer): string {
  return createHash('sha1').update(`commit ${content.length}\0`).update(content).digest('hex')
}

/** Writes the commit. Not checked by git: what authors wrote into old commits is not always well formed. */
export async function writeCommit(store: ObjectStore, content: Buffer, signal: AbortSignal): Promise<string> {
  return await store.line(['hash-object', '-t', 'commit', '-w', '--literally', '--stdin'], { input: content, signal })
}
