import { describe, expect, it } from 'vitest'
import { parseCommit, readableSubject, snapshotContent } from '../../src/source/objects.ts'

const sourceSha = 'a'.repeat(40)

function commit(message: string | Buffer, headers = ''): Buffer {
  const head = `tree ${'b'.repeat(40)}\nparent ${'c'.repeat(40)}\nauthor A <a@b> 1 +0000\ncommitter C <c@d> 2 +0100\n${headers}\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(message)])
}

describe('the message of a snapshot', () => {
  it.for([
    ['one line', 'Subject\n', 'Subject'],
    ['no line end', 'Subject', 'Subject'],
    ['a subject on two lines', 'Sub\nject\n\nBody\n', 'Sub ject'],
    ['empty lines in front', '\n\n  Subject\n', 'Subject'],
    ['Windows line ends', 'Subject\r\n\r\nBody\r\n', 'Subject'],
    ['nothing', '', ''],
  ])('takes the subject from a message with %s', ([, message = '', subject]) => {
    expect(readableSubject(parseCommit(commit(message)))).toBe(subject)
  })

  it('keeps the bytes and the encoding of an old commit', () => {
    const source = parseCommit(commit(Buffer.from([0x4d, 0xfc, 0x6c, 0x6c, 0x0a]), 'encoding ISO-8859-1\n'))
    expect(readableSubject(source)).toBe('Müll')
    const content = snapshotContent(source.tree, source, sourceSha)
    expect(content.includes(Buffer.from([0x4d, 0xfc, 0x6c, 0x6c, 0x0a]))).toBe(true)
    expect(content.toString('latin1')).toContain('\nencoding ISO-8859-1\n\n')
  })

  it('leaves signatures and parents behind', () => {
    const source = parseCommit(commit('Subject\n', 'gpgsig -----BEGIN-----\n \n abc\n -----END-----\n'))
    const content = snapshotContent(source.tree, source, sourceSha).toString()
    expect(content).not.toMatch(/gpgsig|parent|abc/)
    expect(content).toContain('author A <a@b> 1 +0000\ncommitter C <c@d> 2 +0100\n\nSubject\n\nSource-Commit: ')
  })
})
