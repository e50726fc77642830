import { type Clock, retry, withinTime } from '../../src/core/async.ts'
import { rollOut } from '../../src/flows/rollout.ts'
import type { RolloutPorts, RolloutRequest } from '../../src/flows/start-again.ts'
import type { RolloutEnd } from '../../src/flows/verdict.ts'
import { isTransient, PlatformError } from '../../src/ink/errors.ts'
import type { Service } from '../../src/ink/results.ts'
import type { ReadService, ServiceReading } from '../../src/watch/readings.ts'
import { VirtualClock } from './virtual-clock.ts'

export const OURS = 'ink/pr-7/0123456789abcdef'
export const EARLIER = 'ink/pr-7/fedcba9876543210'

/** A reading of our branch, queued, without logs. */
export function reading(overrides: Partial<ServiceReading> = {}): ServiceReading {
  return { branch: OURS, status: 'queued', deployLogs: [], runtimeLogs: [], ...overrides }
}

/** A failure whose answer may or may not have been preceded by the effect. */
export class LostAnswer extends PlatformError {
  constructor(message: string) {
    super('lost-answer', message)
  }
}
/** A failure that passes, of a request that was not carried out. */
export class Passing extends PlatformError {
  constructor(message: string, retryAfterMs?: number) {
    super('rate-limited', message, retryAfterMs === undefined ? {} : { retryAfterMs })
  }
}

const REQUEST_LIMIT_MS = 20_000
const SESSION_PATIENCE_MS = 4 * 60_000

/**
 * Calls as the session to ml.ink makes them: each request has a limit, and those which fail in passing are repeated, of
 * the unrepeatable ones only those that cannot have been carried out.
 */
export function asSession<T>(
  clock: Clock,
  signal: AbortSignal,
  { repeatable, patienceMs = SESSION_PATIENCE_MS }: { repeatable: boolean; patienceMs?: number },
  request: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limited = async () => {
    try {
      return await withinTime(clock, REQUEST_LIMIT_MS, signal, request)
    } catch (error) {
      throw error instanceof Error && error.name === 'TimeLimitError' ? new LostAnswer(error.message) : error
    }
  }
  return retry(limited, {
    deadlineAt: clock.now() + patienceMs,
    signal,
    clock,
    random: () => 0.5,
    again: (error) => isTransient(error) && (repeatable || error instanceof Passing) && (error.retryAfterMs ?? true),
  })
}

/** The ports of a rollout, of which nothing but the platform matters. */
export function rolloutPorts(
  clock: Clock,
  platform: RolloutPorts['platform'],
  heard: Partial<Record<'line' | 'warning', (text: string) => void>> & {
    readonly phase?: (name: string, atMs: number) => void
    readonly secrets?: readonly string[]
    readonly http?: RolloutPorts['http']
    readonly signal?: AbortSignal
  } = {},
): RolloutPorts {
  const ignore = () => undefined
  return {
    clock,
    platform,
    random: () => 0.5,
    signal: heard.signal ?? new AbortController().signal,
    secrets: () => heard.secrets ?? [],
    http: heard.http ?? (() => Promise.reject(new Error('not asked here'))),
    mcp: () => Promise.reject(new Error('not asked here')),
    output: ignore,
    log: { info: ignore, warning: heard.warning ?? ignore, untrusted: heard.line ?? ignore },
    reporter: {
      timeline: {
        begin: (name: string, _title: string, atMs: number = clock.now()) => heard.phase?.(name, atMs),
        ensure: ignore,
      } as never,
      update: ignore,
    },
  }
}

/** A request to deploy our branch that asks no URL and creates nothing anew. */
export function rolloutRequest(
  overrides: Partial<RolloutRequest> & Pick<RolloutRequest, 'deadlineAt'>,
): RolloutRequest {
  return {
    serviceName: 'shop-pr-7',
    branch: OURS,
    commitHash: undefined,
    existing: undefined,
    repositorySlug: 'ann/shop-ab12',
    repositoryName: 'shop',
    settings: () => ({}) as never,
    assertOwned: () => undefined,
    stillWanted: async () => false,
    health: { kind: 'none' },
    ...overrides,
  }
}

