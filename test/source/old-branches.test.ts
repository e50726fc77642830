import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type Stage, setStage } from './deployment.ts'
import { git, gitBytes, headOf, newRepository, scratchFolder } from './scratch.ts'

const PRODUCTION = 'production/acme-web'
const PREVIEW = 'pr-1/acme-web-pr-1'

/** Commits a minute apart, on the origin, oldest first. */
async function history(stage: Stage, count: number): Promise<string[]> {
  const work = await newRepository(join(stage.path, 'work'))
  const shas: string[] = []
  for (let index = 0; index < count; index++) {
    const variables = { GIT_COMMITTER_DATE: `${1_700_000_000 + index * 60} +0000` }
    await gitBytes(work, ['commit', '-q', '--allow-empty', '-m', `Number ${index}`], { variables })
    shas.push(await headOf(work))
  }
  await git(work, 'push', '-q', stage.originRepository, 'main')
  return shas
}

function branchesFor(target: string, shas: readonly string[]): [string, string][] {
  return shas.map((sha): [string, string] => [`ink/${target}/${sha}`, 'e'.repeat(40)])
}

describe('old branches', () => {
  it('of production are all but the protected and the five newest of the others', async () => {
    await using stage = await setStage()
    const shas = await history(stage, 8)
    // The remote lists them by name.
    const branches = new Map([
      ...branchesFor(PRODUCTION, shas.toSorted()),
      ...branchesFor(PREVIEW, shas),
      ['main', 'x'],
    ])
    await using source = stage.open()
    const current = `ink/${PRODUCTION}/${shas[7]}`
    const request = { branches, target: PRODUCTION, protect: [current], keepNewest: 5 }
    const old = await source.oldBranches(request, stage.signal)
    expect(old.toSorted()).toEqual([`ink/${PRODUCTION}/${shas[0]}`, `ink/${PRODUCTION}/${shas[1]}`].toSorted())
  })

  it('count a commit that was force-pushed away as the oldest', async () => {
    await using stage = await setStage()
    const shas = await history(stage, 2)
    const branches = new Map(branchesFor(PRODUCTION, ['f'.repeat(40), ...shas]))
    await using source = stage.open()
    const old = await source.oldBranches({ branches, target: PRODUCTION, protect: [], keepNewest: 2 }, stage.signal)
    expect(old).toEqual([`ink/${PRODUCTION}/${'f'.repeat(40)}`])
    expect(await source.newestFirst(branches, PRODUCTION, stage.signal)).toEqual([
      `ink/${PRODUCTION}/${shas[1]}`,
      `ink/${PRODUCTION}/${shas[0]}`,
      `ink/${PRODUCTION}/${'f'.repeat(40)}`,
    ])
  })

  it('are none when nobody knows how old they are', async () => {
    await using stage = await setStage()
    const branches = new Map(
      branchesFor(
        PRODUCTION,
        ['d', 'e', 'f'].map((digit) => digit.repeat(40)),
      ),
    )
    await using source = stage.open({ origin: undefined })
    expect(
      await source.oldBranches({ branches, target: PRODUCTION, protect: [], keepNewest: 2 }, stage.signal),
    ).toEqual([])
  })

  it('of a preview are all but the current one, and all of them at its end; nobody is asked', async () => {
    await using stage = await setStage()
    const [current = '', ...others] = ['1', '2', '3'].map((digit) => digit.repeat(40))
    const branches = new Map([
      ...branchesFor(PREVIEW, [current, ...others]),
      ...branchesFor('pr-11/acme-web-pr-11', others),
    ])
    await using source = stage.open()
    const request = { branches, target: PREVIEW, protect: [`ink/${PREVIEW}/${current}`], keepNewest: 0 }
    expect(await source.oldBranches(request, stage.signal)).toEqual(others.map((sha) => `ink/${PREVIEW}/${sha}`))
    expect(await source.oldBranches({ ...request, protect: [] }, stage.signal)).toHaveLength(3)
    expect(stage.origin.requests).toEqual([])
  })
})

describe('deleting branches', () => {
  it('is one push for all of them, and does not mind those that are gone', async () => {
    await using stage = await setStage()
    await using folder = await scratchFolder()
    const work = await newRepository(folder.path)
    await git(work, 'commit', '-q', '--allow-empty', '-m', 'One')
    for (const name of ['a', 'b', 'c'])
      await git(work, 'push', '-q', stage.platformRepository, `HEAD:refs/heads/ink/${name}`)
    await using source = stage.open()
    await source.deleteBranches(stage.remote, ['ink/a', 'ink/gone', 'ink/b'], stage.signal)
    expect([...(await source.branches(stage.remote, stage.signal)).keys()]).toEqual(['ink/c'])
    expect(stage.platform.requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
  })

  it('that the server refuses is an error with its reason', async () => {
    await using stage = await setStage()
    await using folder = await scratchFolder()
    const work = await newRepository(folder.path)
    await git(work, 'commit', '-q', '--allow-empty', '-m', 'One')
    await git(work, 'push', '-q', stage.platformRepository, 'HEAD:refs/heads/ink/a')
    await git(stage.platformRepository, 'config', 'receive.denyDeletes', 'true')
    await using source = stage.open()
    await expect(source.deleteBranches(stage.remote, ['ink/a'], stage.signal)).rejects.toMatchObject({
      code: 'rejected',
      message: expect.stringContaining('deletion prohibited'),
    })
  })
})
