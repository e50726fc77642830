import { describe, expect, it } from 'vitest'
import { renderLog } from '../../sandbox/page/run-log.ts'

const render = (lines: readonly string[], running = false): string =>
  renderLog(lines, { running, rawUrl: '/acme/web/actions/runs/1/raw' }).toString()

const count = (text: string, part: string): number => text.split(part).length - 1

describe('the log of a run', () => {
  it('folds groups, and numbers lines as they were written', () => {
    const shown = render(['##[group]Push', 'sent', '##[endgroup]', 'after'])
    expect(count(shown, '<details')).toBe(1)
    expect(shown).toMatch(/<details.*>1<.*Push.*<\/summary>.*>2<.*sent.*<\/details>.*>4<.*after/s)
  })

  it('begins a new group where one begins in another, since groups do not nest', () => {
    const shown = render(['##[group]One', '##[group]Two', 'in two', '##[endgroup]', '##[endgroup]', 'outside'])
    expect(count(shown, '</details>')).toBe(2)
    expect(shown.indexOf('outside')).toBeGreaterThan(shown.lastIndexOf('</details>'))
    expect(shown).not.toContain('endgroup')
  })

  it('opens the group that is being written, and no other', () => {
    const lines = ['##[group]One', '##[endgroup]', '##[group]Two', 'now']
    expect(count(render(lines, true), ' open>')).toBe(1)
    expect(count(render(lines), ' open>')).toBe(0)
    expect(count(render([...lines, '##[endgroup]'], true), ' open>')).toBe(0)
  })

  it('names what is an error, a warning or a notice', () => {
    const shown = render(['##[error]bad', '##[warning]odd', '##[notice]well'])
    for (const words of ['Error: bad', 'Warning: odd', 'Notice: well']) expect(shown).toContain(words)
  })

  it('shows markup and control characters as nothing but text', () => {
    const shown = render(['\u001b[31m<script>alert(1)</script>\u001b[0m', '##[group]<b>', '##[endgroup]'])
    expect(shown).toContain('&lt;script&gt;')
    expect(shown).not.toMatch(/<script|<b>|\u001b/)
  })

  it('links addresses and nothing but addresses', () => {
    const shown = render(['live at http://127.0.0.1:8080/a?b=1. Then javascript:alert(1)'])
    expect(shown).toContain('<a href="http://127.0.0.1:8080/a?b=1" rel="nofollow">')
    expect(count(shown, '<a ')).toBe(1)
  })

  it('keeps a page with a very long log small, and says where the rest is', () => {
    const shown = render(Array.from({ length: 100_000 }, (_, index) => `line ${index + 1}`))
    expect(shown.length).toBeLessThan(500_000)
    expect(shown).toContain('98000 earlier lines')
    expect(shown).toContain('line 100000')
  })
})
