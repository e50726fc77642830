import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { useStage } from './use-stage.ts'

const stage = useStage()

const oid = createHash('sha256').update('a picture').digest('hex')
const files = {
  'index.html': 'second',
  '.gitattributes': '*.png filter=lfs diff=lfs merge=lfs -text\n',
  'picture.png': `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize 9\n`,
}

describe('contents of Git LFS that cannot be had', () => {
  it('keep production as it is, and are deployed as pointers where that is wanted', async () => {
    const scene = await stage.scene()
    expect((await scene.act('push', { after: scene.first })).told).toBe('live')
    const second = await scene.repository.commit({ branch: 'main', files, message: 'Add a picture' })
    const push = { before: scene.first, after: second }
    const { told, outcome } = await scene.act('push', push)
    expect(told).toMatch(
      /^failed: The contents of 1 LFS file could not be fetched: picture\.png\. .+ Nothing was pushed\.$/,
    )
    expect(outcome?.failure?.hint).toContain('lfs-pointers')
    expect(await scene.page(scene.production)).toBe('first')

    const { told: allowed, warnings } = await scene.act('push', push, { inputs: { 'lfs-pointers': 'allow' } })
    expect([allowed, await scene.page(scene.production)]).toEqual(['live', 'second'])
    expect(warnings.join('\n')).toContain('The pointers are deployed as they are.')
  })
})
