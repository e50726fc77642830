import { createClient } from '@libsql/client/http'
import { describe, expect, it } from 'vitest'
import { DatabaseUnreachable } from '../../src/ink/seed-database.ts'
import type { How, Inputs, Scene } from './stage.ts'
import { useStage } from './use-stage.ts'

const stage = useStage()

const inputs: Inputs = { database: 'sqlite', 'database-seed': 'db/seed.sql' }
const good = "create table fruit (name text); insert into fruit values ('apple; pear');"

/** Commits a page and a seed to `main`. */
async function commit(scene: Scene, seed: string, page = 'seeded'): Promise<string> {
  const files = { 'index.html': page, 'db/seed.sql': seed }
  return scene.repository.commit({ branch: 'main', files, message: `Say ${page}` })
}

async function push(scene: Scene, seed: string, more: Inputs = {}, page = 'seeded') {
  const after = await commit(scene, seed, page)
  return scene.act('push', { before: scene.first, after }, { inputs: { ...inputs, ...more } })
}

function databaseOf(scene: Scene) {
  return stage.ink.databases().find(({ name }) => name === `${scene.production}-db`)
}

async function fruit(scene: Scene): Promise<unknown[]> {
  const { url = '', authToken = '' } = databaseOf(scene) ?? {}
  const client = createClient({ url, authToken })
  try {
    return (await client.execute('select name from fruit')).rows.map(({ name }) => name)
  } finally {
    client.close()
  }
}

describe('variables of a database', () => {
  it('have the names that were asked for and no others, and lead a teardown without inputs to it all the same', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const given = { database: 'sqlite', 'database-env': 'DB=url\nDB_TOKEN=token' }
    const run = await scene.act('pull_request', { action: 'opened', number }, { inputs: given })
    expect(run.told).toBe('live')
    const name = `${scene.preview(number)}-db`
    const { url, authToken } = stage.ink.databases().find((one) => one.name === name) ?? {}
    const env = stage.ink.service(scene.preview(number))?.env
    expect(env).toMatchObject({ DB: url, DB_TOKEN: authToken })
    expect(env).not.toHaveProperty('DATABASE_URL')
    await scene.repository.close(number)
    const closed = await scene.act('pull_request', { action: 'closed', number })
    expect(closed.outputs.removed).toContain(`database:${name}`)
    expect(stage.ink.databases().map((one) => one.name)).not.toContain(name)
  })
})

