import { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cancelOnSignals } from '../../src/runner/cancellation.ts'
import { openOutputs, readOpenDeployments, saveOpenDeployments, writeSummary } from '../../src/runner/output.ts'

/** What a run leaves behind in the runner's files, and how it is told to end. */

let directory: string
const file = (name: string) => join(directory, name)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'runner-'))
  for (const name of ['GITHUB_OUTPUT', 'GITHUB_STATE']) {
    writeFileSync(file(name), '')
    process.env[name] = file(name)
  }
})

afterEach(() => {
  for (const name of ['GITHUB_OUTPUT', 'GITHUB_STATE']) delete process.env[name]
  rmSync(directory, { recursive: true })
})

/** Reads `name<<delimiter` blocks as the runner does; what was written last counts. */
function keyValues(path: string): Record<string, string> {
  const blocks = readFileSync(path, 'utf8').matchAll(/^(\S+)<<(\S+)\n([\s\S]*?)\n\2$/gm)
  return Object.fromEntries([...blocks].map(([, name, , value]) => [name, value]))
}

describe('outputs', () => {
  const masks = { hides: (text: string) => text.includes('hidden') }

  test('are written as soon as they are set, and the last value counts', () => {
    const output = openOutputs(masks, () => {})
    output('status', 'failed')
    output('url', 'https://a.example\nsecond line')
    output('duration-seconds', 12)
    output('status', 'live')
    expect(keyValues(file('GITHUB_OUTPUT'))).toEqual({
      status: 'live',
      url: 'https://a.example\nsecond line',
      'duration-seconds': '12',
    })
  })

  test('that the runner would drop for a masked value are warned about, once each', () => {
    const warnings: string[] = []
    const output = openOutputs(masks, (text) => warnings.push(text))
    output('url', 'https://hidden.example')
    output('url', 'https://hidden.example')
    output('branch', 'ink/pr-1/abc')
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('The output url contains a value that is masked')
    expect(warnings[0]).not.toContain('hidden')
  })
})

describe('what is saved for the post step', () => {
  const saved = () => {
    const entries = Object.entries(keyValues(file('GITHUB_STATE')))
    return readOpenDeployments(Object.fromEntries(entries.map(([name, value]) => [`STATE_${name}`, value])))
  }

  test('comes back as it was', () => {
    const open = { row: 'acme-web-pr-12', pullRequest: 12, deploymentId: 7 }
    saveOpenDeployments([open])
    expect(saved()).toEqual([open])
    saveOpenDeployments([{ ...open, pullRequest: undefined, deploymentId: undefined }])
    expect(saved()).toEqual([{ row: 'acme-web-pr-12', pullRequest: undefined, deploymentId: undefined }])
  })

  test('is taken back when nothing is open any more', () => {
    saveOpenDeployments([{ row: 'x', pullRequest: 1, deploymentId: undefined }])
    saveOpenDeployments([])
    expect(saved()).toEqual([])
  })

  test('is nothing when main was killed before it began', () => {
    expect(readOpenDeployments({})).toEqual([])
  })
})

describe('the job summary', () => {
  const write = (markdown: string, path: string | undefined) => {
    const warnings: string[] = []
    writeSummary({ GITHUB_STEP_SUMMARY: path }, markdown, (text) => warnings.push(text))
    return warnings
  }

  test('is written in place of what was there', () => {
    write('building', file('summary'))
    expect(write('live', file('summary'))).toEqual([])
    expect(readFileSync(file('summary'), 'utf8')).toBe('live')
  })

  test('that GitHub would refuse is left out, with a warning', () => {
    expect(write('ü'.repeat(600_000), file('summary'))[0]).toContain('1 MiB')
  })

  test('that cannot be written is a warning, not a failure', () => {
    expect(write('x', join(directory, 'no', 'such', 'folder'))[0]).toContain('could not be written')
    expect(write('x', undefined)).toEqual([])
  })
})

describe('being cancelled', () => {
  test.each(['SIGINT', 'SIGTERM'])('%s aborts what is under way, and says why', (name) => {
    const source = new EventEmitter()
    using cancel = cancelOnSignals(source)
    expect(cancel.signal.aborted).toBe(false)
    source.emit(name)
    expect(cancel.signal.reason).toMatchObject({ name: 'Cancelled', message: `The run was cancelled (${name})` })
  })

  test('is listened for until the end only', () => {
    const source = new EventEmitter()
    cancelOnSignals(source)[Symbol.dispose]()
    expect(source.eventNames()).toEqual([])
  })
})
