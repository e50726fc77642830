import type { Repository, WorkflowRun } from '../github/github.ts'
import type { RunResult } from '../runner/runner.ts'
import type { Mood } from './elements.ts'
import type { RecordedRun, RunBook } from './run-book.ts'

/** A run with everything known of it: what GitHub's API has, and what the runner saw. */
export interface ShownRun {
  readonly id: number
  /** `Preview / preview`: workflow and job. */
  readonly name: string
  /** What it did, where that is known: `web-pr-1: live`. */
  readonly title: string
  readonly event: string
  readonly headSha: string | undefined
  readonly pullNumber: number | undefined
  readonly startedAt: Date
  readonly state: RunState
  readonly recorded: RecordedRun | undefined
}

export type RunState = 'running' | RunResult['conclusion'] | 'skipped' | 'not-started'

export const RUN_WORDS: Readonly<Record<RunState, { readonly mood: Mood; readonly words: string }>> = {
  running: { mood: 'busy', words: 'In progress' },
  success: { mood: 'good', words: 'Successful' },
  failure: { mood: 'bad', words: 'Failing' },
  cancelled: { mood: 'idle', words: 'Cancelled' },
  skipped: { mood: 'idle', words: 'Skipped' },
  'not-started': { mood: 'bad', words: 'Not started' },
}

/** The runs of a repository, newest first. */
export function runsOf(repository: Repository, book: RunBook): readonly ShownRun[] {
  const recorded = book.all().filter((run) => run.repository === repository.fullName)
  const ids = new Set([...repository.runs.keys(), ...recorded.map((run) => run.id)])
  return [...ids]
    .flatMap((id) => findRun(repository, book, id) ?? [])
    .sort((a, b) => b.startedAt.getTime() - a.startedAt.getTime() || b.id - a.id)
}

export function findRun(repository: Repository, book: RunBook, id: number): ShownRun | undefined {
  const run = repository.runs.get(id)
  const recorded = book.find(repository.fullName, id)
  const known = recorded ?? (run && { event: run.event, startedAt: run.createdAt, pullNumber: undefined })
  if (!known) return undefined
  const job = run?.jobs[0]
  const name = run ? `${run.name} / ${job?.name ?? ''}` : 'Workflow'
  return {
    id,
    name,
    title: doneBy(recorded) ?? name,
    event: known.event,
    headSha: run?.headSha,
    pullNumber: known.pullNumber,
    startedAt: known.startedAt,
    state: stateOf(run, recorded),
    recorded,
  }
}

const DEEDS: Readonly<Record<string, string>> = {
  preview: 'Preview',
  production: 'Production',
  teardown: 'Teardown',
  sweep: 'Sweep',
  monitor: 'Monitor',
  rollback: 'Rollback',
  plan: 'Plan',
}

/** What a run says that it did; nothing while it goes on, nor of an action that is not ours. */
function doneBy(recorded: RecordedRun | undefined): string | undefined {
  const { action = '', status = '', service = '' } = recorded?.result?.outputs ?? {}
  const deed = DEEDS[action]
  if (deed === undefined) return undefined
  return `${deed} ${status.replaceAll('-', ' ')}${service === '' ? '' : `: ${service}`}`
}

function stateOf(run: WorkflowRun | undefined, recorded: RecordedRun | undefined): RunState {
  if (recorded?.problem !== undefined) return 'not-started'
  return recorded?.result?.conclusion ?? (recorded ? 'running' : (run?.jobs[0]?.conclusion ?? 'running'))
}
