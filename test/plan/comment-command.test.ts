import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findCommand } from '../../src/plan/event.ts'

describe('a command in a comment', () => {
  test.each([
    ['/ink deploy', { name: 'deploy', commit: undefined }],
    ['/ink deploy AbC1234', { name: 'deploy', commit: 'abc1234' }],
    ['Looks good!\r\n\r\n/ink deploy\r\nthanks', { name: 'deploy', commit: undefined }],
    ['  /ink   STOP  ', { name: 'stop' }],
    ['/ink logs', { name: 'logs' }],
    ['/ink rollback 1234567', { name: 'rollback', commit: '1234567' }],
    ['/ink help', { name: 'help', unknown: undefined }],
    ['/ink', { name: 'help', unknown: undefined }],
    ['/ink dance', { name: 'help', unknown: 'dance' }],
    ['/ink rollback yesterday', { name: 'help', unknown: 'rollback yesterday' }],
    ['/ink stop\n/ink deploy', { name: 'stop' }],
    ['```\ncode\n```\n/ink deploy', { name: 'deploy', commit: undefined }],
    ['> quoted\n\n/ink deploy', { name: 'deploy', commit: undefined }],
    ['`inline` ``` is not a fence\n/ink logs', { name: 'logs' }],
    ['```one line```\n/ink logs', { name: 'logs' }],
  ])('%j', (body, command) => {
    expect(findCommand(body)).toEqual(command)
  })

  test.each([
    ['no command', 'please deploy'],
    ['a word that goes on', '/inkdeploy'],
    ['in the middle of a line', 'try /ink deploy'],
    ['a quote', '> /ink deploy'],
    ['a quote without a space', '>/ink deploy'],
    ['a line that Markdown counts to the quote before it', '> somebody wrote\n/ink deploy'],
    ['a fence', '```\n/ink deploy\n```'],
    ['a fence with a language', '```sh\n/ink deploy\n```'],
    ['tildes', '~~~\n/ink deploy\n~~~'],
    ['a fence that is never closed', '```\n/ink deploy'],
    ['a fence that a shorter one does not close', '````\n```\n/ink deploy\n````'],
    ['a fence that the other kind does not close', '```\n~~~\n/ink deploy\n```'],
    ['a closing fence with text is none', '```\n``` x\n/ink deploy\n```'],
    ['indented code', 'text\n\n    /ink deploy'],
    ['a tab', '\t/ink deploy'],
    ['a hidden comment', '<!-- \n/ink deploy\n-->'],
    ['a hidden comment that is never closed', '<!--\n/ink deploy'],
    ['inline code', '`/ink deploy`'],
    ['nothing', ''],
  ])('none: %s', (_, body) => {
    expect(findCommand(body)).toBeUndefined()
  })

  test('is never found in what is quoted line by line', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('/ink deploy', 'text', '', '```', '~~~')), (lines) => {
        expect(findCommand(lines.map((line) => `> ${line}`).join('\n'))).toBeUndefined()
      }),
    )
  })
})
