import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { PullRequestState } from '../../src/github/pull-requests.ts'
import { decodeState } from '../../src/report/state.ts'
import { comment, pullRequestEvent, pullRequestOf } from '../plan/plan-inputs.ts'
import { commitOf } from './virtual-github.ts'
import { BASE, openWorld, type VirtualRun, type VirtualWorld } from './virtual-world.ts'

const LABEL = 'preview'
const numbers = [1, 2] as const
const QUICK_DELETION_MS = 800

type Step =
  | { readonly kind: 'open' | 'push' | 'close' | 'reopen' | 'label' | 'unlabel'; readonly pull: 1 | 2 }
  /** The commands in comments. */
  | { readonly kind: 'stop' | 'deploy'; readonly pull: 1 | 2 }
  | { readonly kind: 'cancel'; readonly which: number }
  | { readonly kind: 'break' }

interface Life {
  readonly seed: number
  readonly gated: boolean
  readonly steps: readonly { readonly step: Step; readonly waitMs: number }[]
  /** Whether runs are ever cancelled. */
  readonly cancels: boolean
  /** How long the platform takes for a deletion, of which nothing tells until it is done. */
  readonly deletionMs: number
  /** One call in so many goes wrong; 0 for none. */
  readonly mishapEvery: number
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constantFrom('open', 'push', 'close', 'close', 'reopen'),
      pull: fc.constantFrom(1, 1, 2),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('label', 'unlabel'), pull: fc.constantFrom(...numbers) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('stop', 'deploy'), pull: fc.constantFrom(1, 1, 2) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'break' as const }) },
)

const life: fc.Arbitrary<Life> = fc.record({
  seed: fc.nat(),
  gated: fc.boolean(),
  steps: fc.array(
    fc.record({ step, waitMs: fc.oneof(fc.nat(300), fc.nat(1500), fc.nat(1500), fc.nat(6000), fc.nat(40_000)) }),
    {
      minLength: 1,
      maxLength: 6,
      size: 'max',
    },
  ),
  cancels: fc.boolean(),
  deletionMs: fc.constantFrom(QUICK_DELETION_MS, QUICK_DELETION_MS, 8_000, 60_000),
  mishapEvery: fc.constantFrom(0, 0, 12, 40),
})

/** Lives one life, overlaps and all, and sweeps once after everybody has gone home. */
async function live(whole: Life): Promise<VirtualWorld> {
  const { seed, gated, steps, mishapEvery, cancels } = whole
  const broken = new Set<string>()
  const weather = { fair: mishapEvery === 0 }
  const world: VirtualWorld = openWorld({
    seed,
    broken,
    deletionMs: whole.deletionMs,
    inputs: { database: 'sqlite', ...(gated ? { 'preview-label': LABEL } : {}) },
    mishap: () => {
      if (weather.fair || world.random() * mishapEvery >= 1) return 'none'
      return (['lost-before', 'lost-after', 'unavailable'] as const)[Math.floor(world.random() * 3)] ?? 'none'
    },
  })
  world.ink.add(BASE, `ink/production/${BASE}/${commitOf('main')}`, marks())
  world.ink.add('stranger', 'main', { A: '1' }, 'eve/other-zz99')
  world.ink.add(
    `${BASE}-pr-77`,
    'main',
    { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'eve/web' },
    'eve/web-zz98',
  )
  const runs: VirtualRun[] = []
  const act = (number: number, action: string, label?: string) => {
    const pull = world.github.pulls.get(number)
    if (!pull) return
    const { open, head, labels } = pull
    const pullRequest = pullRequestOf({ number, state: open ? 'open' : 'closed', head, labels })
    const base = pullRequestEvent(action, { pullRequest, label })
    runs.push(world.start(base))
  }
  const set = (number: number, change: Partial<PullRequestState>) => {
    world.github.pulls.set(number, { ...(world.github.pulls.get(number) ?? fresh(number)), ...change })
  }
  let commits = 0
  const head = (number: number) => ({ ...fresh(number).head, sha: commitOf(`${seed} ${number} ${++commits}`) })

  async function take(one: Step): Promise<void> {
    if (one.kind === 'cancel') return cancels ? runs.at(-1 - one.which)?.cancel() : undefined
    if (one.kind === 'break') {
      for (const pull of world.github.pulls.values()) broken.add(pull.head.sha)
      return
    }
    const { kind, pull: number } = one
    const pull = world.github.pulls.get(number)
    if (kind === 'open' && !pull) {
      set(number, { head: head(number), labels: gated ? [LABEL] : [] })
      return act(number, 'opened')
    }
    if (!pull) return
    if (kind === 'push') {
      set(number, { head: head(number) })
      if (pull.open) act(number, 'synchronize')
    } else if (kind === 'close' && pull.open) {
      set(number, { open: false })
      act(number, 'closed')
    } else if (kind === 'reopen' && !pull.open) {
      set(number, { open: true })
      act(number, 'reopened')
    } else if (kind === 'label' && gated && pull.labels.length === 0) {
      set(number, { labels: [LABEL] })
      act(number, 'labeled', LABEL)
    } else if (kind === 'unlabel' && pull.labels.length > 0) {
      set(number, { labels: [] })
      act(number, 'unlabeled', LABEL)
    } else if ((kind === 'stop' || kind === 'deploy') && pull.open) {
      runs.push(world.start(comment(`/ink ${kind}`, { number })))
    }
  }

  const story = async () => {
    const never = new AbortController().signal
    await take({ kind: 'open', pull: 1 })
    await world.time.clock.sleep(Math.floor(world.random() * (seed % 3 === 0 ? 12_000 : 1500)), never)
    for (const { step: one, waitMs } of steps) {
      await take(one)
      await world.time.clock.sleep(waitMs, never)
    }
    await Promise.all(runs.map(({ done }) => done))
    // Builds that a cancelled run had started come to their end by themselves.
    await world.time.clock.sleep(60_000, never)
    // Where nobody was cancelled and no answer was lost, no sweep is needed.
    if (weather.fair && !cancels) check(world, whole)
    weather.fair = true
    const sweep = world.start({ kind: 'schedule', cron: '17 3 * * *' }, { command: 'sweep' })
    await sweep.done
    expect(sweep.outcome()?.status).toBe('swept')
  }
  await world.time.drive(story())
  return world
}