describe('the seed of a database', () => {
  it('is run once, before the first build, as soon as the database answers, and never again', async () => {
    const scene = await stage.scene()
    const after = await commit(scene, good)
    let refusals = 2
    const change: How['change'] = (deps) => ({
      ...deps,
      seedDatabase: async (...args) => {
        if (refusals-- > 0) throw new DatabaseUnreachable('no such host')
        return deps.seedDatabase(...args)
      },
    })
    const first = await scene.act('push', { before: scene.first, after }, { inputs, change })
    expect(first.told).toBe('live')
    const seeded = first.log.findIndex((line) => line.startsWith('Ran db/seed.sql'))
    expect(seeded).toBeGreaterThan(-1)
    expect(seeded).toBeLessThan(first.log.indexOf('Build'))
    expect(await fruit(scene)).toEqual(['apple; pear'])

    const second = await push(scene, "insert into fruit values ('plum');", {}, 'again')
    expect(second.told).toBe('live')
    expect(second.log.join('\n')).not.toContain('was not run')
    expect(await fruit(scene)).toEqual(['apple; pear'])
  })

  it('that fails leaves nothing of itself, stops the deployment, and is run again once it is fixed', async () => {
    const scene = await stage.scene()
    const broken = await push(scene, `${good} insert into fruits values ('pear');`)
    expect(broken.red).toBe(true)
    expect(broken.told).toContain('no such table: fruits')
    expect(broken.outcome?.failure?.hint).toContain('run again next time')
    expect(stage.ink.service(scene.production)).toBeUndefined()
    // What `sqlite3 .dump` writes, triggers included.
    const trigger = "CREATE TRIGGER t AFTER INSERT ON fruit BEGIN\n  DELETE FROM fruit WHERE name = 'x';\nEND;"
    const dump = `PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n${good}\n${trigger}\nCOMMIT;\n`
    const fixed = await push(scene, dump, {}, 'fixed')
    expect(fixed.told).toBe('live')
    expect(await fruit(scene)).toEqual(['apple; pear'])
  })

  it('is not run a second time when only what came after it failed', async () => {
    const scene = await stage.scene()
    stage.ink.fault('ink.quota', { times: 1 })
    const full = await push(scene, good)
    expect(full.red).toBe(true)
    const again = await push(scene, good, {}, 'again')
    expect(again.told).toBe('live')
    expect(again.log.join('\n')).toContain('is not empty, so db/seed.sql was not run')
    expect(await fruit(scene)).toEqual(['apple; pear'])
  })

  it('is run by one of two runs at the same time', async () => {
    const scene = await stage.scene()
    const after = await commit(scene, good)
    const event = await scene.repository.event('push', { before: scene.first, after })
    const runs = await Promise.all([scene.play(event, { inputs }), scene.play(event, { inputs })])
    expect(runs.map(({ told }) => told)).toEqual(['live', 'live'])
    expect(await fruit(scene)).toEqual(['apple; pear'])
  })

  it('that ends the transaction it is run in is refused with what to do', async () => {
    const scene = await stage.scene()
    const run = await push(scene, `begin; ${good} commit; select 1;`)
    expect(run.red).toBe(true)
    expect(run.outcome?.failure?.hint).toContain('take BEGIN, COMMIT and ROLLBACK out')
  })

  it('that is never answered ends with the time of the deployment', async () => {
    const scene = await stage.scene()
    const after = await commit(scene, good)
    const run = await scene.act(
      'push',
      { before: scene.first, after },
      {
        inputs: { ...inputs, timeout: '8s' },
        change: (deps) => ({ ...deps, seedDatabase: () => new Promise(() => undefined) }),
      },
    )
    expect(run.red).toBe(true)
    expect(run.told).toContain('could not be run in the database')
    expect(run.told).toContain('no answer within 8 s')
    expect(run.outcome?.failure?.hint).toContain('Run the job again once the database answers')
    expect(stage.ink.service(scene.production)).toBeUndefined()
  })

  it('that the database does not let in is tried once', async () => {
    const scene = await stage.scene()
    const after = await commit(scene, good)
    let tries = 0
    const run = await scene.act(
      'push',
      { before: scene.first, after },
      {
        inputs,
        change: (deps) => ({
          ...deps,
          seedDatabase: (access, ...rest) => {
            tries += 1
            return deps.seedDatabase({ ...access, authToken: 'another' }, ...rest)
          },
        }),
      },
    )
    expect(run.red).toBe(true)
    expect(run.told).toContain('HTTP 401')
    expect(run.outcome?.failure?.hint).toContain('did not accept the token')
    expect(tries).toBe(1)
  })

  it.each([
    ['is not there', 'db/other.sql', good],
    ['is a folder', 'db', good],
    ['is empty', 'db/seed.sql', ' \n'],
  ])('that %s is refused before anything is made', async (_what, path, seed) => {
    const scene = await stage.scene()
    const run = await push(scene, seed, { 'database-seed': path })
    expect(run.red).toBe(true)
    expect(run.told).toContain(`database.seed: "${path}"`)
    expect(await scene.branches()).toEqual([])
    expect(databaseOf(scene)).toBeUndefined()
  })

  it('of a fork’s preview is the fork’s own, run in the preview’s own database', async () => {
    const scene = await stage.scene()
    await push(scene, good)
    const fork = await stage.github.createRepository({
      owner: 'eve',
      name: scene.repository.name,
      fork: scene.repository,
    })
    const sha = await fork.commit({
      branch: 'gift',
      parent: scene.first,
      files: { 'index.html': 'gift', 'db/seed.sql': 'create table fruit (name text);' },
      message: 'A gift',
    })
    const { number } = await scene.repository.openPullRequest({
      head: 'gift',
      fromFork: fork,
      title: 'Gift',
      author: 'eve',
    })
    const comment = scene.repository.comment(number, `/ink deploy ${sha}`, 'acme')
    const run = await scene.act(
      'issue_comment',
      { number, commentId: comment.id, sender: 'acme' },
      { inputs: { ...inputs, 'preview-domain': 'pr-{number}.example.com' } },
    )
    expect(run.told).toBe('live')
    // A domain is not for strangers’ code: not even an attempt is made, which would be a warning here.
    expect(run.warnings).toEqual([])
    const own = stage.ink.databases().find(({ name }) => name === `${scene.preview(number)}-db`)
    const client = createClient({ url: own?.url ?? '', authToken: own?.authToken ?? '' })
    expect((await client.execute('select count(*) as n from fruit')).rows[0]?.n).toBe(0)
    client.close()
    expect(await fruit(scene)).toEqual(['apple; pear'])
  })
})
