import { describe, expect, it } from 'vitest'
import { rollOut } from '../../src/flows/rollout.ts'
import type { RolloutRequest } from '../../src/flows/start-again.ts'
import { PlatformError, ToolError } from '../../src/ink/errors.ts'
import type { Service } from '../../src/ink/results.ts'
import type { ServiceReading } from '../../src/watch/readings.ts'
import { OURS, reading, rolloutPorts, rolloutRequest, serviceOf } from '../watch/stage.ts'
import { VirtualClock } from '../watch/virtual-clock.ts'

const OTHER = 'ink/pr-7/fedcba9876543210'

/** A service as the platform reports it, as far as a start looks at it. */
function service(branch: string, status: string, more: Partial<ServiceReading> = {}): Service {
  return serviceOf(reading({ branch, status, ...more }))
}

interface Script {
  readonly existing?: Service
  /** Answers the n-th reading (from 1), after so many starts. */
  readonly found: (reads: number, starts: number) => Service | undefined
  readonly create?: (count: number) => Error | undefined
  readonly update?: (count: number) => Error | undefined
  readonly request?: Partial<RolloutRequest>
  readonly http?: () => void
}

/** Rolls out on a platform whose calls are written down, and answer as scripted. */
async function play(script: Script) {
  const clock = new VirtualClock()
  const startedAt = clock.now()
  const calls: string[] = []
  const sent: unknown[] = []
  const lines: string[] = []
  const starts = () => calls.filter((call) => call !== 'read').length
  const start = (call: 'create' | 'update', answer: ((count: number) => Error | undefined) | undefined) => {
    calls.push(call)
    const error = answer?.(calls.filter((one) => one === call).length)
    if (error) throw error
    return { serviceId: 'svc-1', message: undefined }
  }
  const ports = rolloutPorts(
    clock,
    {
      service: async () => {
        calls.push('read')
        return script.found(calls.filter((call) => call === 'read').length, starts())
      },
      createService: async () => start('create', script.create),
      updateService: async (_name, changes) => {
        const answer = start('update', script.update)
        sent.push(changes)
        return answer
      },
    },
    {
      line: (line) => lines.push(line),
      http: async () => {
        script.http?.()
        return { status: 200 }
      },
    },
  )
  const request = rolloutRequest({
    existing: script.existing,
    deadlineAt: startedAt + 20 * 60_000,
    ...script.request,
  })
  const ending = clock.run(rollOut(ports, request)).catch((error: unknown) => error as Error)
  const end = await ending
  return { end, calls, sent, lines, tookMs: clock.now() - startedAt }
}

const once = (error: Error) => (count: number) => (count === 1 ? error : undefined)
const refused = new ToolError('update_service', 'service updated but redeploy failed: busy')
const gone = new ToolError('update_service', 'service not found: shop-pr-7 in project default')
const taken = new ToolError('create_service', 'service "shop-pr-7" already exists in this project')