/** A whole service around a reading. */
export function serviceOf(read: ServiceReading): Service {
  return { id: 'svc-1', name: 'shop-pr-7', repo: 'ann/shop-ab12', ...read } as unknown as Service
}

/** What a test may have otherwise. */
export interface Otherwise {
  readonly before?: 'no-service' | { readonly branch: string | undefined }
  readonly logBaseline?: readonly string[]
  readonly commitHash?: string
  readonly secrets?: readonly string[]
  readonly deadlineAt?: number
  readonly signal?: AbortSignal
  readonly read?: ReadService
  readonly trigger?: () => Promise<never>
  readonly patienceMs?: number
  readonly request?: Partial<RolloutRequest>
}

/** A scripted platform: answers by what has happened so far and by the virtual time. */
export interface Stage {
  readonly clock: VirtualClock
  /** Virtual milliseconds since the start. */
  readonly elapsed: () => number
  readonly triggeredAt: number[]
  readonly readAt: number[]
  readonly lines: string[]
  readonly warnings: string[]
  readonly phases: { phase: string; atMs: number }[]
  readonly watch: (otherwise?: Otherwise) => Promise<RolloutEnd>
}

/**
 * @param script `trigger(n)` answers the n-th trigger (from 1); `read(n)` the n-th reading. Returning an `Error` makes
 * the call fail with it.
 */
export function stage(script: {
  trigger?: (count: number, elapsedMs: number) => Error | undefined
  read: (count: number, elapsedMs: number) => ServiceReading | undefined | Error | Promise<never>
}): Stage {
  const clock = new VirtualClock()
  const startedAt = clock.now()
  const elapsed = () => clock.now() - startedAt
  const made = {
    clock,
    elapsed,
    triggeredAt: [] as number[],
    readAt: [] as number[],
    lines: [] as string[],
    warnings: [] as string[],
    phases: [] as { phase: string; atMs: number }[],
  }
  const scriptedRead = async () => {
    made.readAt.push(elapsed())
    const answer = await script.read(made.readAt.length, elapsed())
    if (answer instanceof Error) throw answer
    return answer
  }
  const scriptedTrigger = async () => {
    made.triggeredAt.push(elapsed())
    const error = script.trigger?.(made.triggeredAt.length, elapsed())
    if (error !== undefined) throw error
  }
  const watch = async ({ before = { branch: EARLIER }, logBaseline = [], ...otherwise }: Otherwise = {}) => {
    const { patienceMs = SESSION_PATIENCE_MS } = otherwise
    const start = (signal: AbortSignal) =>
      asSession(clock, signal, { repeatable: false, patienceMs }, otherwise.trigger ?? scriptedTrigger).then(() => ({
        serviceId: undefined,
        message: undefined,
      }))
    const ports = rolloutPorts(
      clock,
      {
        service: async (_name, { deployLogLines = 0, runtimeLogLines = 0 }, signal) => {
          const read = (limited: AbortSignal) =>
            (otherwise.read ?? scriptedRead)({ deployLogLines, runtimeLogLines }, limited)
          const answer = await asSession(clock, signal, { repeatable: true, patienceMs }, read)
          return answer && serviceOf(answer)
        },
        createService: (_name, _repo, _branch, _settings, signal) => start(signal),
        updateService: (_name, _changes, signal) => start(signal),
      },
      {
        line: (line) => made.lines.push(line),
        warning: (text) => made.warnings.push(text),
        phase: (phase, atMs) => made.phases.push({ phase, atMs: atMs - startedAt }),
        ...(otherwise.secrets ? { secrets: otherwise.secrets } : {}),
        ...(otherwise.signal ? { signal: otherwise.signal } : {}),
      },
    )
    const existing =
      before === 'no-service' ? undefined : serviceOf(reading({ ...before, status: 'active', deployLogs: logBaseline }))
    return rollOut(
      ports,
      rolloutRequest({
        deadlineAt: otherwise.deadlineAt ?? startedAt + 20 * 60_000,
        commitHash: otherwise.commitHash,
        existing,
        ...otherwise.request,
      }),
    )
  }
  return { ...made, watch: (otherwise) => clock.run(watch(otherwise)) }
}
