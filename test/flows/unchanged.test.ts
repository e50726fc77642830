import { describe, expect, it } from 'vitest'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

const inputs = { paths: 'index.html\nsite/**' }

async function live(): Promise<Scene> {
  const scene = await stage.scene()
  expect((await scene.act('push', { after: scene.first }, { inputs })).told).toBe('live')
  return scene
}

function writeNotes(scene: Scene): Promise<string> {
  return scene.repository.commit({ branch: 'main', files: { 'NOTES.md': 'note' }, message: 'Note' })
}

describe('what changed is told by what is live, not by the push before', () => {
  it('a push of nothing that counts is skipped, and says what it looked for', async () => {
    const scene = await live()
    const notes = await writeNotes(scene)
    const { told, outputs } = await scene.act('push', { before: scene.first, after: notes }, { inputs })
    expect(told).toBe('skipped')
    expect(outputs['skipped-reason']).toContain(
      'none of the changed files matches watch (ink.yml, index.html, site/**)',
    )
  })

  it('a force push that takes a bad commit back is deployed', async () => {
    const scene = await live()
    const bad = await scene.write('bad')
    expect((await scene.act('push', { before: scene.first, after: bad }, { inputs })).told).toBe('live')
    const reset = { branch: 'main', parent: scene.first, files: { 'NOTES.md': 'sorry' }, message: 'Take it back' }
    const back = await scene.repository.commit(reset)
    expect((await scene.act('push', { before: bad, after: back }, { inputs })).told).toBe('live')
    expect(await scene.page(scene.production)).toBe('first')
  })

  it('what a cancelled run left out goes live with the next push, though that is of nothing that counts', async () => {
    const scene = await live()
    const lost = await scene.write('never deployed')
    const notes = await writeNotes(scene)
    expect((await scene.act('push', { before: lost, after: notes }, { inputs })).told).toBe('live')
    expect(await scene.page(scene.production)).toBe('never deployed')
  })

  it('a glob that matches no file is warned of by name', async () => {
    const scene = await live()
    const files = { 'index.html': 'next', 'ink.yml': 'services: { web: { watch: [index.html, "site/**"] } }' }
    const next = await scene.repository.commit({ branch: 'main', files, message: 'Describe the app' })
    const { told, warnings } = await scene.act('push', { before: scene.first, after: next }, { inputs })
    expect(told).toBe('live')
    expect(warnings).toEqual([expect.stringMatching(/`watch` has what matches no file of this commit: site\/\*\*\./)])
  })
})
