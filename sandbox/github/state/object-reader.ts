import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { isolatedGitEnvironment } from './git.ts'

/** An object of a repository as git stores it. */
export interface GitObject {
  readonly sha: string
  readonly type: string
  readonly content: Buffer
}

type Answer = (found: GitObject | undefined) => void

/** Readers by the repository they read from. */
const readers = new Map<string, ObjectReader>()

/**
 * The object that a name stands for, in any of the ways git can name one (`refs/heads/main^{commit}`, `<sha>:<path>`), or
 * `undefined` when there is none. One git per repository answers all of these questions: each would otherwise take a process.
 */
export function askReader(directory: string, name: string): Promise<GitObject | undefined> {
  // A question is one line.
  if (name.includes('\n')) return Promise.resolve(undefined)
  let reader = readers.get(directory)
  if (reader === undefined || reader.ended) {
    reader = new ObjectReader(directory)
    readers.set(directory, reader)
  }
  return reader.read(name)
}

/** Ends the git that reads from a repository, or from any below a folder. */
export async function closeReaders(directory: string): Promise<void> {
  for (const [path, reader] of readers) {
    if (path !== directory && !path.startsWith(`${directory}/`)) continue
    readers.delete(path)
    await reader.close()
  }
}

/** `git cat-file --batch`: a name a line; a header, the content and a line feed for each. Keeps no process alive while idle. */
class ObjectReader {
  ended = false
  #closing = false
  readonly #child: ChildProcessWithoutNullStreams
  readonly #closed: Promise<void>
  readonly #waiting: { readonly name: string; readonly answer: Answer }[] = []
  #received = Buffer.alloc(0)

  constructor(directory: string) {
    this.#child = spawn('git', ['cat-file', '--batch'], { cwd: directory, env: isolatedGitEnvironment() })
    this.#closed = new Promise((resolve) => {
      const end = () => {
        this.ended = true
        for (const { answer } of this.#waiting.splice(0)) answer(undefined)
        resolve()
      }
      this.#child.once('error', end)
      this.#child.once('close', end)
    })
    this.#child.stderr.resume()
    this.#child.stdin.on('error', () => undefined)
    this.#child.stdout.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk])
      while (this.#takeAnswer());
      if (this.#waiting.length === 0 && !this.#closing) this.#hold(false)
    })
    this.#hold(false)
  }

  read(name: string): Promise<GitObject | undefined> {
    this.#hold(true)
    return new Promise((answer) => {
      this.#waiting.push({ name, answer })
      this.#child.stdin.write(`${name}\n`)
    })
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#hold(true)
    this.#child.stdin.end()
    await this.#closed
  }

  #takeAnswer(): boolean {
    const asked = this.#waiting[0]
    const lineEnd = this.#received.indexOf('\n')
    if (asked === undefined || lineEnd < 0) return false
    const [, sha = '', type = '', size] =
      /^([0-9a-f]{40,64}) (\w+) (\d+)$/.exec(this.#received.toString('utf8', 0, lineEnd)) ?? []
    const start = lineEnd + 1
    const end = start + Number(size)
    // Without a size it is a line like `<name> missing`.
    if (size !== undefined && this.#received.length <= end) return false
    const found = size === undefined ? undefined : { sha, type, content: this.#received.subarray(start, end) }
    this.#received = this.#received.subarray(size === undefined ? start : end + 1)
    this.#waiting.shift()
    asked.answer(found)
    return true
  }

  #hold(keepsAlive: boolean): void {
    for (const end of [this.#child, this.#child.stdin, this.#child.stdout, this.#child.stderr] as (
      | Socket
      | undefined
    )[]) {
      if (keepsAlive) end?.ref()
      else end?.unref()
    }
  }
}
