/**
 * The unpleasant things a stand-in can be told to do, each by name, countable and timed.
 * A stand-in asks at the moment when a fault could strike; a fault nobody asks for changes nothing.
 */

/** When and how often a fault strikes; every further property is a detail that the fault itself understands. */
export interface FaultOptions {
  /** Strikes this many times, then never again. Default: until cleared. */
  readonly times?: number
  /** Lets this many calls pass unharmed first. Default: 0. */
  readonly after?: number
  /** Strikes only within this many milliseconds from being set. Default: no end. */
  readonly forMs?: number
  readonly [detail: string]: unknown
}

/** A fault that has just struck, with the details it was set with. */
export interface StruckFault<Name extends string = string> {
  readonly name: Name
  readonly options: FaultOptions
}

export interface FaultRegistry<Name extends string = string> {
  /** Arms a fault. Several of one name queue up: the first one not yet used up strikes. */
  set(name: Name, options?: FaultOptions): void
  /**
   * Asks whether a fault strikes on this occasion, and counts the occasion.
   * With `matches`, only faults whose options it accepts are asked and counted (say, those meant for one tool).
   */
  strike(name: Name, matches?: (options: FaultOptions) => boolean): StruckFault<Name> | undefined
  /** The faults that may still strike, in the order they were set. */
  armed(): readonly StruckFault<Name>[]
  /** Disarms all faults, or those of one name. */
  clear(name?: Name): void
}

interface ArmedFault<Name extends string> {
  readonly name: Name
  readonly options: FaultOptions
  readonly setAtMs: number
  passes: number
  strikesLeft: number
}

/**
 * Makes a registry that knows the given faults only, so that a misspelt one is an error instead of a test that proves nothing.
 *
 * @param known - the fault names with what each one does, for the error text and for documentation
 * @param nowMs - the clock that `forMs` is measured with
 */
export function createFaultRegistry<Name extends string>(
  known: Readonly<Record<Name, string>>,
  nowMs: () => number = Date.now,
): FaultRegistry<Name> {
  let faults: ArmedFault<Name>[] = []

  const alive = (fault: ArmedFault<Name>): boolean =>
    fault.strikesLeft > 0 && (fault.options.forMs === undefined || nowMs() - fault.setAtMs <= fault.options.forMs)

  return {
    set(name, options = {}) {
      if (!Object.hasOwn(known, name)) {
        throw new Error(`There is no fault named "${name}". Known faults: ${Object.keys(known).sort().join(', ')}.`)
      }
      const strikesLeft = options.times ?? Number.POSITIVE_INFINITY
      faults.push({ name, options, setAtMs: nowMs(), passes: options.after ?? 0, strikesLeft })
    },

    strike(name, matches = () => true) {
      faults = faults.filter(alive)
      const fault = faults.find((candidate) => candidate.name === name && matches(candidate.options))
      if (fault === undefined) return undefined
      if (fault.passes > 0) {
        fault.passes -= 1
        return undefined
      }
      fault.strikesLeft -= 1
      return { name, options: fault.options }
    },

    armed() {
      faults = faults.filter(alive)
      return faults.map(({ name, options }) => ({ name, options }))
    },

    clear(name) {
      faults = name === undefined ? [] : faults.filter((fault) => fault.name !== name)
    },
  }
}
