import { settleEach } from '../core/parallel.ts'
import { safeMessage } from '../core/sanitize.ts'
import { type MonitorMemory, memoryBranch, serviceOfMemoryBranch } from '../plan/monitor-memory.ts'
import type { Place } from '../plan/plan.ts'
import type { FoundRepository } from './previews.ts'
import type { Run } from './run.ts'

/**
 * Puts what is remembered of a service in the place of what was. The new branch is made before the old ones go, so that
 * a run which ends in between loses nothing. What cannot be written is a warning: the monitor is there for the service.
 */
export async function keepMemory(
  run: Run,
  place: Place,
  repository: FoundRepository,
  of: { readonly serviceName: string; readonly memory: MonitorMemory },
): Promise<void> {
  const branch = memoryBranch(of.serviceName, of.memory)
  const old = memoriesIn(repository).filter((name) => serviceOfMemoryBranch(name) === of.serviceName && name !== branch)
  await orWarn(run, async () => {
    await using source = run.openSource(place)
    await source.mark(repository.remote, branch, run.signal)
    if (old.length > 0) await source.deleteBranches(repository.remote, old, run.signal)
  })
}

/** Forgets services that are gone. Whoever's they were: a branch of a service that is there is left alone. */
export async function forgetGone(run: Run, place: Place, repository: FoundRepository): Promise<void> {
  const memories = memoriesIn(repository)
  const services = [...new Set(memories.map((name) => serviceOfMemoryBranch(name) ?? ''))]
  await orWarn(run, async () => {
    const there = await settleEach(services, (name) => run.platform.service(name, {}, run.signal))
    const gone = services.filter((_, index) => {
      const answer = there[index]
      return answer?.status === 'fulfilled' && answer.value === undefined
    })
    const stale = memories.filter((name) => gone.includes(serviceOfMemoryBranch(name) ?? ''))
    if (stale.length === 0) return
    await using source = run.openSource(place)
    await source.deleteBranches(repository.remote, stale, run.signal)
  })
}

function memoriesIn({ branches }: FoundRepository): string[] {
  return [...branches.keys()].filter((name) => serviceOfMemoryBranch(name) !== undefined)
}

async function orWarn(run: Run, act: () => Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    run.signal.throwIfAborted()
    run.log.warning(`What the monitor remembers could not be written: ${safeMessage(run, error)}`)
  }
}
