import { describe, expect, it } from 'vitest'
import type { Deps } from '../../src/flows/run.ts'
import type { Act, Scene } from '../flows/stage.ts'
import { useStage } from '../flows/use-stage.ts'

const stage = useStage()

const plain = 'tuna-on-rye-2026'
const earlier = 'left-there-by-hand'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const told = [
  `error: cannot reach ${plain}`,
  `error: Authorization: Basic ${base64(`user:${plain}`)}`,
  `error: cannot use ${[...plain].join('\u200b')}`,
  `error: cannot open ${encodeURIComponent(JSON.stringify(earlier))}`,
]

/** Everything that a run has put where more people read than its log. */
function published(scene: Scene, run: Act): string {
  const numbers = [...scene.repository.pulls.keys()]
  return JSON.stringify([
    numbers.map((number) => scene.repository.comments(number)),
    [...scene.repository.issues.values()],
    scene.repository.deployments(),
    run.summary,
    run.outputs,
    run.remembered,
    run.annotations,
  ])
}

function expectNothingOf(text: string): void {
  const readable = text.replaceAll(/\u200b|\\u200b/g, '')
  for (const value of [plain, earlier])
    for (const form of [value, base64(value).slice(0, 8), base64(`user:${value}`).slice(8, 20)])
      expect(readable).not.toContain(form)
}

/** A platform on which the log of every service says all of this. */
const talkative = (deps: Deps): Deps => ({
  ...deps,
  openPlatform: async (...args) => {
    const platform = await deps.openPlatform(...args)
    return {
      ...platform,
      service: async (...wanted) => {
        const service = await platform.service(...wanted)
        return service && { ...service, runtimeLogs: told }
      },
    }
  },
})

describe('a value that an app was given under a plain name, and prints,', () => {
  it('reaches neither comment nor summary, annotations, record and post step of a failed build', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const first = await scene.act('pull_request', { number }, { inputs: { env: `OTHER=${earlier}` } })
    expect(first.told).toBe('live')
    const { sha, before } = await scene.push(number, 'broken')
    stage.ink.fault('build.log-line', { times: 2, lines: told })
    stage.ink.fault('build.crash', { times: 2 })
    const event = { action: 'synchronize', number, after: sha, before } as const
    const run = await scene.act('pull_request', event, { inputs: { env: `UPSTREAM=${plain}` } })
    expect(run.told).toMatch(/^failed/)
    expect(scene.rows(number)[0]?.diagnosis?.tail.join('\n')).toContain('cannot reach ***')
    expectNothingOf(published(scene, run))
  })

  it('reaches no answer to /ink logs', async () => {
    const scene = await stage.scene()
    const { number } = await scene.open('hello')
    const inputs = { env: `UPSTREAM=${plain}\nOTHER=${earlier}` }
    expect((await scene.act('pull_request', { number }, { inputs })).told).toBe('live')
    const comment = scene.repository.comment(number, '/ink logs')
    const run = await scene.act('issue_comment', { number, commentId: comment.id }, { change: talkative })
    expect(published(scene, run)).toContain('cannot reach ***')
    expectNothingOf(published(scene, run))
  })

  it('reaches no issue about a service in trouble', async () => {
    const scene = await stage.scene()
    const inputs = { env: `UPSTREAM=${plain}\nOTHER=${earlier}` }
    expect((await scene.act('push', { after: scene.first }, { inputs })).told).toBe('live')
    const run = await scene.act(
      'schedule',
      {},
      {
        inputs: { command: 'monitor' },
        change: (deps) => ({ ...talkative(deps), http: async () => ({ status: 500, body: told.join('\n') }) }),
      },
    )
    expect(published(scene, run)).toContain('cannot reach ***')
    expectNothingOf(published(scene, run))
  })
})
