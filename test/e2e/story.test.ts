import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { startProgram } from '../support/start-program.ts'

const titles = [
  'A push to main goes to production',
  'A pull request gets a preview',
  'A second commit updates it',
  'A commit that breaks the build is red, with the reason',
  'The fix is live',
  'The merge brings production up to date and takes the preview down',
]

/** `npm start -- --exit`, and the command lines of every git that it started. */
async function tell() {
  await using watched = await watchGit()
  await using demo = await startProgram('sandbox/demo.ts', ['--exit'], { env: { PATH: watched.path } })
  const code = await demo.exited
  return { code, said: demo.said(), leftovers: await demo.leftovers(), gitCommands: await watched.commands() }
}

/** A git that notes the arguments of every process that it starts: what any other process on the runner could read of them. */
async function watchGit() {
  const folder = await mkdtemp(join(tmpdir(), 'story-git-'))
  const notes = join(folder, 'notes')
  const { stdout: git } = await promisify(execFile)('sh', ['-c', 'command -v git'])
  await writeFile(join(folder, 'git'), `#!/bin/sh\nGIT_TRACE2_EVENT='${notes}' exec '${git.trim()}' "$@"\n`, {
    mode: 0o755,
  })
  return {
    path: `${folder}:${process.env.PATH}`,
    async commands() {
      const events = (await readFile(notes, 'utf8')).split('\n').filter((line) => line !== '')
      return events.flatMap((line) => {
        const { event, argv } = JSON.parse(line) as { event: string; argv?: readonly string[] }
        return event === 'start' ? (argv?.join(' ') ?? []) : []
      })
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  }
}

const secret = /mlg_[\w-]{20,}|ghs_\w{20,}|dk_test_[0-9a-f]{20,}/

describe('the life of a pull request, told by npm start under Node 24, as GitHub’s runners start the bundle', () => {
  let told: Awaited<ReturnType<typeof tell>>
  beforeAll(async () => {
    told = await tell()
  }, 240_000)

  it.each(titles.map((title, index) => [title, index] as const))('%s', (title, index) => {
    const steps = told.said.split(/^(?=\d+\. )/m).slice(1)
    expect(steps).toHaveLength(titles.length)
    expect(steps[index]?.split('\n')[0]).toBe(`${index + 1}. ${title}`)
    // Each step looks at more than the streams, and all of them at those.
    const checks = steps[index]?.match(/^ {3}[✓✗] .*$/gm) ?? []
    expect(checks.filter((check) => check.startsWith('   ✗'))).toEqual([])
    expect(checks.slice(-3)).toEqual([
      '   ✓ GitHub was asked for nothing that it does not know',
      '   ✓ nothing was written to the error stream',
      '   ✓ no secret was shown',
    ])
    expect(checks.length).toBeGreaterThan(6)
  })

  it('ends by itself, says that all was well, and leaves nothing behind', () => {
    expect(told.code).toBe(0)
    expect(told.said).toContain('All 6 steps were as they should be')
    expect(told.leftovers).toEqual([])
  })

  it('no secret is in what it says', () => {
    expect(told.said).not.toMatch(secret)
  })

  it('no secret is in the process list while git runs', () => {
    const ours = told.gitCommands.filter((line) => /http:\/\/127\.0\.0\.1:\d+/.test(line))
    expect(ours.length).toBeGreaterThan(0)
    expect(told.gitCommands.filter((line) => secret.test(line))).toEqual([])
  })
})
