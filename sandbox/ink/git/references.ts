import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { advertising, type GitService } from '../../git-service.ts'
import type { GitCommand } from './command.ts'

/** Branches, each with the commit it points at, in git's order. */
type Branches = ReadonlyMap<string, string>

/** What a repository refers to; without a process for each question, of which there are thousands in a run of the tests. */
export interface References {
  branches(directory: string): Promise<Branches>
  /** What git tells a client at the beginning: the references there are, and what it can do. */
  advertisement(directory: string, service: GitService): Promise<Buffer>
}

/**
 * What git says it can do, which depends on itself, the service, and the branch that `HEAD` is told to stand for. Of an empty
 * repository git says nothing to whoever wants to receive from it before its version 2.41: that is an empty text.
 */
const capabilities = new Map<string, string>()

/** @param git - is asked once for what it can do, and for the references wherever they are not simply files of branches */
export function createReferences(git: GitCommand): References {
  const ask = (directory: string, service: GitService) => git.read(advertising(service), { cwd: directory })

  return {
    async branches(directory) {
      return looseBranches(directory) ?? advertisedBranches(await ask(directory, 'git-receive-pack'))
    },
    async advertisement(directory, service) {
      const branches = looseBranches(directory)
      if (branches === undefined) return ask(directory, service)
      const branch = headBranch(directory)
      const head = service === 'git-upload-pack' ? branches.get(branch) : undefined
      const isEmpty = branches.size === 0
      const kind = [git.env.PATH, service, head === undefined ? '' : branch, isEmpty].join('\0')
      const known = capabilities.get(kind)
      if (known !== undefined) return writeAdvertisement(branches, head, known)
      const answer = await ask(directory, service)
      const told = /\0(.*)\n/.exec(answer.toString())?.[1] ?? (isEmpty ? '' : undefined)
      if (told !== undefined) capabilities.set(kind, told)
      return answer
    },
  }
}

/**
 * The branches of a repository in which every reference is a branch, and a file of its own (gitrepository-layout(5)), with an
 * ASCII name; undefined of any other, and of one where a branch goes while it is read.
 */
function looseBranches(directory: string): Branches | undefined {
  const special = ['packed-refs', 'shallow', 'objects/info/alternates']
  if (special.some((name) => existsSync(join(directory, name)))) return undefined
  const refs = join(directory, 'refs')
  const branches: [name: string, commit: string][] = []
  try {
    for (const entry of readdirSync(refs, { recursive: true, withFileTypes: true })) {
      // Git writes a reference to a lock beside it first.
      if (!entry.isFile() || entry.name.endsWith('.lock')) continue
      const path = join(entry.parentPath, entry.name)
      const [, name] = /^heads\/([!-~]+)$/.exec(path.slice(refs.length + 1).replaceAll(sep, '/')) ?? []
      const [commit] = /^[0-9a-f]{40}(?=\n$)/.exec(readFileSync(path, 'latin1')) ?? []
      if (name === undefined || commit === undefined) return undefined
      branches.push([name, commit])
    }
  } catch {
    return undefined
  }
  return new Map(branches.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const headBranch = (directory: string) =>
  readFileSync(join(directory, 'HEAD'), 'utf8').trim().replace('ref: refs/heads/', '')

/** Reference discovery as of gitprotocol-pack(5): a packet `<commit> <name>` each, what git can do behind the first. */
function writeAdvertisement(branches: Branches, head: string | undefined, known: string): Buffer {
  const lines = [...branches].map(([name, commit]) => `${commit} refs/heads/${name}`)
  if (head !== undefined) lines.unshift(`${head} HEAD`)
  if (lines.length === 0 && known !== '') lines.push(`${'0'.repeat(40)} capabilities^{}`)
  const packets = lines.map((line, index) => {
    const content = `${line}${index === 0 ? `\0${known}` : ''}\n`
    return (content.length + 4).toString(16).padStart(4, '0') + content
  })
  return Buffer.from(`${packets.join('')}0000`)
}

function advertisedBranches(advertisement: Buffer): Branches {
  const text = advertisement.toString()
  return new Map(
    [...text.matchAll(/([0-9a-f]{40}) refs\/heads\/([^\0\n]+)/g)].map(([, sha = '', name = '']) => [name, sha]),
  )
}
