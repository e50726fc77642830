import { randomBytes } from 'node:crypto'
import { appendFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deploy, pushedFile } from './deploying.ts'
import { type Stage, setStage } from './deployment.ts'
import { commitFiles, git, headOf, keepObjectsIn, newRepository, setBranch, writeFiles } from './scratch.ts'

/** On so slow a line it pays to ask the origin about 160 kB, even on a busy machine. */
const slowLine = { assumedBytesPerSecond: 5_000 }

function largeFiles(): Record<string, string> {
  return Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`dir${index % 5}/file${index}.txt`, randomBytes(4_000).toString('hex')]),
  )
}

/** A work repository whose commits are on the origin, and the default checkout of one of them. */
async function origin(stage: Stage): Promise<{ commit: (files: Record<string, string>) => Promise<string> }> {
  const work = await newRepository(join(stage.path, 'work'))
  await keepObjectsIn(stage.originRepository, work)
  let time = 1_700_000_000
  return {
    commit: async (files) => {
      time += 60
      const sha = await commitFiles(work, files, `At ${time}`, { GIT_COMMITTER_DATE: `${time} +0000` })
      await setBranch(stage.originRepository, 'main', sha)
      return sha
    },
  }
}

/** As `actions/checkout` does it: one commit, without history. Nothing here looks at its files. */
async function checkOut(stage: Stage, name: string, sha: string): Promise<string> {
  const workspace = await newRepository(join(stage.path, name))
  await appendFile(join(workspace, '.git/config'), `[remote "origin"]\n\turl = ${stage.origin.url('acme/web')}\n`)
  await git(workspace, 'fetch', '-q', '--depth=1', `file://${stage.originRepository}`, sha)
  await writeFile(join(workspace, '.git/HEAD'), `${sha}\n`)
  return workspace
}

async function deployFrom(
  stage: Stage,
  name: string,
  sha: string,
  overrides: Parameters<typeof deploy>[3] = {},
  line: { assumedBytesPerSecond?: number } = slowLine,
) {
  await using source = stage.open({ workspace: await checkOut(stage, name, sha), ...line })
  return await deploy(stage, source, sha, overrides)
}

describe('a push after another', () => {
  it('sends only the difference, from a checkout without history, and fetches nothing from the platform', async () => {
    await using stage = await setStage()
    const { commit } = await origin(stage)
    const first = await commit(largeFiles())
    const second = await commit({ 'dir1/new.txt': randomBytes(500).toString('hex') })
    const whole = await deployFrom(stage, 'one', first)
    expect(whole.result).toMatchObject({ kind: 'pushed', incremental: false })
    expect(whole.result.bytes).toBeGreaterThan(80_000)
    const { result, branch, snapshot } = await deployFrom(stage, 'two', second, { bases: [first] })
    expect(result).toMatchObject({ kind: 'pushed', incremental: true, against: first, objects: 4 })
    expect(result.bytes).toBeLessThan(3000)
    expect(await git(stage.platformRepository, 'rev-parse', `${branch}^{tree}`)).toBe(snapshot.tree)
    await git(stage.platformRepository, 'fsck', '--connectivity-only', branch)
    const posts = stage.platform.requests.filter(({ method }) => method === 'POST').map(({ url }) => url)
    expect(new Set(posts)).toEqual(new Set(['/ada/web-1234.git/git-receive-pack']))
  })

  it('finds the newest deployment by itself when the event names none that is there', async () => {
    await using stage = await setStage()
    const { commit } = await origin(stage)
    const one = await commit(largeFiles())
    let two = await commit(largeFiles())
    // Not the one whose branch happens to be listed first.
    while (two < one) two = await commit(largeFiles())
    const three = await commit({ 'a.txt': 'a\n' })
    await deployFrom(stage, 'one', one)
    await deployFrom(stage, 'two', two)
    const { result } = await deployFrom(stage, 'three', three, { bases: ['f'.repeat(40)] })
    expect(result).toMatchObject({ incremental: true, against: two })
    expect(result.bytes).toBeLessThan(3000)
  })

  it('of a preview goes against production', async () => {
    await using stage = await setStage()
    const { commit } = await origin(stage)
    const [base, head] = [await commit(largeFiles()), await commit({ 'a.txt': 'a\n' })]
    await deployFrom(stage, 'one', base)
    const request = { target: 'pr-7/acme-web-pr-7', bases: [base] }
    const { result } = await deployFrom(stage, 'two', head, request)
    expect(result).toMatchObject({ incremental: true, against: base })
  })

  it('asks nobody when the checkout has the history', async () => {
    await using stage = await setStage()
    const { commit } = await origin(stage)
    const [one, two] = [await commit(largeFiles()), await commit({ 'a.txt': 'a\n' })]
    await using source = stage.open({ workspace: join(stage.path, 'work') })
    // The checkout has moved on by then, which is what a rollback by hand looks like.
    await deploy(stage, source, one, { ordinaryCheckouts: [two] })
    const { result } = await deploy(stage, source, two)
    expect(result).toMatchObject({ incremental: true, against: one })
    expect(stage.origin.requests).toEqual([])
  })

  it('goes against snapshots with submodules in them, too', async () => {
    await using stage = await setStage()
    const library = await newRepository(join(stage.path, 'library'))
    const pinned = await commitFiles(library, largeFiles())
    await git(library, 'push', '-q', await stage.origin.repository('acme/lib'), 'main')
    const work = await newRepository(join(stage.path, 'work'))
    await keepObjectsIn(stage.originRepository, work)
    await commitFiles(work, { '.gitmodules': '[submodule "lib"]\n\tpath = lib\n\turl = ../lib.git\n' })
    await git(work, 'update-index', '--add', '--cacheinfo', `160000,${pinned},lib`)
    const commit = async (name: string) => {
      await writeFiles(work, { [name]: `${name}\n` })
      await git(work, 'add', name)
      await git(work, 'commit', '-q', '-m', name)
      const sha = await headOf(work)
      await setBranch(stage.originRepository, 'main', sha)
      return sha
    }
    const [one, two] = [await commit('one.txt'), await commit('two.txt')]
    await deployFrom(stage, 'first', one)
    const { result, branch } = await deployFrom(stage, 'second', two, { bases: [one] })
    expect(result).toMatchObject({ incremental: true, against: one, objects: 3 })
    expect(await pushedFile(stage, branch, 'two.txt')).toBe('two.txt')
    await git(stage.platformRepository, 'fsck', '--connectivity-only', branch)
  })
})

