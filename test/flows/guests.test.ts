import { describe, expect, it } from 'vitest'
import type { Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

async function forked(labels: readonly string[] = []) {
  const scene = await stage.scene()
  const fork = await stage.github.createRepository({
    owner: 'eve',
    name: scene.repository.name,
    fork: scene.repository,
  })
  const sha = await fork.commit({
    branch: 'gift',
    parent: scene.first,
    files: { 'index.html': 'gift' },
    message: 'A gift',
  })
  const { number } = await scene.repository.openPullRequest({
    head: 'gift',
    fromFork: fork,
    title: 'A gift',
    author: 'eve',
  })
  for (const label of labels) scene.repository.label(number, label, 'acme')
  return { scene, number, sha, fork }
}

async function say(scene: Scene, number: number, body: string, by = 'acme', inputs = {}) {
  const comment = scene.repository.comment(number, body, by)
  const act = await scene.act('issue_comment', { number, commentId: comment.id, sender: by }, { inputs })
  return { act, reactions: scene.repository.reactions(comment.id).map(({ content }) => content) }
}

describe('a run without a key', () => {
  it('is skipped, green, with its outputs set, for a fork and for Dependabot', async () => {
    const { scene, number } = await forked()
    const fork = await scene.act('pull_request', { action: 'opened', number }, { inputs: { 'api-key': '' } })
    const own = await scene.open('bump')
    const bump = await scene.act(
      'pull_request',
      { action: 'opened', number: own.number },
      {
        inputs: { 'api-key': '' },
        actor: 'dependabot[bot]',
      },
    )
    for (const run of [fork, bump]) {
      expect(run.red).toBe(false)
      expect(run.outputs).toMatchObject({ status: 'skipped', action: 'none' })
      expect(run.outputs['skipped-reason']).toMatch(/maintainer|Dependabot/)
      expect(run.notices.join()).toContain(run.outputs['skipped-reason'])
      expect(run.summary).toContain('skipped')
    }
  })

  it('is red anywhere else, and says in its summary and outputs what to do', async () => {
    const scene = await stage.scene()
    const run = await scene.act('push', { after: scene.first }, { inputs: { 'api-key': '' } })
    expect(run.red).toBe(true)
    expect(run.outputs.status).toBe('failed')
    expect(run.outcome?.failure?.hint).toContain('INK_API_KEY')
  })
})

describe('a fork’s pull request with the key in reach', () => {
  const inputs = { 'preview-label': 'preview', env: 'DATABASE_PASSWORD=for-ourselves', 'preview-env': 'MODE=guest' }

  it('is deployed with preview-env alone once a maintainer labels it, and anew once a comment names the commit', async () => {
    const { scene, number, sha, fork } = await forked(['preview'])
    const opened = await scene.act('pull_request_target', { action: 'opened', number }, { inputs })
    expect(opened.outputs.status).toBe('skipped')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
    const byEve = await scene.act(
      'pull_request_target',
      { action: 'labeled', number, label: 'preview' },
      {
        inputs,
        actor: 'eve',
      },
    )
    expect(byEve.outputs.status).toBe('skipped')
    const event = { action: 'labeled', number, label: 'preview', sender: 'acme' }
    const labelled = await scene.act('pull_request_target', event, { inputs })
    expect(labelled.told).toBe('live')
    expect(labelled.outputs.commit).toBe(sha)
    const env = stage.ink.service(scene.preview(number))?.env ?? {}
    expect(Object.keys(env).filter((name) => !name.startsWith('INK_'))).toEqual(['MODE'])

    const next = await fork.commit({ branch: 'gift', files: { 'index.html': 'trap' }, message: 'Another gift' })
    const update = { action: 'synchronize', number, after: next }
    expect((await scene.act('pull_request_target', update, { inputs })).outputs.status).toBe('skipped')
    const vague = await say(scene, number, `/ink deploy ${next.slice(0, 12)}`, 'acme', inputs)
    expect(vague.reactions).toEqual(['-1'])
    expect(await scene.page(scene.preview(number))).toBe('gift')
    const named = await say(scene, number, `/ink deploy ${next}`, 'acme', inputs)
    expect(named.act.told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('trap')
  })
})

describe('a command in a comment', () => {
  it('stops, deploys, shows the log and helps, and shows by reactions what came of it', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const deployed = await say(scene, number, '/ink deploy')
    expect(deployed.act.told).toBe('live')
    expect(deployed.reactions).toEqual(['eyes', '+1'])

    const logs = await say(scene, number, '/ink logs')
    expect(logs.reactions).toEqual(['eyes', '+1'])
    expect(scene.repository.comments(number).at(-1)?.body).toContain(scene.preview(number))

    await say(scene, number, '/ink help')
    expect(scene.repository.comments(number).at(-1)?.body).toContain('/ink rollback')

    const stopped = await say(scene, number, '/ink stop')
    expect(stopped.act.told).toBe('removed')
    expect(stopped.reactions).toEqual(['eyes', '+1'])
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()

    const rollback = await say(scene, number, '/ink rollback')
    expect(rollback.act.red).toBe(true)
    expect(rollback.reactions).toEqual(['eyes', '-1'])
  })

  it('that cannot be obeyed is answered with the reason and what to do about it', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const answer = () => scene.repository.comments(number).at(-1)?.body
    const keyless = await say(scene, number, '/ink deploy', 'acme', { 'api-key': '' })
    expect(keyless.act.told).toBe('failed: api-key: is not set')
    expect(keyless.reactions).toEqual(['-1'])
    expect(answer()).toContain('Sorry, this was not done: api-key: is not set')
    expect(answer()).toContain('save it as the repository secret INK_API_KEY')

    const locked = await say(scene, number, '/ink logs', 'acme', { 'api-key': 'dk_revoked' })
    expect(locked.reactions).toEqual(['eyes', '-1'])
    expect(answer()).toMatch(/^Sorry, this was not done: .*key/m)

    const { headRef: branch } = scene.repository.pull(number)
    const files = { 'ink.yml': `services: { web: { prot: 80, ${stage.ink.apiKey}: 1 } }` }
    await scene.repository.commit({ branch, files, message: 'Describe the app' })
    const mistaken = await say(scene, number, '/ink deploy')
    expect(mistaken.reactions).toEqual(['-1'])
    expect(answer()).toContain('prot')
    expect(answer()).not.toContain(stage.ink.apiKey)
  })

  it('whose deployment fails has that told on the card, and not once more in an answer', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const failed = await say(scene, number, '/ink deploy', 'acme', { 'build-pack': 'dockerfile' })
    expect(failed.act.red).toBe(true)
    expect(failed.reactions).toEqual(['eyes', '-1'])
    const told = scene.repository.comments(number).map(({ body }) => body)
    expect(told.filter((body) => body.includes(scene.preview(number)))).toHaveLength(1)
    expect(told.filter((body) => body.includes('Sorry'))).toEqual([])
  })

  it('by a stranger gets one polite no, however often it is given, and changes nothing', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    for (let count = 0; count < 2; count++) {
      const { act, reactions } = await say(scene, number, '/ink deploy', 'stranger')
      expect(act.red).toBe(false)
      expect(reactions).toEqual(['-1'])
    }
    const answers = scene.repository.comments(number).filter(({ user }) => user.type === 'Bot')
    expect(answers).toHaveLength(1)
    expect(answers[0]?.body).toContain('Sorry')
    expect(stage.ink.service(scene.preview(number))).toBeUndefined()
  })

  it('never shows the log of a service that is not ours', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    await scene.act('pull_request', { action: 'opened', number })
    const other = await stage.scene()
    const theirs = await other.open('other')
    const comment = other.repository.comment(theirs.number, '/ink logs', 'acme')
    const inputs = { service: scene.production }
    await other.act('issue_comment', { number: theirs.number, commentId: comment.id }, { inputs })
    expect(other.repository.comments(theirs.number).at(-1)?.body).toContain('no preview')
  })
})