function fresh(number: number): PullRequestState {
  return {
    number,
    open: true,
    draft: false,
    labels: [],
    head: { sha: '', ref: `change-${number}`, repository: 'acme/web' },
    base: { sha: commitOf('main') },
    updatedAt: '2026-11-22T10:00:00Z',
  }
}

function marks(): Record<string, string> {
  return { INK_MANAGED_BY: 'ink-deploy', INK_GIT_REPOSITORY: 'acme/web' }
}

function check({ ink, github }: VirtualWorld, { gated }: Life): void {
  for (const number of numbers) {
    const name = `${BASE}-pr-${number}`
    const pull = github.pulls.get(number)
    const wanted = pull?.open === true && (!gated || pull.labels.includes(LABEL))
    const branches = [...ink.branches.keys()].filter((branch) => branch.startsWith(`ink/pr-${number}/`))
    const active = github.records.filter(
      ({ task, states }) =>
        task.endsWith(`pr-${number}`) && ['success', 'queued', 'in_progress'].includes(states.at(-1) ?? ''),
    )
    if (!wanted) {
      expect({ service: ink.services.get(name), branches, database: ink.databases.get(`${name}-db`), active }).toEqual({
        service: undefined,
        branches: [],
        database: undefined,
        active: [],
      })
    }
    for (const row of decodeState(github.cards.get(number) ?? '') ?? []) {
      if (row.status === 'live') {
        expect(ink.services.get(name)?.serves).toBe(row.commit)
        expect(ink.databases.get(`${name}-db`)?.url).toBe(ink.services.get(name)?.env.DATABASE_URL)
      }
      if (row.status === 'building') throw new Error('The card still says that it is building.')
    }
  }
  expect([...ink.services.keys()].filter((name) => !/-pr-[12]$/.test(name))).toEqual([
    BASE,
    'stranger',
    `${BASE}-pr-77`,
  ])
}

it('whatever happens in the life of a pull request, a sweep leaves nothing behind and no card lies', {
  timeout: 240_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(life, async (one) => check(await live(one), one)),
    { numRuns: Number(process.env.LIVES ?? 1000) },
  )
})

it.each([300, 800, 1200, 2000])(
  'opened again %i ms after it was closed, while the platform still deletes it, it is never green and gone',
  async (waitMs) => {
    const one: Life = {
      seed: 3,
      gated: false,
      steps: [
        { step: { kind: 'close', pull: 2 }, waitMs: 20_000 },
        { step: { kind: 'close', pull: 1 }, waitMs },
        { step: { kind: 'reopen', pull: 1 }, waitMs: 0 },
      ],
      cancels: false,
      deletionMs: 60_000,
      mishapEvery: 0,
    }
    const world = await live(one)
    check(world, one)
    expect(decodeState(world.github.cards.get(1) ?? '')).toMatchObject([{ status: 'live' }])
  },
)

const step1 = (kind: 'close' | 'reopen' | 'stop' | 'deploy' | 'push', waitMs: number) => ({
  step: { kind, pull: 1 } as const,
  waitMs,
})

// Lives that once ended with a database that nothing used, a preview that was green and gone, or one without its database.
it.each<[string, Partial<Life>]>([
  [
    'an older run of two finds the pull request closed, and the run for its end is lost',
    {
      seed: 29,
      steps: [step1('reopen', 5408), step1('deploy', 8931), step1('close', 0)],
      deletionMs: QUICK_DELETION_MS,
      mishapEvery: 40,
    },
  ],
  [
    'two removals overlap while calls are lost',
    {
      seed: 41152891,
      steps: [step1('close', 339), step1('reopen', 447), step1('close', 0)],
      deletionMs: 60_000,
      mishapEvery: 12,
    },
  ],
  [
    'one removal gives way while another one goes on',
    { seed: 857551338, steps: [step1('push', 0), step1('close', 630), step1('reopen', 0)], deletionMs: 60_000 },
  ],
  [
    'the answer to a deletion is lost',
    { seed: 0, steps: [step1('close', 13_841), step1('reopen', 0)], deletionMs: 60_000, mishapEvery: 40 },
  ],
  [
    'it is closed while it is made, and its database cannot be read when it goes',
    { seed: 16, steps: [step1('close', 0)], deletionMs: 8_000, mishapEvery: 40 },
  ],
  ['it is stopped before it is there', { seed: 1721673584, steps: [step1('stop', 0)] }],
  [
    'it is stopped, and deployed at once',
    { seed: 3, steps: [step1('stop', 100), step1('deploy', 0)], deletionMs: 8_000 },
  ],
  [
    'it is stopped while it is made, and cannot be made anew',
    { seed: 2147483620, steps: [step1('stop', 13_205), step1('close', 0)], deletionMs: 8_000, mishapEvery: 12 },
  ],
  ['it is stopped, and that is not seen to its end', { seed: 487568913, steps: [step1('stop', 0)], mishapEvery: 12 }],
])('no card lies, and nothing is left, when %s', async (_, life) => {
  const one: Life = { seed: 1, gated: false, steps: [], cancels: false, deletionMs: 800, mishapEvery: 0, ...life }
  check(await live(one), one)
})
