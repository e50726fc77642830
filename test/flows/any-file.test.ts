// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of ink.yml
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { missingSecrets, readConfiguration } from '../../src/flows/environment/configuration.ts'
import type { Deps } from '../../src/flows/run.ts'
import type { RunEvent } from '../../src/plan/event.ts'
import type { RefusedPlan } from '../../src/plan/intent.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { parseSettings } from '../../src/plan/settings.ts'
import type { Source } from '../../src/source/source.ts'
import { contextOf, pullRequestEvent, push, rawInputs, settingsOf } from '../plan/plan-inputs.ts'

const { signal } = new AbortController()
const context = contextOf()
const raw = rawInputs({ env: 'STRIPE=sk_live_1' })

/** What a run reads of a commit that has this file. */
function configurationOf(text: string, event: RunEvent) {
  const deps = {
    context,
    settings: settingsOf({ env: 'STRIPE=sk_live_1' }),
    settingsWith: (file: object) => parseSettings(raw, file),
    maskVariables: () => undefined,
    openSource: () =>
      ({
        readCommitted: async () => ({ commit: 'a', file: Buffer.from(text), inCheckout: 'unknown' }),
        [Symbol.asyncDispose]: async () => undefined,
      }) as unknown as Source,
    signal,
  } as unknown as Deps & { signal: AbortSignal; warnings: []; startedAt: string }
  return readConfiguration({ ...deps, event })
}

const key = fc.constantFrom('web', 'api', 'search', 'worker')
const value = fc.constantFrom(
  'plain',
  '$$5',
  '${secrets.STRIPE}',
  '${secrets.MISSING}',
  '${services.api.url}',
  '${services.web.host}',
  '${services.api.database.url}',
  '${services.search.database.token}',
  '${services.none.url}',
  '${pull_request.number}',
)
const part = <T>(of: fc.Arbitrary<T>) => fc.option(of, { freq: 2, nil: undefined })
const env = fc.dictionary(fc.constantFrom('A', 'B', 'INK_SERVICE'), value, { maxKeys: 2 })
const service = fc.record(
  {
    root: fc.constantFrom('apps/web', '.', '../out', 7),
    name: fc.constantFrom('acme-web', 'acme-web-api', 'x-pr-3', 'Shop'),
    watch: fc.constantFrom(['packages/**'], 'packages/**', {}),
    build: fc.constantFrom({ pack: 'static' }, { pack: 'none' }, 'static'),
    port: fc.constantFrom(3000, 'high'),
    env,
    database: fc.constantFrom({ type: 'sqlite' }, { type: 'postgres', seed: 'a.sql' }, 'sqlite'),
    preview: fc.oneof(fc.boolean(), fc.record({ env: part(env), size: fc.constant({ memory: '256Mi' }) })),
    heath: fc.constant({}),
  },
  { requiredKeys: [] },
)
// Mostly good ones: a file with one mistake in every part never gets to a plan.
const file = fc.record(
  { services: fc.dictionary(key, fc.oneof({ weight: 3, arbitrary: fc.record({ env: part(env) }) }, service)) },
  { requiredKeys: [] },
)

const events = { preview: pullRequestEvent('opened'), production: push('refs/heads/main') } as const

it('of several services, whatever they are, either is refused with a place or gives a plan for each', async () => {
  const came = new Set<string>()
  const refusedWell = ({ problem, places = [] }: RefusedPlan) => {
    came.add('refused')
    expect(problem).toContain('ink.yml:')
    expect(places.length).toBeGreaterThan(0)
    for (const { line, column, file: path } of places) {
      expect(path).toBe('ink.yml')
      expect(Math.min(line, column)).toBeGreaterThan(0)
    }
  }
  await fc.assert(
    fc.asyncProperty(file, fc.constantFrom('preview', 'production'), async (content, environment) => {
      const event = events[environment as keyof typeof events]
      const { settings, services, problem } = await configurationOf(JSON.stringify(content, undefined, 2), event)
      if (problem) return refusedWell(problem)
      const whole = makePlan({ context, event, settings }) as Plan
      const missing = missingSecrets(whole, services)
      if (missing) return refusedWell(missing)
      const names = new Set<string>()
      for (const one of services.length > 0 ? services : [{ settings, wires: [] }]) {
        const wired = new Map(one.wires.map(({ service: other, output }) => [`${other}.${output}`, 'https://x']))
        const own = { ...one.settings, paths: undefined, environment: { ...one.settings.environment, wired } }
        const plan = makePlan({ context, event, settings: own })
        came.add(services.length > 1 ? `${plan.kind} of several` : plan.kind)
        if (plan.kind === 'refused') return refusedWell(plan)
        if ('serviceName' in plan) names.add(plan.serviceName)
        else expect(plan.kind).toBe('none')
      }
      if (services.length > 0 && !services.some(({ idle }) => idle)) expect(names.size).toBe(services.length)
    }),
    { numRuns: 600 },
  )
  expect([...came]).toEqual(
    expect.arrayContaining(['refused', 'preview', 'preview of several', 'production of several']),
  )
})
