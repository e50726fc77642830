import { createHash } from 'node:crypto'
import type { Clock } from '../../src/core/async.ts'
import type { Patience } from '../../src/github/api.ts'
import type { GitHub } from '../../src/github/github.ts'
import type { PullRequestState } from '../../src/github/pull-requests.ts'
import type { RecordStatus } from '../../src/github/records.ts'
import { pullRequestOf } from '../plan/plan-inputs.ts'

export interface VirtualRecord {
  readonly id: number
  readonly task: string
  readonly sha: string
  readonly states: RecordStatus['state'][]
}

const ended = /^(success|failure|error|inactive)$/

/** GitHub in memory: pull requests, one card each, deployment records. Every call takes its time and none fails. */
export class VirtualGitHub {
  readonly pulls = new Map<number, PullRequestState>()
  /** Body of the card by pull request. */
  readonly cards = new Map<number, string>()
  records: VirtualRecord[] = []
  readonly #clock: Clock
  /** Tip by branch; a branch that is not in here is one that GitHub does not show. */
  readonly tips = new Map<string, string>()
  /** Says nothing about a single pull request or branch any more. */
  silent = false
  readonly #latencyMs: () => number
  #ids = 0

  constructor(clock: Clock, latencyMs: () => number) {
    this.#clock = clock
    this.#latencyMs = latencyMs
  }

  /** Makes a pull request what it is from now on: open, until told otherwise. */
  setPull(number: number, more: Partial<PullRequestState> = {}): void {
    const head = { sha: commitOf(`${number}`), ref: `change-${number}`, repository: 'acme/web' }
    const { labels, draft, base } = pullRequestOf({ number })
    const rest = { labels, draft, updatedAt: '2026-11-22T10:00:00Z' }
    const state = { number, open: true, head, base }
    this.pulls.set(number, { ...rest, ...state, ...more })
  }

  adapter(signal: AbortSignal): GitHub {
    /** As the real adapter: what is cut short by a cancellation gives nothing and throws nothing. */
    const call = async <T>(act: () => T): Promise<T | undefined> => {
      try {
        await this.#clock.sleep(this.#latencyMs(), signal)
      } catch {
        return undefined
      }
      return act()
    }
    /** Asks until GitHub speaks again, as the real adapter does for what a decision hangs on. */
    const patiently = async <T>(act: () => T, { deadlineAt = 0 }: Patience = {}): Promise<T | undefined> => {
      const answer = () => call(() => (this.silent ? undefined : act()))
      let read = await answer()
      while (read === undefined && !signal.aborted && this.#clock.now() < deadlineAt) {
        await this.#clock.sleep(1000, signal).catch(() => undefined)
        read = await answer()
      }
      return read
    }
    return {
      can: async () => true,
      branches: {
        tip: (branch, patience) => patiently(() => this.tips.get(branch) ?? ('withheld' as const), patience),
        isGone: async () => false,
      },
      files: { read: async () => 'absent' },
      people: { mayWrite: async () => true, react: async () => undefined },
      issues: { find: async () => 'absent', upsert: async () => undefined, close: async () => 'absent' },
      pullRequests: {
        get: (number, patience) => patiently(() => this.pulls.get(number) ?? ('absent' as const), patience),
        mayRead: () => true,
        list: (state) => call(() => [...this.pulls.values()].filter(({ open }) => open || state === 'all')),
        changedFiles: async () => undefined,
        changedBetween: async () => undefined,
        timeline: async () => undefined,
      },
      comments: {
        add: async () => undefined,
        upsert: ({ pullRequest, fold, create }) =>
          call(() => {
            const body = this.cards.get(pullRequest)
            if (body === undefined && create === false) return undefined
            this.cards.set(pullRequest, fold(body === undefined ? [] : [body]).body)
            return { id: pullRequest, url: '', outcome: 'updated' as const }
          }),
      },
      records: {
        jobHasEnvironment: async () => false,
        open: ({ task, sha }) =>
          call(() => {
            const record: VirtualRecord = { id: ++this.#ids, task, sha, states: [] }
            this.records.push(record)
            return record.id
          }),
        setStatus: async (id, { state }) =>
          (await call(() => {
            this.records.find((record) => record.id === id)?.states.push(state)
            return true
          })) ?? false,
        outcomeOf: async (task, sha) => {
          const newest = await call(() => this.records.findLast((record) => record.task === task && record.sha === sha))
          if (newest?.states.includes('success')) return 'worked'
          return newest?.states.some((state) => state === 'failure' || state === 'error') ? 'failed' : undefined
        },
        retireOlder: async (task, keepId) => {
          await call(() => {
            for (const record of this.records)
              if (record.task === task && record.id < keepId && record.states.at(-1) === 'success')
                record.states.push('inactive')
          })
        },
        unfinished: (task, sha) =>
          call(
            () =>
              this.records.findLast(
                (record) =>
                  record.task === task && record.sha === sha && !record.states.some((state) => ended.test(state)),
              )?.id,
          ),
        tasksIn: () => call(() => [...new Set(this.records.map(({ task }) => task))]),
        remove: (task) =>
          call(() => {
            const before = this.records.length
            this.records = this.records.filter((record) => record.task !== task)
            return { removed: before - this.records.length, left: 0 }
          }),
      },
    }
  }
}

/** A commit's SHA made of a text. */
export function commitOf(text: string): string {
  return createHash('sha1').update(text).digest('hex')
}
