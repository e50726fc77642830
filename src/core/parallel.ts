/** How many calls may be under way at once: the platform throttles an account that asks for more. */
export const callsAtOnce = 5

/**
 * Does the same for each item, a few at a time, in order of the items.
 * One that fails does not stop the others: each result is settled.
 */
export async function settleEach<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  atOnce: number = callsAtOnce,
): Promise<PromiseSettledResult<R>[]> {
  const results: PromiseSettledResult<R>[] = []
  const queue = items.entries()
  const worker = async () => {
    for (const [index, item] of queue) {
      ;[results[index]] = (await Promise.allSettled([act(item)])) as [PromiseSettledResult<R>]
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker))
  return results
}

/** {@link settleEach} by how it went: what came of those that were done, and the others with their errors. */
export async function tryEach<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  signal: AbortSignal,
): Promise<{ readonly done: readonly R[]; readonly failed: readonly { readonly item: T; readonly error: unknown }[] }> {
  const ends = await settleEach(items, act)
  signal.throwIfAborted()
  const done = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []))
  const failed = ends.flatMap((end, index) =>
    end.status === 'rejected' ? [{ item: items[index] as T, error: end.reason as unknown }] : [],
  )
  return { done, failed }
}

/** The same for those that are all needed: the first failure is thrown, once all have ended. */
export async function doEach<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  signal: AbortSignal,
): Promise<readonly R[]> {
  const { done, failed } = await tryEach(items, act, signal)
  if (failed[0]) throw failed[0].error
  return done
}

/**
 * Runs two things at the same time. When one fails the other is told to stop, and the first failure is thrown once both
 * have ended, so that nothing works on in the background.
 */
export async function bothOf<A, B>(
  signal: AbortSignal,
  first: (signal: AbortSignal) => Promise<A>,
  second: (signal: AbortSignal) => Promise<B>,
): Promise<[A, B]> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  let cause: unknown
  const guarded = async <T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await act(either)
    } catch (error) {
      cause ??= error
      stop.abort(error)
      throw error
    }
  }
  const [a, b] = await Promise.allSettled([guarded(first), guarded(second)])
  if (a.status === 'rejected' || b.status === 'rejected') throw cause
  return [a.value, b.value]
}

/** Lets only so many pieces of work be under way at once, in the order in which they came. */
export function inTurns(atOnce: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let free = atOnce
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((go) => waiting.push(go))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }
}

/**
 * Methods of a port whose code is loaded when one of them is first called. Only such can be named as return a promise.
 *
 * @param open is called once
 */
export function late<T extends object, N extends AsyncMethods<T>>(
  open: () => Promise<T>,
  ...names: readonly N[]
): Pick<T, N> {
  let opened: Promise<T> | undefined
  const method = (name: N) => {
    return async (...args: readonly unknown[]): Promise<unknown> => {
      opened ??= open()
      const port = await opened
      return (port[name] as (...given: readonly unknown[]) => unknown)(...args)
    }
  }
  return Object.fromEntries(names.map((name) => [name, method(name)])) as unknown as Pick<T, N>
}

/** The names of those methods that return a promise. */
export type AsyncMethods<T> = {
  [N in keyof T]: T[N] extends (...args: never[]) => Promise<unknown> ? N : never
}[keyof T]
