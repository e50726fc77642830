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
