import type { GitHub, Repository } from '../github/github.ts'

/** A workflow's or job's `concurrency:`. */
export interface Concurrency {
  readonly group: string
  readonly cancelInProgress?: boolean
}

/** What is going on in one group: one run, and at most one that waits for it. */
interface Group {
  running: Turn | undefined
  waiting: Turn | undefined
}

interface Turn {
  readonly begin: () => void
  readonly cancel: (reason: string) => void
}

const groups = new WeakMap<GitHub, Map<string, Group>>()

/**
 * Waits until a run may begin and returns how to say that it has ended. A run that waits is cancelled by the next one of
 * its group; one that is going on is cancelled only where the newer one says `cancel-in-progress`.
 * Source: GitHub's documentation, “Control the concurrency of workflows and jobs”; names are compared without case.
 *
 * @param cancelRunning - cancels this run once it has begun
 * @throws when the run was cancelled while it waited
 */
export async function enterGroup(
  github: GitHub,
  repository: Repository,
  concurrency: Concurrency,
  cancelRunning: () => void,
): Promise<() => void> {
  const all = groups.get(github) ?? new Map<string, Group>()
  groups.set(github, all)
  const key = `${repository.id}/${concurrency.group.toLowerCase()}`
  const group = all.get(key) ?? { running: undefined, waiting: undefined }
  all.set(key, group)
  const mine = { cancel: cancelRunning, begin: () => undefined }
  if (group.running) {
    group.waiting?.cancel(`a newer run waits for the concurrency group ${concurrency.group}`)
    if (concurrency.cancelInProgress) group.running.cancel('')
    await new Promise<void>((begin, reject) => {
      group.waiting = { begin, cancel: (reason) => reject(new Error(`GitHub cancelled this run: ${reason}.`)) }
    })
    group.waiting = undefined
  }
  group.running = mine
  return () => {
    group.running = undefined
    group.waiting?.begin()
  }
}
