import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDeploymentBranch } from '../../src/plan/names.ts'
import { parsePointer } from '../../src/source/lfs.ts'
import { parseCommit, readableSubject } from '../../src/source/objects.ts'
import { parsePackReport, parseProgress } from '../../src/source/push.ts'
import { GitRemote, gitError, parseRemote, SourceError } from '../../src/source/remote.ts'
import { submoduleRemote } from '../../src/source/resolve-tree.ts'
import { deploy } from '../source/deploying.ts'
import { setStage } from '../source/deployment.ts'
import { commitFiles, newRepository, writeFiles } from '../source/scratch.ts'
import { cpuOf } from '../support/quiet-cpu.ts'

const parent = new GitRemote('https://git.example/acme/web', 'x-access-token', 'to%ken')
const failureOf = (stderr: string) => gitError('The push', { stderr, stdout: stderr, exitCode: 1 }, parent)

/** Readers of what strangers write, each with the pieces that its texts are made of. */
const readers: readonly [name: string, pieces: readonly string[], read: (text: string) => unknown][] = [
  [
    'the remote of the platform',
    [
      'https://',
      'http://',
      'ssh://',
      'x',
      ':',
      '@',
      '%',
      '%zz',
      '%2F',
      '/',
      '.git',
      '[',
      ']',
      '::',
      '\\',
      ' ',
      '\0',
      'é',
    ],
    (text) => parseRemote(text, () => undefined),
  ],
  [
    'the address of a submodule',
    [
      'https://',
      'http://',
      'ssh://',
      './',
      '../',
      '//',
      'git@',
      'host',
      ':',
      '22',
      '/',
      '[',
      ']',
      '%',
      '\\',
      '?',
      '#',
      '\n',
      'a b',
    ],
    (text) => submoduleRemote(text, parent),
  ],
  [
    'the name of a branch',
    ['ink/', 'production', 'pr-', '0', '9', '/', 'a', 'f'.repeat(40), '-', '\n'],
    parseDeploymentBranch,
  ],
  [
    'a failure of git',
    [
      'remote: ',
      'fatal: ',
      'error: ',
      ' ',
      '\t',
      '\n',
      '\r',
      '!',
      "repository '",
      "' not found",
      'HTTP 5',
      '03',
      '[remote ',
      'x',
      '\u202e',
    ],
    failureOf,
  ],
  [
    'a report of a push',
    ['Writing objects: ', ' ', '33', '%', '(', '/', ')', ', ', '5.2', ' MiB', ' | ', '\r', '\n', '.'],
    (text) => [parseProgress(text), parsePackReport(text)],
  ],
  [
    'a commit',
    [
      'tree ',
      'parent ',
      'author ',
      'committer ',
      'encoding ',
      'utf-7',
      '> ',
      '1',
      '+0000',
      '\n',
      '\n\n',
      '\n\na',
      ' ',
      '\t',
      '\xa0',
      'a',
    ],
    (text) => readableSubject(parseCommit(Buffer.from(text, 'latin1'))),
  ],
  [
    'an LFS pointer',
    ['version https://git-lfs.github.com/spec/v1\n', 'oid sha256:', 'a'.repeat(64), '\n', 'size ', '9', '0'],
    (text) => parsePointer(Buffer.from(text)),
  ],
]

function readOrRefuse(read: (text: string) => unknown, text: string): void {
  try {
    read(text)
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
  }
}

describe.for(readers)('%s', ([, pieces, read]) => {
  it('is read or refused, whatever it says', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })), { maxLength: 24 }),
        (parts) => readOrRefuse(read, parts.join('')),
      ),
      { numRuns: 5_000 },
    )
  })

  // Linear work on this much text takes a few milliseconds; work that grows with the square a good second.
  it('is read in time that grows with its length', () => {
    for (const first of pieces) {
      for (const piece of pieces) {
        const text = first + piece.repeat(Math.ceil(60_000 / piece.length))
        for (const ending of ['', '\0x']) {
          const isQuick = () => cpuOf(() => readOrRefuse(read, text + ending)) < 150
          // The first look may have had to clear memory.
          if (!isQuick() && !isQuick()) expect.fail(`${JSON.stringify(first)} and many times ${JSON.stringify(piece)}`)
        }
      }
    }
  })
})

describe('a subject', () => {
  it('keeps its last letter, whichever bytes it is made of', () => {
    expect(readableSubject(parseCommit(Buffer.from('tree x\n\n \tVoilà\n \nBody')))).toBe('Voilà')
  })
})

describe('a server that talks without end', () => {
  it('is quoted in one line', async () => {
    await using stage = await setStage()
    await newRepository(stage.workspace)
    const sha = await commitFiles(stage.workspace, { 'a.txt': 'a\n' })
    const flood = '#!/bin/sh\nyes "::error::much of this" | head -c 2000000 >&2\nexit 1\n'
    await writeFiles(stage.platformRepository, { 'hooks/pre-receive': flood })
    await chmod(join(stage.platformRepository, 'hooks/pre-receive'), 0o755)
    await using source = stage.open()
    const error = await deploy(stage, source, sha).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'rejected' })
    expect((error as Error).message.length).toBeLessThan(1_000)
    expect((error as Error).message).not.toContain('\n')
  })
})
