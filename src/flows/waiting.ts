import type { Clock } from '../core/clock.ts'
import type { Platform } from '../ink/platform.ts'

const firstPauseMs = 250
const longestPauseMs = 2000

/**
 * Waits until a deleted service is really gone: deletion is asynchronous, and until it has happened the service is
 * found, billed, and its name refused.
 * @param service the one that was deleted; another one of its name, made by a parallel run, does not count
 * @returns false when it was still there at `deadlineAt` (milliseconds since the epoch)
 */
export async function waitUntilGone(
  platform: Pick<Platform, 'service'>,
  { name, id }: { readonly name: string; readonly id: string | undefined },
  options: { clock: Clock; deadlineAt: number; signal: AbortSignal },
): Promise<boolean> {
  let pauseMs = firstPauseMs
  for (;;) {
    const found = await platform.service(name, {}, options.signal)
    if (!found || (id !== undefined && found.id !== undefined && found.id !== id)) return true
    if (options.clock.now() >= options.deadlineAt) return false
    await options.clock.sleep(pauseMs, options.signal)
    pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)
  }
}
