import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { locateInWorkspace } from '../../src/core/workspace-file.ts'

/** A workspace with a file, and a stranger's links in it. */
function workspaceWith(links: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const workspace = join(folder, 'workspace')
  mkdirSync(join(workspace, '.git'), { recursive: true })
  writeFileSync(join(workspace, '.git', 'config'), 'TOKEN=1')
  writeFileSync(join(workspace, 'plain.env'), 'A=1')
  writeFileSync(join(folder, 'outside.env'), 'KEY=1')
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(workspace, name))
  return workspace
}

describe('a path that a stranger put into the checkout', () => {
  test.each([
    ['/proc/self/environ', 'leads out of the workspace'],
    ['../outside.env', 'leads out of the workspace'],
    ['/dev/zero', 'leads out of the workspace'],
    ['.git/config', 'belongs to git'],
  ])('as a link to %s is refused', (target, why) => {
    const workspace = workspaceWith({ dist: target })
    expect(locateInWorkspace(workspace, 'dist')).toMatchObject({ kind: 'refused', why: expect.stringContaining(why) })
  })

  test('through a linked folder, or by a path that leads out, is refused as well', () => {
    const workspace = workspaceWith({ folder: '..' })
    for (const path of ['folder/outside.env', '../outside.env', join(workspace, '..', 'outside.env'), '/etc/hostname'])
      expect(locateInWorkspace(workspace, path), path).toMatchObject({ kind: 'refused' })
  })

  test('as a link to a file in the workspace is that file, and links in a circle are none', () => {
    const workspace = workspaceWith({ '.env': 'plain.env', a: 'b', b: 'a' })
    expect(locateInWorkspace(workspace, '.env')).toMatchObject({ kind: 'file', bytes: 3 })
    expect(locateInWorkspace(workspace, 'a')).toEqual({ kind: 'absent' })
  })
})
