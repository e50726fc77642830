import * as core from '@actions/core'
import { looksSecret } from '../core/looks-secret.ts'
import { passwordsIn, secretForms } from '../core/redact.ts'
import type { Variables } from '../plan/variables.ts'

/** What the runner stars in the log from the moment it is told. */
export interface Masks {
  /** Stars a secret: as it is, line by line, and in the forms in which it may turn up elsewhere. */
  add(secret: string): void
  /** Stars those values that are secret by name or by look. */
  addVariables(variables: Variables): void
  /** Every secret so far, and the password of each that is a URL, without their other forms. */
  readonly values: readonly string[]
  /** Whether a text holds something starred, in which case the runner drops an output made of it. */
  hides(text: string): boolean
}

/** Tells the runner of secrets. `register` is for tests; the runner is told by a command in the log. */
export function openMasks(register: (value: string) => void = core.setSecret): Masks {
  const values = new Set<string>()
  const forms = new Set<string>()
  const add = (secret: string): void => {
    if (secret.trim() === '') return
    for (const value of [secret, ...passwordsIn(secret)]) values.add(value)
    for (const form of [secret, ...secretForms([secret])]) {
      if (forms.has(form)) continue
      forms.add(form)
      register(form)
    }
  }
  return {
    add,
    addVariables(variables) {
      for (const [name, value] of variables) {
        const text = value.reveal()
        if (looksSecret(name, text)) add(text)
      }
    },
    get values() {
      return [...values]
    },
    hides: (text) => [...forms].some((form) => text.includes(form)),
  }
}
