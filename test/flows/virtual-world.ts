import type { Clock } from '../../src/core/async.ts'
import { createRedactor, redactValue } from '../../src/core/redact.ts'
import { finishInterrupted } from '../../src/flows/records.ts'
import { cardSurroundings } from '../../src/flows/reporter.ts'
import type { Deps, OpenDeployment, Outcome } from '../../src/flows/run.ts'
import { runAction } from '../../src/flows/run-action.ts'
import type { GitHub } from '../../src/github/github.ts'
import type { Repository, RunContext } from '../../src/plan/context.ts'
import type { RunEvent } from '../../src/plan/event.ts'
import type { SettingName, Settings } from '../../src/plan/settings.ts'
import { contextOf, repository, settingsOf } from '../plan/plan-inputs.ts'
import { VirtualGitHub } from './virtual-github.ts'
import { VirtualInk, type VirtualInkOptions } from './virtual-ink.ts'
import { openVirtualTime, type VirtualTime } from './virtual-time.ts'

export const BASE = 'acme-web'

/** A run that may be cancelled while it goes on. */
export interface VirtualRun {
  readonly done: Promise<void>
  cancel(): void
  outcome(): Outcome | undefined
  outputs: Record<string, string>
  /** Lines of the log, warnings and notices included. */
  readonly log: readonly string[]
  readonly warnings: readonly string[]
  readonly notices: readonly string[]
}

/** Platform, GitHub and runs of the action in memory, in virtual time. */
export interface VirtualWorld {
  readonly time: VirtualTime
  readonly ink: VirtualInk
  readonly github: VirtualGitHub
  random(): number
  start(event: RunEvent, inputs?: Partial<Record<SettingName, string>>, as?: Repository): VirtualRun
}

export interface WorldOptions extends Partial<Omit<VirtualInkOptions, 'clock'>> {
  readonly seed?: number
  /** As {@link openVirtualTime} takes it. */
  readonly turn?: () => Promise<unknown>
  readonly inputs?: Partial<Record<SettingName, string>>
  /** Another GitHub than the one in memory. */
  readonly openGitHub?: (clock: Clock, signal: AbortSignal) => GitHub
}

const parsed = new Map<string, Settings>()

/** Lives by the thousand have the same few settings. */
function settingsFor(inputs: Partial<Record<SettingName, string>>): Settings {
  const given = { 'health-timeout': '1m', ...inputs }
  const key = JSON.stringify(given)
  const settings = parsed.get(key) ?? settingsOf(given)
  parsed.set(key, settings)
  return settings
}

/** Opens a world. Equal seeds give equal worlds. */
export function openWorld(options: WorldOptions = {}): VirtualWorld {
  const time = openVirtualTime(options.turn)
  const random = randomFrom(options.seed ?? 1)
  const latencyMs = options.latencyMs ?? (() => 20 + Math.floor(random() * 200))
  const ink = new VirtualInk({
    clock: time.clock,
    latencyMs,
    mishap: options.mishap ?? (() => 'none'),
    broken: options.broken ?? new Set(),
    ...(options.limit === undefined ? {} : { limit: options.limit }),
    ...(options.deletionMs === undefined ? {} : { deletionMs: options.deletionMs }),
  })
  const github = new VirtualGitHub(time.clock, latencyMs)
  const openGitHub = (signal: AbortSignal) => options.openGitHub?.(time.clock, signal) ?? github.adapter(signal)
  let runs = 0
  return {
    time,
    ink,
    github,
    random,
    start: (event, inputs, as = repository) =>
      start(
        { time, ink, github: openGitHub, random },
        event,
        { runId: ++runs, repository: as },
        { ...options.inputs, ...inputs },
      ),
  }
}

type Stage = Pick<VirtualWorld, 'time' | 'ink' | 'random'> & { readonly github: (signal: AbortSignal) => GitHub }

function start(
  { time, ink, github, random }: Stage,
  event: RunEvent,
  of: Pick<RunContext, 'runId' | 'repository'>,
  inputs: Partial<Record<SettingName, string>>,
): VirtualRun {
  const { clock } = time
  const cancel = new AbortController()
  const context = contextOf({ ...of, eventName: event.kind === 'push' ? 'push' : 'pull_request' })
  const settings = settingsFor(inputs)
  let remembered: OpenDeployment | undefined
  let outcome: Outcome | undefined
  const outputs: Record<string, string> = {}
  const [log, warnings, notices]: [string[], string[], string[]] = [[], [], []]
  const say = (line: string) => void log.push(line)
  const secrets: string[] = []
  let redactor: ReturnType<typeof createRedactor> | undefined
  const mask = (...more: readonly string[]) => {
    secrets.push(...more)
    redactor = undefined
  }
  const deps: Deps = {
    context,
    event,
    startedAt: new Date(clock.now()).toISOString(),
    warnings,
    signal: cancel.signal,
    settings,
    settingsWith: () => ({ ok: true, settings }),
    clock,
    random,
    log: {
      startGroup: say,
      endGroup() {},
      info: say,
      debug() {},
      notice: (text) => void notices.push(text),
      warning: (text) => void warnings.push(text),
      untrusted: say,
    },
    output: (name, value) => {
      outputs[name] = String(value)
    },
    mask: (secret) => mask(secret),
    maskVariables: (values) => mask(...Object.values(values)),
    secrets: () => secrets,
    redact: (value) => {
      redactor ??= createRedactor(secrets)
      return redactValue(value, redactor)
    },
    connect: async () => ({ [Symbol.asyncDispose]: async () => undefined }),
    openPlatform: async () => ink.platform(),
    openSource: () => ink.source(),
    github: github(cancel.signal),
    seedDatabase: () => Promise.reject(new Error('not played here')),
    http: async ({ hostname }, _signal, wanted) => {
      const service = ink.services.get(hostname.replace('.example', ''))
      const { serves } = service ?? {}
      const contains = wanted === undefined ? {} : { contains: serves?.includes(wanted) ?? false }
      return { status: serves === undefined ? 404 : 200, ...contains }
    },
    mcp: () => Promise.reject(new Error('not played here')),
    workflowFiles: () => [],
    remember: ([open]) => {
      remembered = open
    },
  }
  const run = async () => {
    try {
      outcome = await runAction(deps)
    } catch (error) {
      if (!cancel.signal.aborted) throw error
    }
    if (!remembered) return
    // The post step is a process of its own, with a GitHub of its own.
    await finishInterrupted([remembered], {
      github: github(new AbortController().signal),
      surroundingsOf: cardSurroundings(deps),
      comment: settings.comment,
      now: clock.now(),
    })
  }
  return {
    done: run(),
    cancel: () => cancel.abort(new Error('cancelled')),
    outcome: () => outcome,
    outputs,
    log,
    warnings,
    notices,
  }
}

/** Numbers in [0, 1) that depend on the seed alone. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}
