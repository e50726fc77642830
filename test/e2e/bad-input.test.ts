import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunResult, type Sandbox, startSandbox } from '../../sandbox/index.ts'

const action = fileURLToPath(new URL('../..', import.meta.url))
let sandbox: Sandbox

beforeAll(async () => {
  sandbox = await startSandbox({ action })
})

afterAll(() => sandbox.stop())

/** Runs the bundle on a push to main with these inputs. */
async function runWith(name: string, inputs: Record<string, string>): Promise<{ result: RunResult; asked: number }> {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name })
  const after = await repository.commit({ branch: 'main', files: { 'index.html': 'one' }, message: 'Start' })
  const before = sandbox.ink.journal.length
  const event = await repository.event('push', { after })
  const result = await sandbox.run({
    repository,
    event,
    with: inputs,
    secrets: [inputs['api-key'] ?? ''].filter(Boolean),
  })
  return { result, asked: sandbox.ink.journal.length - before }
}

describe('bad input', () => {
  it('is reported all at once, naming input, value and what is allowed, before anything is touched', async () => {
    const { result, asked } = await runWith('all-wrong', {
      'api-key': 'not-a-key',
      command: 'deploy',
      'build-pack': 'nixpacks',
      memory: '3000Mi',
      vcpus: '3',
      port: '70000',
      timeout: 'soon',
      env: 'NO_EQUALS_SIGN',
      'root-directory': '../elsewhere',
      'health-status': '99-1000',
    })
    expect(result.conclusion).toBe('failure')
    expect(result.outputs.status).toBe('failed')
    expect(asked).toBe(0)
    const said = result.annotations.map(({ message }) => message).join('\n')
    for (const input of [
      'api-key',
      'command',
      'build-pack',
      'memory',
      'vcpus',
      'port',
      'timeout',
      'env',
      'root-directory',
      'health-status',
    ]) {
      expect(said, input).toMatch(new RegExp(`- ${input}[: ,]`))
    }
    for (const value of ['deploy', 'nixpacks', '3000Mi', '70000', 'soon', '../elsewhere', '99-1000'])
      expect(said).toContain(value)
    expect(said).toContain('railpack, dockerfile, static')
    expect(said).not.toContain('not-a-key')
  })

  it('what the platform would refuse in combination is refused here', async () => {
    const { result, asked } = await runWith('combinations', {
      'build-pack': 'dockerfile',
      'publish-directory': 'dist',
      'dockerfile-path': '/etc/Dockerfile',
    })
    expect(asked).toBe(0)
    const said = result.annotations.map(({ message }) => message).join('\n')
    expect(said).toMatch(/publish-directory/)
    expect(said).toMatch(/dockerfile-path/)
  })

  it('a missing key is red on a push, and says how to get one', async () => {
    const { result, asked } = await runWith('no-key', { 'api-key': '' })
    expect(result.conclusion).toBe('failure')
    expect(asked).toBe(0)
    expect(result.log).toMatch(/INK_API_KEY/)
  })

  it('a key that ml.ink does not know is red, with its own words and what to do, and without the key', async () => {
    const key = `dk_test_${'0'.repeat(64)}`
    const { result } = await runWith('wrong-key', { 'api-key': key })
    expect(result.conclusion).toBe('failure')
    expect(result.outputs.status).toBe('failed')
    expect(result.log).toContain('invalid api key')
    expect(result.log).toContain('Make a new API key')
    expect(result.log + result.summary).not.toContain(key)
    expect(result.log).not.toMatch(/\n\s+at .+:\d+:\d+/)
  })
})
