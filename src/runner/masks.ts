import * as core from '@actions/core'
import { isHarmless, looksSecret } from '../core/looks-secret.ts'
import { createRedactor, passwordsIn, redactValue, secretForms } from '../core/redact.ts'
import type { Variables } from '../plan/variables.ts'

/** What the runner stars in the log from the moment it is told. */
export interface Masks {
  /** Stars a secret: as it is, line by line, and in the forms in which it may turn up elsewhere. */
  add(secret: string): void
  /** Stars those values that are secret by name or by look. */
  addVariables(variables: Variables): void
  /** Every secret so far, and the password of each that is a URL, without their other forms. */
  readonly values: readonly string[]
  /** Names and addresses of what the run is about, which stand on every page of it: a value that is part of one is none to hide. */
  spare(names: readonly (string | undefined)[]): void
  /**
   * Stars in a text, or in every text of a report, each value that variables were given, whatever its name: for what
   * leaves the run's own log, where the runner stars nothing. What a report is about by name or address stays.
   */
  redact<T>(value: T): T
  /** Whether a text holds something starred, in which case the runner drops an output made of it. */
  hides(text: string): boolean
}

/** The properties of reports that say what they are about; none of them holds words of an app or of an error. */
const identities = new Set([
  ...['kind', 'action', 'status', 'phase', 'result', 'verdict', 'level', 'updatedAt', 'startedAt', 'sinceIso'],
  ...['service', 'place', 'target', 'url', 'runUrl', 'commit', 'supersededBy', 'branch', 'snapshot'],
])

/** Tells the runner of secrets. `register` is for tests; the runner is told by a command in the log. */
export function openMasks(register: (value: string) => void = core.setSecret): Masks {
  const given = new Set<string>()
  const spared: string[] = []
  let redactor = { for: 0, redact: (text: string) => text }
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
        else if (!isHarmless(text)) given.add(text)
      }
    },
    get values() {
      return [...values]
    },
    spare: (names) => spared.push(...names.filter((name) => name !== undefined)),
    redact(value) {
      const known = values.size + given.size + spared.length
      if (redactor.for !== known) {
        const hidden = [...given].filter(
          (text) => !spared.some((name) => name.includes(text.trim().replace(/\/$/, ''))),
        )
        redactor = { for: known, redact: createRedactor([...values, ...hidden]) }
      }
      return redactValue(value, redactor.redact, identities)
    },
    hides: (text) => [...forms].some((form) => text.includes(form)),
  }
}