describe('starting a deployment again', () => {
  it('joins one of the same branch after a start that was acknowledged', async () => {
    const { end, calls } = await play({
      existing: service('main', 'active'),
      found: (reads) => service(OURS, reads === 1 ? 'cancelled' : reads < 4 ? 'building' : 'active'),
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(calls).toEqual(['update', 'read', 'read', 'read', 'read'])
  })

  it.each([
    ['was refused', refused],
    ['got no answer', new PlatformError('lost-answer', 'socket hang up')],
  ])('never joins after a start that %s: what is under way may be somebody else’s', async (_what, error) => {
    const { end, calls } = await play({
      existing: service('main', 'building'),
      found: (_reads, starts) => service(OURS, starts < 2 ? 'building' : 'active'),
      update: once(error),
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(calls).toEqual(['update', 'read', 'update', 'read'])
  })

  it.each([true, false])(
    'gives way to whoever switched the service meanwhile (first start acknowledged: %s)',
    async (acknowledged) => {
      const { end, calls } = await play({
        existing: service('main', 'active'),
        found: (reads) => (acknowledged && reads === 1 ? service(OURS, 'cancelled') : service(OTHER, 'building')),
        ...(acknowledged ? {} : { update: once(refused) }),
      })
      expect(end).toEqual({ kind: 'superseded', branch: OTHER, sent: acknowledged })
      expect(calls.filter((call) => call === 'update')).toHaveLength(1)
    },
  )

  it('leaves a service there that somebody put back to the branch of before', async () => {
    const { end, calls } = await play({
      existing: service('main', 'active'),
      found: (reads) => service(reads === 1 ? OURS : 'main', reads === 1 ? 'cancelled' : 'active'),
    })
    expect(end).toEqual({ kind: 'superseded', branch: 'main', sent: true })
    expect(calls).toEqual(['update', 'read', 'read'])
  })

  it('updates what the first start created, without having read it', async () => {
    const { end, calls } = await play({ found: (_reads, starts) => service(OURS, starts < 2 ? 'cancelled' : 'active') })
    expect(end).toMatchObject({ kind: 'live' })
    expect(calls).toEqual(['create', 'read', 'read', 'update', 'read'])
  })
})

describe('a start', () => {
  it('is a creation when there was no service, and lost it is not repeated once that is there', async () => {
    const { end, calls } = await play({
      found: () => service(OURS, 'active'),
      create: once(new PlatformError('lost-answer', 'socket hang up')),
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(calls).toEqual(['create', 'read', 'read'])
  })

  it('creates nothing in place of a service that somebody deleted, unless that is wanted', async () => {
    const script: Script = {
      existing: service('main', 'active'),
      found: () => service(OURS, 'active'),
      update: once(gone),
    }
    const kept = await play(script)
    expect(kept.end).toEqual({ kind: 'gone' })
    expect(kept.calls).toEqual(['update'])
    const anew = await play({ ...script, request: { stillWanted: async () => true } })
    expect(anew.end).toMatchObject({ kind: 'live' })
    expect(anew.calls).toEqual(['update', 'create', 'read'])
  })

  it('waits, and not for ever, while a service is found, cannot be updated and holds its name', async () => {
    const { end, calls, tookMs } = await play({
      existing: service('main', 'active'),
      found: () => service('main', 'active'),
      update: () => gone,
      create: () => taken,
      request: { stillWanted: async () => true },
    })
    expect(String(end)).toContain('is being deleted on ml.ink')
    expect(tookMs).toBeGreaterThan(170_000)
    expect(calls.length).toBeLessThan(3 * 200)
  })

  it('finds out that the name is a stranger’s, and says so', async () => {
    const { end, tookMs } = await play({ found: () => undefined, create: () => taken })
    expect(String(end)).toContain('is taken on ml.ink, and not by a service of this account')
    expect(tookMs).toBeLessThan(30_000)
  })

  it('refuses a name that a service has which is not ours to change', async () => {
    const { end, calls } = await play({
      found: () => service('main', 'active'),
      create: () => taken,
      request: {
        assertOwned: () => {
          throw new Error('not ours')
        },
      },
    })
    expect(String(end)).toContain('not ours')
    expect(calls).toEqual(['create', 'read'])
  })

  it.each([
    taken,
    new ToolError(
      'create_service',
      'failed to create service record: ERROR: duplicate key value violates unique constraint "services_project_id_name_key" (SQLSTATE 23505)',
    ),
  ])('is an update when somebody was faster with the name (%s)', async (refusal) => {
    const { end, calls } = await play({
      found: (reads) => service(reads === 1 ? 'main' : OURS, 'active'),
      create: once(refusal),
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(calls).toEqual(['create', 'read', 'update', 'read'])
  })

  it('that lost a race of updates is made again', async () => {
    const lost = new ToolError(
      'update_service',
      'service updated but redeploy failed: duplicate key value violates unique constraint "idx_deployments_one_inflight"',
    )
    const { end, calls } = await play({
      existing: service('main', 'active'),
      found: (_reads, starts) => service(OURS, starts < 2 ? 'building' : 'active'),
      update: once(lost),
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(calls).toEqual(['update', 'read', 'update', 'read'])
  })
})

describe('a branch that an earlier removal took from under the build', () => {
  it('is pushed and deployed again, once', async () => {
    let pushes = 0
    const restoreBranch = async () => {
      pushes += 1
      return true
    }
    const { end, calls } = await play({
      existing: service('main', 'active'),
      found: () => service(OURS, 'failed', { errorMessage: 'git clone failed: Remote branch not found' }),
      request: { restoreBranch },
    })
    expect(end).toMatchObject({ kind: 'failed', errorMessage: 'git clone failed: Remote branch not found' })
    expect(pushes).toBe(1)
    expect(calls.filter((call) => call === 'update').length).toBeGreaterThan(1)
  })
})

describe('a service that a removal is still taking away', () => {
  const health = { kind: 'http', path: '/', statuses: [{ from: 200, to: 399 }], timeoutMs: 60_000 } as const
  const url = 'https://shop.test'

  it('is never green and gone: it is created anew', async () => {
    let asked = 0
    const { end, calls } = await play({
      existing: service('main', 'active'),
      // Reported active, answering, and gone soon after.
      found: (_reads, starts) => (starts > 1 || asked < 3 ? service(OURS, 'active', { url }) : undefined),
      request: {
        health,
        stillWanted: async () => true,
        removalUnderWay: async (createdAt) => createdAt === undefined,
      },
      http: () => {
        asked += 1
      },
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(calls.filter((call) => call !== 'read')).toEqual(['update', 'create'])
    expect(asked).toBe(6)
  })

  it('is not waited for where it was created by this very run after the removal had begun', async () => {
    const { end, tookMs } = await play({
      found: () => service(OURS, 'active', { url }),
      request: { health, removalUnderWay: async (createdAt) => createdAt === undefined },
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(tookMs).toBeLessThan(10_000)
  })
})

describe('the log', () => {
  const yesterday = ['Cloning', "src/app.ts(7,15): error TS2304: Cannot find name 'greeting'.", 'build failed']

  it('of a service that is made again leaves out its predecessor’s lines', async () => {
    const { end, lines } = await play({
      found: (reads) =>
        reads < 3
          ? service(OURS, 'queued', { deployLogs: yesterday, runtimeLogs: ['old crash'] })
          : service(OURS, reads < 6 ? 'building' : 'failed', {
              deployLogs: [...yesterday, 'Cloning', 'npm error code E404'],
              runtimeLogs: ['old crash'],
            }),
    })
    expect(lines).toEqual(['Cloning', 'npm error code E404'])
    expect(end).toMatchObject({ kind: 'failed', deployLog: ['Cloning', 'npm error code E404'], runtimeLog: [] })
  })

  it('of a roll-out that fails without a build is empty, whatever the predecessor built', async () => {
    const { end, lines } = await play({
      found: (reads) => service(OURS, reads < 3 ? 'deploying' : 'failed', { deployLogs: yesterday }),
    })
    expect(lines).toEqual([])
    expect(end).toMatchObject({ kind: 'failed', phase: 'rolling-out', deployLog: [] })
  })

  it('of a second start leaves out what stood there before it', async () => {
    const { lines } = await play({
      existing: service('main', 'active', { deployLogs: ['old'] }),
      found: (_reads, starts) =>
        starts < 2
          ? service(OURS, 'building', { deployLogs: ['old', 'of somebody else'] })
          : service(OURS, 'active', { deployLogs: ['old', 'of somebody else', 'ours'] }),
      update: once(refused),
    })
    expect(lines).toEqual(['ours'])
  })
})

describe('a change of size', () => {
  const NEW = 'ink/production/new'
  const size: Partial<RolloutRequest> = {
    branch: NEW,
    settings: () => ({ memory: '512Mi' }) as never,
    settingsOnly: true,
  }

  it('names no branch, whatever the service had a moment ago', async () => {
    const { end, sent } = await play({
      existing: service(NEW, 'failed'),
      found: () => service(NEW, 'active'),
      request: size,
    })
    expect(end).toMatchObject({ kind: 'live' })
    expect(sent).toEqual([{ memory: '512Mi' }])
  })

  it('is repeated on the same branch, and joins a deployment of it', async () => {
    const repeated = await play({
      existing: service(NEW, 'failed'),
      found: (_reads, starts) => service(NEW, starts < 2 ? 'cancelled' : 'active'),
      request: size,
    })
    expect(repeated.sent).toHaveLength(2)
    const joined = await play({
      existing: service(NEW, 'failed'),
      found: (reads) => service(NEW, reads === 1 ? 'cancelled' : reads === 2 ? 'building' : 'active'),
      request: size,
    })
    expect(joined.end).toMatchObject({ kind: 'live' })
    expect(joined.sent).toHaveLength(1)
  })

  it.each([
    ['was acknowledged', undefined, true],
    ['was refused', refused, false],
  ])('stops when the branch changed after a start that %s', async (_what, refusal, hasTheSize) => {
    const { end, sent } = await play({
      existing: service(NEW, 'failed'),
      found: (reads) =>
        refusal === undefined && reads === 1 ? service(NEW, 'cancelled') : service('ink/production/newer', 'building'),
      update: (count) => (count === 1 ? refusal : undefined),
      request: size,
    })
    expect(end).toEqual({ kind: 'superseded', branch: 'ink/production/newer', sent: hasTheSize })
    expect(sent).toHaveLength(hasTheSize ? 1 : 0)
  })
})
