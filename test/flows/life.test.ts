import { describe, expect, it } from 'vitest'
import { until } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

describe('a pull request', () => {
  it('gets a preview, and nothing is left of it once it is closed', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    const inputs = { database: 'sqlite' }
    const opened = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(opened.outputs).toMatchObject({ status: 'live', action: 'preview', commit: sha, environment: 'preview' })
    expect(await scene.page(scene.preview(number))).toBe('hello')
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: sha }])
    expect(scene.activeRecords()).toHaveLength(1)

    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number }, { inputs })
    expect(closed.red).toBe(false)
    expect(closed.outputs).toMatchObject({ status: 'removed', action: 'teardown' })
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
    expect(stage.ink.databases()).toEqual([])
    expect(await scene.branches()).toEqual([])
    expect(scene.repository.deployments()).toEqual([])
    expect(scene.rows(number)).toMatchObject([{ status: 'removed', commit: sha }])
    expect(closed.warnings).toEqual([])
  })

  it('that never had a preview closes green', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.red).toBe(false)
    expect(closed.outputs).toMatchObject({ status: 'removed', removed: '[]' })
    expect(scene.repository.comments(number)).toEqual([])
  })

  it('closed while its preview is being built leaves nothing behind', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const event = await scene.repository.event('pull_request', { action: 'opened', number })
    let closing: Promise<void> | undefined
    const deployed = await scene.play(event, {
      onLine: (line) => {
        if (line === 'Build') closing ??= scene.repository.close(number)
      },
    })
    await closing
    expect(closing).toBeDefined()
    expect(deployed.outputs.status).toBe('removed')
    expect(deployed.red).toBe(false)
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
    expect(await scene.branches()).toEqual([])
    expect(scene.repository.deployments()).toEqual([])
    expect(scene.rows(number).filter(({ status }) => status !== 'removed')).toEqual([])
    expect(deployed.remembered).toBeUndefined()
  })

  it('opened again right after it was closed is live, although its name is still being deleted', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number })
    await scene.repository.close(number)
    const closedEvent = await scene.repository.event('pull_request', { action: 'closed', number })
    const taken = scene.play(closedEvent)
    await until(() => stage.ink.service(scene.preview(number))?.deleting === true, 'the deletion begins')
    await scene.repository.reopen(number)
    const reopened = await scene.act('pull_request', { action: 'reopened', number })
    await taken
    expect(reopened.told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('hello')
  })

  it('whose head moved on before the trigger leaves the platform as it is', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const event = await scene.repository.event('pull_request', { action: 'opened', number })
    const { sha } = await scene.push(number, 'newer')
    const run = await scene.play(event)
    expect(run.outputs.status).toBe('superseded')
    expect(run.red).toBe(false)
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
    expect(await scene.branches()).toEqual([])
    const reason = run.outputs['skipped-reason'] ?? ''
    expect(reason).toContain(sha.slice(0, 7))
    for (const said of [run.notices, run.log]) expect(said.join('\n')).toContain(reason)
    expect(scene.rows(number)).toMatchObject([{ status: 'superseded', supersededBy: sha }])
    expect(scene.activeRecords()).toEqual([])
  })

  it('whose head moves on during the deployment is live, and its card says so', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    let pushing: Promise<unknown> | undefined
    const run = await scene.act(
      'pull_request',
      { action: 'opened', number },
      {
        onLine: (line) => {
          if (line === 'Build') pushing ??= scene.push(number, 'newer')
        },
      },
    )
    const newer = (await pushing) as { sha: string }
    expect(run.outputs).toMatchObject({ status: 'live', commit: sha })
    expect(scene.rows(number)[0]?.note).toContain(newer.sha.slice(0, 7))
  })

  it('may be deployed by two runs at once, and both tell the truth', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const event = await scene.repository.event('pull_request', { action: 'opened', number })
    const runs = await Promise.all([scene.play(event), scene.play(event)])
    expect(runs.map(({ told }) => told)).toEqual(['live', 'live'])
    expect(await scene.page(scene.preview(number))).toBe('hello')
    expect(scene.rows(number)).toHaveLength(1)
  })

  it('costs at most eight calls to GitHub per update, and keeps the version before for a rollback', async () => {
    const scene = await stage.scene()
    const { number, sha: old } = await scene.open('one')
    await scene.act('pull_request', { action: 'opened', number })
    const { sha, before } = await scene.push(number, 'two')
    const updated = await scene.act('pull_request', { action: 'synchronize', number, after: sha, before })
    expect(updated.outputs.status).toBe('live')
    expect(scene.activeRecords()).toHaveLength(1)
    // And one for ink.yml, as nothing is checked out here.
    const [forFile, others] = [true, false].map((wanted) =>
      updated.githubCalls.filter((call) => (call === 'repos/get-content') === wanted),
    )
    expect(forFile).toHaveLength(1)
    expect(others?.length, others?.join()).toBeLessThanOrEqual(8)
    expect((await scene.branches()).map((name) => name.split('/').at(-1))).toEqual([old, sha].sort())

    const comment = scene.repository.comment(number, '/ink rollback', 'acme')
    const back = await scene.act('issue_comment', { number, commentId: comment.id })
    expect(back.outputs).toMatchObject({ status: 'live', action: 'rollback', commit: old })
    expect(await scene.page(scene.preview(number))).toBe('one')
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: old, health: { status: 200 } }])
    const active = scene.repository.deployments().filter(({ statuses }) => statuses.at(-1)?.state === 'success')
    expect(active).toMatchObject([{ sha: old }])
    expect(scene.repository.reactions(comment.id).map(({ content }) => content)).toEqual(['eyes', '+1'])
  })
})

describe('a service that is not ours', () => {
  it('is neither changed nor deleted, whatever its name', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number })
    // The same name, in the hands of another repository that has its own marks on it.
    const other = await stage.scene()
    const name = scene.preview(number)
    const inputs = { service: scene.production }
    const mine = await other.open('other')
    const before = stage.ink.service(name)
    const intruder = await other.act('pull_request', { action: 'opened', number: mine.number }, { inputs })
    expect(intruder.red).toBe(true)
    expect(intruder.outcome?.failure?.message).toContain(scene.repository.fullName)
    await other.repository.close(mine.number)
    const removal = await other.act('pull_request', { action: 'closed', number: mine.number }, { inputs })
    expect(removal.red).toBe(true)
    expect(stage.ink.service(name)).toEqual(before)

    await other.repository.reopen(mine.number)
    const adopted = await other.act(
      'pull_request',
      { action: 'reopened', number: mine.number },
      {
        inputs: { ...inputs, adopt: 'true' },
      },
    )
    expect(adopted.outputs.status).toBe('live')
    expect(await scene.page(name)).toBe('other')
  })
})