describe('missing permissions', () => {
  it('are one warning each, by name, and the deployment goes on', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const run = await scene.act('pull_request', { action: 'opened', number }, { permissions: { contents: 'read' } })
    expect(run.told).toBe('live')
    expect(await scene.page(scene.preview(number))).toBe('hello')
    for (const permission of ['pull-requests', 'deployments'])
      expect(
        run.warnings.filter((warning) => warning.includes(permission)),
        permission,
      ).toHaveLength(1)
  })
})

describe('a plan only', () => {
  it.each([
    ['dry-run', { 'dry-run': 'true' }],
    ['command: plan', { command: 'plan' }],
  ])('%s changes nothing on the platform and on GitHub', async (_what, inputs) => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const already = stage.github.journal.length
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(run.told).toBe('planned')
    expect(stage.ink.services().filter(({ name }) => name.startsWith(scene.production))).toEqual([])
    expect(await scene.branches()).toEqual([])
    const writes = stage.github.journal
      .slice(already)
      .filter(({ method, operation }) => operation !== 'git' && method !== 'GET')
    expect(writes).toEqual([])
  })
})

describe('the comment', () => {
  it('is written for failures alone, or not at all, when that is wanted', async () => {
    const scene = await stage.scene()
    const { number, sha: before } = await scene.open('hello')
    const inputs = { comment: 'on-failure' }
    await scene.act('pull_request', { action: 'opened', number }, { inputs })
    expect(scene.repository.comments(number)).toEqual([])
    stage.ink.fault('build.crash', { times: 2 })
    const { sha } = await scene.push(number, 'broken')
    await scene.act('pull_request', { action: 'synchronize', number, before, after: sha }, { inputs })
    expect(scene.rows(number)).toMatchObject([{ status: 'failed', commit: sha }])
    const { sha: fixed } = await scene.push(number, 'fixed')
    const event = { action: 'synchronize', number, before: sha, after: fixed }
    await scene.act('pull_request', event, { inputs })
    expect(scene.rows(number)).toMatchObject([{ status: 'live', commit: fixed }])

    const silent = await scene.open('silent')
    stage.ink.fault('build.crash', { times: 2 })
    await scene.act('pull_request', { action: 'opened', number: silent.number }, { inputs: { comment: 'none' } })
    expect(scene.repository.comments(silent.number)).toEqual([])
  })

  it('says of a commit that changes nothing here that it was skipped, and leaves the preview', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    const inputs = { paths: 'src/**' }
    await scene.act('pull_request', { action: 'opened', number })
    const run = await scene.act('pull_request', { action: 'synchronize', number, after: sha }, { inputs })
    expect(run.outputs.status).toBe('skipped')
    expect(scene.rows(number)).toMatchObject([
      { status: 'live', commit: sha, note: expect.stringContaining('matches watch') },
    ])
    expect(await scene.page(scene.preview(number))).toBe('hello')
  })
})

