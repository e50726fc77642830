import type { Repository, WebhookEvent } from '../github/github.ts'
import type { RunResult } from '../runner/runner.ts'

/** A run of the action as the page shows it, from its first line on. */
export interface RecordedRun {
  readonly id: number
  readonly attempt: number
  /** `owner/name` */
  readonly repository: string
  readonly event: string
  /** The pull request that the event is about. */
  readonly pullNumber: number | undefined
  readonly startedAt: Date
  /** Lines of the action itself, secrets hidden. */
  readonly mainLines: readonly string[]
  /** Lines of its post step. */
  readonly postLines: readonly string[]
  /** Absent while it runs. */
  readonly result: RunResult | undefined
  /** Set when the runner could not run the action at all. */
  readonly problem: string | undefined
}

/** Writes one run down. */
export interface RunScribe {
  line(line: string, stage: 'main' | 'post'): void
  finish(result: RunResult): void
  fail(problem: string): void
}

/** The runs of one sandbox, oldest first. */
export interface RunBook {
  all(): readonly RecordedRun[]
  find(repository: string, id: number): RecordedRun | undefined
  /** Opens the record of a run; another attempt of a run takes the place of the one before. */
  open(run: {
    readonly id: number
    readonly attempt: number
    readonly repository: Repository
    readonly event: WebhookEvent
  }): RunScribe
}

interface OpenRecord extends RecordedRun {
  readonly mainLines: string[]
  readonly postLines: string[]
  result: RunResult | undefined
  problem: string | undefined
}

/** @param now - the clock that runs are dated by */
export function createRunBook(now: () => Date): RunBook {
  const runs = new Map<string, OpenRecord>()
  const keyOf = (repository: string, id: number): string => `${repository}#${id}`
  return {
    all: () => [...runs.values()],
    find: (repository, id) => runs.get(keyOf(repository, id)),
    open({ id, attempt, repository, event }) {
      const record: OpenRecord = {
        id,
        attempt,
        repository: repository.fullName,
        event: event.name,
        pullNumber: pullNumberOf(event),
        startedAt: now(),
        mainLines: [],
        postLines: [],
        result: undefined,
        problem: undefined,
      }
      runs.set(keyOf(record.repository, id), record)
      return {
        line: (line, stage) => void (stage === 'main' ? record.mainLines : record.postLines).push(line),
        finish(result) {
          record.result = result
        },
        fail(problem) {
          record.problem = problem
        },
      }
    },
  }
}

interface AboutPullRequest {
  readonly pull_request?: { readonly number?: number }
  readonly issue?: { readonly number?: number; readonly pull_request?: object }
}

function pullNumberOf(event: WebhookEvent): number | undefined {
  const { pull_request: pull, issue } = event.payload as AboutPullRequest
  return pull?.number ?? (issue?.pull_request === undefined ? undefined : issue.number)
}
