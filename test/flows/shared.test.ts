import { describe, expect, it } from 'vitest'
import { inTurns } from '../../src/core/async.ts'
import { DeployError } from '../../src/core/errors.ts'
import { runEnvironment, shareSources } from '../../src/flows/environment/environment.ts'
import { openCards } from '../../src/flows/reporter.ts'
import { type Deps, nothingToDo, type Outcome, type RunDeps, withMonitor } from '../../src/flows/run.ts'
import type { WorkPlan } from '../../src/plan/plan.ts'
import type { CardRow } from '../../src/report/model.ts'
import { decodeState } from '../../src/report/state.ts'
import type { Snapshot } from '../../src/source/snapshot.ts'
import type { Source } from '../../src/source/source.ts'
import { contextOf, settingsOf } from '../plan/plan-inputs.ts'
import { row } from '../report/rows.ts'

const never = new AbortController().signal

describe('turns', () => {
  it('let so many work at once, and the next as soon as one is done, well or not', async () => {
    const inTurn = inTurns(2)
    const ends: ((well: boolean) => void)[] = []
    const work = () =>
      inTurn(() => new Promise<void>((done, fail) => ends.push((well) => (well ? done() : fail('no')))))
    const all = Promise.allSettled([work(), work(), work(), work()])
    const settle = () => new Promise<void>((done) => setImmediate(done))
    await settle()
    expect(ends).toHaveLength(2)
    ends[0]?.(false)
    await settle()
    expect(ends).toHaveLength(3)
    ends[1]?.(true)
    await settle()
    expect(ends).toHaveLength(4)
    ends[2]?.(true)
    ends[3]?.(true)
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'fulfilled'])
  })
})

describe('the cards of a run', () => {
  function openDeps() {
    const bodies: string[] = []
    const release: (() => void)[] = []
    const upsert: Deps['github']['comments']['upsert'] = async ({ fold, create }) => {
      if (bodies.length === 0 && create === false) return undefined
      await new Promise<void>((done) => release.push(done))
      bodies.push(fold(bodies.slice(-1)).body)
      return { id: 7, url: 'https://github.example/7', outcome: 'updated' }
    }
    const deps = {
      settings: settingsOf(),
      context: contextOf({}),
      redact: (value: unknown) => value,
      workflowFiles: () => [],
      github: { comments: { upsert } },
    } as unknown as Deps
    const rowsOf = (body = '') =>
      Object.fromEntries(decodeState(body)?.map(({ service, status }) => [service, status]) ?? [])
    return { cards: openCards(deps, 0), bodies, release, rowsOf }
  }
  const mine = (service: string, more: Partial<CardRow> = {}) => row({ service, target: 'pr-1', ...more })

  it('are written once for all rows that come while one is being written', async () => {
    const { cards, bodies, release, rowsOf } = openDeps()
    const first = cards.write(1, mine('a'), 'create')
    while (release.length === 0) await new Promise((done) => setImmediate(done))
    const others = [cards.write(1, mine('b'), 'only-existing'), cards.write(1, mine('c'), 'create')]
    release[0]?.()
    expect((await first)?.id).toBe(7)
    while (release.length === 1) await new Promise((done) => setImmediate(done))
    release[1]?.()
    const written = await Promise.all(others)
    expect(bodies.map(rowsOf)).toEqual([{ a: 'live' }, { a: 'live', b: 'live', c: 'live' }])
    expect(written.map((one) => [one?.before, one?.after?.service])).toEqual([
      [undefined, 'b'],
      [undefined, 'c'],
    ])
  })

  it('of production there are none', async () => {
    const { cards, bodies } = openDeps()
    expect(await cards.write(undefined, mine('a'), 'create')).toBeUndefined()
    expect(await cards.write(1, mine('a'), 'not')).toBeUndefined()
    expect(bodies).toEqual([])
  })
})

