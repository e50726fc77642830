import { describe, expect, it } from 'vitest'
import { parsePackReport, parseProgress } from '../../src/source/push.ts'
import { classifyFailure } from '../../src/source/remote.ts'

function output(stderr: string, stdout = '') {
  return { stderr, stdout, exitCode: 1 }
}

// As written by git 2.39 to 2.47 and curl with OpenSSL and GnuTLS.
describe('a failure of git', () => {
  it.for([
    "fatal: unable to access 'https://git.example/x.git/': The requested URL returned error: 503",
    'error: RPC failed; HTTP 502 curl 22 The requested URL returned error: 502',
    "fatal: unable to access 'https://git.example/x.git/': Could not resolve host: git.example",
    "fatal: unable to access 'https://git.example/x.git/': Failed to connect to git.example port 443 after 3 ms: Couldn't connect to server",
    'error: RPC failed; curl 56 GnuTLS recv error (-9): Error decoding the received TLS packet.\nsend-pack: unexpected disconnect while reading sideband packet',
    'fatal: the remote end hung up unexpectedly',
    "fatal: unable to access 'https://git.example/x.git/': Empty reply from server",
    "fatal: unable to access 'https://git.example/x.git/': Operation too slow. Less than 1 bytes/sec transferred the last 120 seconds",
    'error: RPC failed; HTTP 429 curl 22 The requested URL returned error: 429',
  ])('that passes is told from one that stays: %s', (stderr) => {
    expect(classifyFailure(output(stderr)).kind).toBe('transient')
  })

  it.for([
    ["fatal: unable to access 'https://git.example/x.git/': SSL certificate problem: self-signed certificate", 'other'],
    ["fatal: could not read Username for 'https://git.example': terminal prompts disabled", 'denied'],
    ["fatal: Authentication failed for 'https://git.example/x.git/'", 'denied'],
    ["remote: not found\nfatal: repository 'https://git.example/x.git/' not found", 'denied'],
    [
      'error: RPC failed; HTTP 413 curl 22 The requested URL returned error: 413\nfatal: the remote end hung up unexpectedly',
      'too-large',
    ],
    ['fatal: unable to update url base from redirection: https://other.example', 'other'],
  ])('that stays is not retried: %s', ([stderr = '', kind]) => {
    expect(classifyFailure(output(stderr)).kind).toBe(kind)
  })

  it('names what the server said of a branch', () => {
    const stdout =
      'To https://git.example/x.git\n!\tabc:refs/heads/x\t[remote rejected] (shallow update not allowed)\nDone\n'
    expect(classifyFailure(output('remote: one\nremote: two   \nerror: failed to push some refs', stdout))).toEqual({
      kind: 'rejected',
      reason: '[remote rejected] (shallow update not allowed)',
      remoteLines: ['one', 'two'],
    })
  })
})

describe('what git reports of a push', () => {
  it.for([
    ['Writing objects:  33% (1/3), 5.20 MiB | 3.00 MiB/s', { percent: 33, objects: 1, bytes: 5_452_595 }],
    ['Writing objects: 100% (3/3), 248 bytes | 248.00 KiB/s, done.', { percent: 100, objects: 3, bytes: 248 }],
    [
      'Writing objects: 100% (12/12), 1.05 GiB | 30.00 MiB/s, done.',
      { percent: 100, objects: 12, bytes: 1_127_428_915 },
    ],
    ['Writing objects:   0% (0/7)', { percent: 0, objects: 0, bytes: 0 }],
    ['Compressing objects: 100% (3/3), done.', undefined],
  ] as const)('%s', ([line, expected]) => {
    expect(parseProgress(line)).toEqual(expected)
  })

  it('is its last line about what it wrote', () => {
    const stderr =
      'Counting objects: 3\nWriting objects:  33% (1/3)\rWriting objects: 100% (3/3), 2.00 KiB | 1 MiB/s, done.\nTotal 3 (delta 0)\n'
    expect(parsePackReport(stderr)).toEqual({ objects: 3, bytes: 2048 })
    expect(parsePackReport('Everything up-to-date\n')).toEqual({ objects: 0, bytes: 0 })
  })
})
