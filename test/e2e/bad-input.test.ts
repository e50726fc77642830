import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunResult, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { node24 } from '../support/node-24.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ action, node: await node24() })
})

afterAll(() => sandbox.stop())

/** Runs the bundle on a push to main with these inputs, and counts what it has left to be seen: calls to ml.ink, and records. */
async function runWith(
  name: string,
  inputs: Record<string, string>,
  checkout?: false,
): Promise<{ result: RunResult; asked: number; records: number }> {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name })
  const after = await repository.commit({ branch: 'main', files: { 'index.html': 'one' }, message: 'Start' })
  const before = sandbox.ink.journal.length
  const event = await repository.event('push', { after })
  const result = await sandbox.run({
    repository,
    event,
    with: inputs,
    ...(checkout === false && { checkout }),
    secrets: [inputs['api-key'] ?? ''].filter(Boolean),
  })
  return { result, asked: sandbox.ink.journal.length - before, records: repository.deployments().length }
}

/** A run that was refused leaves nothing for its post step to claim. */
function expectNothingToSettle({ post }: RunResult): void {
  expect(post?.conclusion).toBe('success')
  expect(post?.log).not.toMatch(/Marked|cancelled|superseded/)
}

describe('bad input', () => {
  it('is reported all at once, naming input, value and what is allowed, before anything is touched', async () => {
    const wrong = {
      'api-key': 'not-a-key',
      command: 'deploy',
      'build-pack': 'nixpacks',
      memory: '3000Mi',
      vcpus: '3',
      port: '70000',
      timeout: 'soon',
      env: 'NO_EQUALS_SIGN\nA=abc #def',
      'root-directory': '../elsewhere',
      'health-status': '99-1000',
    }
    const { result, asked, records } = await runWith('all-wrong', wrong, false)
    expect(result.conclusion).toBe('failure')
    expect(result.outputs.status).toBe('failed')
    expect([asked, records]).toEqual([0, 0])
    expectNothingToSettle(result)
    const said = result.annotations.map(({ message }) => message).join('\n')
    for (const input of Object.keys(wrong)) {
      expect(said, input).toMatch(new RegExp(`- ${input}[: ,]`))
    }
    for (const value of ['deploy', 'nixpacks', '3000Mi', '70000', 'soon', '../elsewhere', '99-1000'])
      expect(said).toContain(value)
    expect(said).toContain('railpack, dockerfile, static')
    // Quoting that would cut a value off, with both ways to write it.
    expect(said).toMatch(/env, line 2: the # would start a comment.* quotes, or, .* a space before and after/)
    expect(said).not.toContain('not-a-key')
  })

  it('a key that ml.ink does not know is red, with its own words and what to do, and without the key', async () => {
    const key = `dk_test_${'0'.repeat(64)}`
    const { result } = await runWith('wrong-key', { 'api-key': key })
    expect(result.conclusion).toBe('failure')
    expect(result.outputs.status).toBe('failed')
    expectNothingToSettle(result)
    expect(result.log).toContain('invalid api key')
    expect(result.log).toContain('Make a new API key')
    expect(result.log + result.summary).not.toContain(key)
    expect(result.log).not.toMatch(/\n\s+at .+:\d+:\d+/)
  })
})
