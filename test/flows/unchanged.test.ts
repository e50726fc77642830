import { beforeAll, describe, expect, it } from 'vitest'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

const inputs = { paths: 'index.html\nsite/**' }

// A repository whose `main` is live. Each test goes on from wherever that is.
let scene: Scene
let head: string
beforeAll(async () => {
  scene = await stage.scene()
  head = scene.first
  expect((await scene.act('push', { after: head }, { inputs })).told).toBe('live')
})

/** Carries out the push of a commit to `main`. */
async function push(after: string) {
  const before = head
  head = after
  return scene.act('push', { before, after }, { inputs })
}

function writeNotes(text: string): Promise<string> {
  return scene.repository.commit({ branch: 'main', files: { 'NOTES.md': text }, message: 'Note' })
}

describe('what changed is told by what is live, not by the push before', () => {
  it('a push of nothing that counts is skipped, and says what it looked for', async () => {
    const { told, outputs, warnings } = await push(await writeNotes('note'))
    // Nothing is checked out here, so nothing tells that `site/**` matches no file.
    expect([told, warnings]).toEqual(['skipped', []])
    expect(outputs['skipped-reason']).toContain(
      'none of the changed files matches watch (ink.yml, index.html, site/**)',
    )
  })

  it('a force push that takes a bad commit back is deployed', async () => {
    expect((await push(await scene.write('bad'))).told).toBe('live')
    const reset = { branch: 'main', parent: scene.first, files: { 'NOTES.md': 'sorry' }, message: 'Take it back' }
    const back = await scene.repository.commit(reset)
    expect((await push(back)).told).toBe('live')
    expect(await scene.page(scene.production)).toBe('first')
  })

  it('what a cancelled run left out goes live with the next push, though that is of nothing that counts', async () => {
    head = await scene.write('never deployed')
    expect((await push(await writeNotes('another note'))).told).toBe('live')
    expect(await scene.page(scene.production)).toBe('never deployed')
  })

  it('a glob that matches no file is warned of by name', async () => {
    const files = { 'index.html': 'next', 'ink.yml': 'services: { web: { watch: [index.html, "site/**"] } }' }
    const next = await scene.repository.commit({ branch: 'main', files, message: 'Describe the app' })
    const { told, warnings } = await push(next)
    expect(told).toBe('live')
    expect(warnings).toEqual([expect.stringMatching(/`watch` has what matches no file of this commit: site\/\*\*\./)])
  })
})
