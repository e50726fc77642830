import { inspect } from 'node:util'

const hidden = '[secret]'

/** A value that shows itself only when asked by name: printing, dumping or serialising its owner gives it away nowhere. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value. Whoever calls this answers for where it goes. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [inspect.custom](): string {
    return hidden
  }
}