describe('the whole is pushed', () => {
  it('when the origin does not answer, refuses or is broken', async () => {
    await using stage = await setStage()
    const { commit } = await origin(stage)
    const one = await commit(largeFiles())
    await deployFrom(stage, 'one', one)
    const troubles = {
      'does not answer': () => Object.assign(stage.origin, { hangOn: /./ }),
      refuses: () => stage.origin.misbehaviours.push(401, 401, 401, 401),
      'is broken': () => stage.origin.misbehaviours.push(500, 500, 500, 500),
    }
    for (const [what, spoil] of Object.entries(troubles)) {
      const next = await commit({ 'a.txt': `It ${what}.\n` })
      stage.origin.requests.length = 0
      spoil()
      const startedMs = Date.now()
      const { result } = await deployFrom(stage, what, next, { bases: [one] }, { assumedBytesPerSecond: 160_000 })
      expect(result, what).toMatchObject({ kind: 'pushed', incremental: false })
      expect(Date.now() - startedMs, what).toBeLessThan(20_000)
      expect(stage.origin.requests, what).not.toEqual([])
      stage.origin.hangOn = undefined
      stage.origin.misbehaviours.length = 0
    }
  })

  it('when it is so small that asking would take longer', async () => {
    await using stage = await setStage()
    const { commit } = await origin(stage)
    const [one, two] = [await commit({ 'a.txt': 'a\n' }), await commit({ 'b.txt': 'b\n' })]
    await deployFrom(stage, 'one', one, {}, {})
    const { result } = await deployFrom(stage, 'two', two, { bases: [one] }, {})
    expect(result).toMatchObject({ kind: 'pushed', incremental: false })
    expect(stage.origin.requests).toEqual([])
  })

  it('when a branch of ours holds something else than its name says', async () => {
    await using stage = await setStage()
    const { commit } = await origin(stage)
    const [one, two] = [await commit(largeFiles()), await commit({ 'a.txt': 'a\n' })]
    const work = join(stage.path, 'work')
    await git(work, 'push', '-q', stage.platformRepository, `${one}:refs/heads/ink/production/acme-web/${one}`)
    const { result, branch } = await deployFrom(stage, 'two', two, { bases: [one] })
    expect(result.incremental).toBe(false)
    await git(stage.platformRepository, 'fsck', '--connectivity-only', branch)
  })
})
