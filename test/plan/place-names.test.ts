import { describe, expect, it } from 'vitest'
import { judgeProject, judgeWorkspace, type KnownPlace } from '../../src/plan/names.ts'

const known = (...names: string[]): KnownPlace[] => names.map((name) => ({ names: [name] }))

describe('a project’s name', () => {
  it('that exists is known, by its name or by its reference', () => {
    expect(judgeProject({ project: 'shop' }, known('shop'))).toEqual({ kind: 'known' })
    expect(judgeProject({ project: 'shop-1a' }, [{ names: ['The shop', 'shop-1a'] }])).toEqual({ kind: 'known' })
  })

  it('that is the default one is known, however a server lists it', () => {
    for (const listed of ['Default', 'Default project', 'defaults', 'shop'])
      expect(judgeProject({ project: 'default' }, known(listed))).toEqual({ kind: 'known' })
    expect(judgeProject({ project: 'defualt' }, known('default'))).toMatchObject({ kind: 'refused' })
  })

  it.each([
    ['web-shpo', 'web-shop'],
    ['webshop', 'web-shop'],
    ['Shop', 'shop'],
    ['shops', 'shop'],
    ['shop-prodction', 'shop-production'],
    ['prd', 'prod'],
    ['kitchn-sinck', 'kitchen-sink'],
  ])('%s is a slip of the pen where %s exists, and is refused with that name', (wanted, existing) => {
    const judgement = judgeProject({ project: wanted }, known('default', existing, 'billing'))
    expect(judgement).toMatchObject({ kind: 'refused', detail: expect.stringContaining(`“${existing}”`) })
    expect(judgement.kind === 'refused' && judgement.hint).toContain(`project: ${existing}`)
  })

  it.each([
    ['team-b', 'team-a'],
    ['stage2', 'stage1'],
    ['stage-12', 'stage-3'],
    ['api', 'app'],
    ['shop-api', 'shop'],
    ['shop-staging', 'shop-production'],
  ])('%s is another project than %s, and will be made', (wanted, existing) => {
    const judgement = judgeProject({ project: wanted }, known(existing))
    expect(judgement).toMatchObject({ kind: 'new', detail: expect.stringContaining(`there are ${existing}`) })
  })
})

describe('a workspace’s name', () => {
  it('that is unknown is refused with what there is, and with what was probably meant', () => {
    const judgement = judgeWorkspace('acmee', known('acme', 'ada'))
    expect(judgement).toMatchObject({
      kind: 'refused',
      detail: expect.stringContaining('it has acme, ada'),
      hint: 'Set `workspace: acme`.',
    })
    expect(judgeWorkspace('elsewhere', known('acme'))).toMatchObject({
      kind: 'refused',
      hint: expect.stringContaining('leave `workspace` out'),
    })
    expect(judgeWorkspace('acme', known('acme'))).toEqual({ kind: 'known' })
  })
})
