import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deploymentBranch, parseDeploymentBranch } from '../../src/plan/names.ts'
import { parseRemote } from '../../src/source/remote.ts'
import { quotePath } from '../../src/source/workspace.ts'
import { freshToken, git, gitBytes, newRepository, scratchFolder } from './scratch.ts'

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((parts) => parts.join(''))

describe('the name of a deployment’s branch', () => {
  it('gives back what it was made of', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.constantFrom('production/acme-web', 'env-staging/acme-web-staging'),
          fc.integer({ min: 1, max: 999_999 }).map((number) => `pr-${number}/acme-web-pr-${number}`),
        ),
        fc.oneof(hex(40), hex(64)),
        fc.option(hex(8), { nil: undefined }),
        (target, sourceSha, suffix) => {
          const expected = suffix === undefined ? { target, sourceSha } : { target, sourceSha, suffix }
          expect(parseDeploymentBranch(deploymentBranch(target, sourceSha, suffix))).toEqual(expected)
        },
      ),
    )
  })

  it.for([
    'main',
    'ink/production/acme-web/main',
    `ink/production/${'a'.repeat(40)}`,
    `ink/pr-0/acme-web-pr-0/${'a'.repeat(40)}`,
    `x/ink/pr-1/acme-web-pr-1/${'a'.repeat(40)}`,
    `ink/pr-1/acme-web-pr-1/${'a'.repeat(41)}`,
  ])('%s is not one', (name) => {
    expect(parseDeploymentBranch(name)).toBeUndefined()
  })
})

describe('a remote', () => {
  it('shows its token to nobody who prints it', () => {
    const token = freshToken()
    const remote = parseRemote(`https://x-git-token:${token}@git.example/ada/web-1234.git`)
    expect(remote.url).toBe('https://git.example/ada/web-1234.git')
    const shown = [
      JSON.stringify(remote),
      inspect(remote, { showHidden: true, depth: 9 }),
      String(remote),
      JSON.stringify({ ...remote }),
    ]
    expect(shown.join('\n')).not.toContain(token)
    expect(remote.authorization()).toBe(`Basic ${Buffer.from(`x-git-token:${token}`).toString('base64')}`)
  })

  it('takes every spelling of the token out of a text', () => {
    const token = 'to/ken+with=signs'
    const remote = parseRemote(`https://user:${encodeURIComponent(token)}@git.example/web.git`)
    const text = [token, encodeURIComponent(token), remote.authorization(), Buffer.from(token).toString('base64')].join(
      ' ',
    )
    expect(remote.redact(text)).toBe('*** *** Basic *** ***')
    expect(parseRemote('https://git.example/web.git').redact('unchanged')).toBe('unchanged')
  })

  it.for(['', 'git@git.example:web.git', 'file:///srv/web.git', 'ssh://token@git.example/web.git'])(
    'that is not an HTTP address is refused without being repeated: %s',
    (url) => {
      expect(() => parseRemote(url)).toThrow(expect.objectContaining({ code: 'bad-remote' }))
      expect(() => parseRemote(url)).not.toThrow(/token|srv|web/)
    },
  )
})

describe('a path for git', () => {
  it('comes back byte by byte, whatever is in it', async () => {
    await using folder = await scratchFolder()
    const repository = await newRepository(folder.path)
    const oid = (await gitBytes(repository, ['hash-object', '-w', '--stdin'], { input: 'x' })).toString().trim()
    const segment = fc
      .uint8Array({ minLength: 1, maxLength: 20 })
      .filter((bytes) => !bytes.includes(0) && !bytes.includes(0x2f))
    const names = fc
      .sample(segment, { numRuns: 60, seed: 4 })
      .map((bytes, index) => Buffer.concat([Buffer.from(`${index}-`), bytes]))
    const lines = names.map((name) => `100644 ${oid} 0\t${quotePath(name)}\n`).join('')
    await gitBytes(repository, ['-c', 'core.protectNTFS=false', 'update-index', '--index-info'], { input: lines })
    const listed = (await gitBytes(repository, ['ls-files', '-z'])).toString('latin1').split('\0').slice(0, -1)
    expect(listed.toSorted()).toEqual(names.map((name) => name.toString('latin1')).toSorted())
    expect(await git(repository, 'status', '--short')).not.toBe('')
  })
})