describe('several services of one repository', () => {
  it('have rows and records of their own, and do not take each other’s branches', async () => {
    const scene = await stage.scene()
    const { number, sha } = await scene.open('hello')
    const names = [`web-${scene.repository.name}`, `api-${scene.repository.name}`]
    const event = await scene.repository.event('pull_request', { action: 'opened', number })
    const runs = await Promise.all(names.map((service) => scene.play(event, { inputs: { service } })))
    expect(runs.map(({ told }) => told)).toEqual(['live', 'live'])
    expect(scene.rows(number).map(({ service, status }) => `${service} ${status}`)).toEqual(
      names.map((name) => `${name}-pr-${number} live`).sort(),
    )
    expect(new Set(scene.activeRecords()).size).toBe(2)

    const comment = scene.repository.comment(number, '/ink stop', 'acme')
    const [service = ''] = names
    await scene.act('issue_comment', { number, commentId: comment.id }, { inputs: { service } })
    expect(stage.ink.service(`${names[0]}-pr-${number}`)).toBeUndefined()
    expect(await scene.branches()).toEqual([`ink/pr-${number}/${names[1]}-pr-${number}/${sha}`])
    expect(
      scene
        .rows(number)
        .map(({ status }) => status)
        .sort(),
    ).toEqual(['live', 'removed'])
    expect(scene.activeRecords()).toHaveLength(1)
  })
})