describe('the source of a run', () => {
  const request = { wanted: { sha: 'a'.repeat(40) }, ordinaryCheckouts: [] }

  function openSources() {
    const asked: string[] = []
    let done = (_: Snapshot) => {}
    const opened: Partial<Source> = {
      snapshot: () => {
        asked.push('snapshot')
        return new Promise<Snapshot>((resolve) => {
          done = resolve
        })
      },
      [Symbol.asyncDispose]: async () => void asked.push('closed'),
    }
    const openSource = () => {
      asked.push('opened')
      return opened as Source
    }
    const sources = shareSources({ openSource, signal: never })
    return { sources, asked, finish: () => done({ sha: 'b' } as Snapshot) }
  }

  it('is opened once, and its snapshot made once, whoever of them gives up meanwhile', async () => {
    const { sources, asked, finish } = openSources()
    const [one, other] = [0, 1].map(() => sources.openSource({ deadlineAt: 1 }))
    const leaving = new AbortController()
    const left = one?.snapshot(request, leaving.signal)
    const stayed = other?.snapshot(request, never)
    leaving.abort(new Error('left'))
    await expect(left).rejects.toThrow('left')
    await one?.[Symbol.asyncDispose]()
    expect(asked).toEqual(['opened', 'snapshot'])
    finish()
    expect(await stayed).toEqual({ sha: 'b' })
    await sources[Symbol.asyncDispose]()
    expect(asked).toEqual(['opened', 'snapshot', 'closed'])
  })

  it('makes no snapshot, whose failure nobody would hear of, for whoever asks when the run is over', async () => {
    const { sources, asked } = openSources()
    const source = sources.openSource({ deadlineAt: 1 })
    const over = AbortSignal.abort(new Error('cancelled'))
    await expect(source.snapshot(request, over)).rejects.toThrow('cancelled')
    expect(asked).toEqual(['opened'])
  })

  it('of a stranger is another one, and what has no deadline is opened by itself', () => {
    const { sources, asked } = openSources()
    sources.openSource({ deadlineAt: 1 })
    sources.openSource({ deadlineAt: 1, ignoreWorkspace: true })
    sources.openSource()
    sources.openSource()
    expect(asked).toEqual(['opened', 'opened', 'opened', 'opened'])
  })
})

describe('what several services would leave open', () => {
  it('is remembered together, however much of it is one service’s, until each has come to its end', async () => {
    const remembered: string[][] = []
    const deps = {
      context: contextOf({}),
      settings: settingsOf(),
      signal: never,
      warnings: [],
      log: { info: () => undefined },
      output: () => undefined,
      remember: (open: readonly { row: string }[]) => void remembered.push(open.map(({ row: one }) => one)),
    } as unknown as RunDeps
    const services = ['web', 'api'].map((name) => {
      return { name, settings: settingsOf({ service: name }), wires: [], idle: undefined }
    })
    const plan = { kind: 'monitor' } as WorkPlan
    const run = async (own: RunDeps): Promise<Outcome> => {
      const name = own.settings.service ?? ''
      own.remember([{ row: `${name} itself` }, { row: `what ${name} takes down` }], name)
      own.remember([], name)
      return nothingToDo(own, 'it is done')
    }
    await runEnvironment(services, deps, { plan, run, skip: run })
    expect(remembered[0]).toEqual(['web itself', 'what web takes down'])
    expect(remembered.at(-1)).toEqual([])
  })
})

describe('a sweep that is followed by a monitor', () => {
  const report = { kind: 'none', status: 'nothing', reason: 'it is done', runUrl: '', warnings: [] } as const
  const swept: Outcome = { action: 'sweep', status: 'swept', report }

  it('is called unhealthy when the monitor of one or of several services found trouble, and tells of all', () => {
    const failure = new DeployError('acme-web is in trouble')
    const seen: Outcome = { action: 'monitor', status: 'unhealthy', report, others: [report], failure }
    expect(withMonitor(swept, seen)).toEqual({ ...swept, status: 'unhealthy', failure, others: [report, report] })
  })

  it('is called what it came to itself otherwise', () => {
    const failed: Outcome = { ...swept, status: 'failed', failure: new DeployError('one could not be removed') }
    const seen: Outcome = { action: 'monitor', status: 'live', report }
    expect(withMonitor(failed, seen)).toEqual({ ...failed, others: [report] })
  })
})
