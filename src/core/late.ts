// What is opened when it is first needed, so that a run loads and connects to no more than its plan takes.

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

/** Something that stays open at least as long as this is held. */
export interface Held<T> extends AsyncDisposable {
  readonly value: Promise<T>
}

/**
 * What several use at the same time: opened for the first of them, and closed after the last. Where opening it fails, whoever
 * comes next tries again.
 * @param open gets a signal that aborts when nobody waits for it any more
 * @returns takes hold of it
 */
export function shared<T>(
  open: (signal: AbortSignal) => Promise<T>,
  close: (opened: T) => Promise<void>,
): () => Held<T> {
  const begin = () => {
    const givenUp = new AbortController()
    const opening = { value: open(givenUp.signal), giveUp: () => givenUp.abort() }
    opening.value.then(
      () => {
        opening.giveUp = () => undefined
      },
      // Whoever waits for it is told; nobody has to.
      () => {
        if (current === opening) current = undefined
      },
    )
    return opening
  }
  let current: ReturnType<typeof begin> | undefined
  let holders = 0
  return () => {
    holders++
    current ??= begin()
    return {
      value: current.value,
      [Symbol.asyncDispose]: async () => {
        holders--
        if (holders > 0 || current === undefined) return
        const last = current
        current = undefined
        last.giveUp()
        await last.value.then(close, () => undefined)
      },
    }
  }
}

/** The names of those methods that return a promise. */
export type AsyncMethods<T> = {
  [N in keyof T]: T[N] extends (...args: never[]) => Promise<unknown> ? N : never
}[keyof T]
