import * as core from '@actions/core'
import type { Variables } from '../plan/settings.ts'
import { looksSecret } from './looks-secret.ts'

/** Shorter lines of a longer secret would star half of the log. */
const shortestPiece = 4

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
    for (const form of formsOf(secret)) {
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

function formsOf(secret: string): readonly string[] {
  const lines = secret
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => line.length >= shortestPiece)
  const forms = [secret, secret.trim(), ...lines, ...passwordsIn(secret)]
  if (secret.length >= 2 * shortestPiece) {
    forms.push(Buffer.from(secret).toString('base64'), Buffer.from(secret.trim()).toString('base64'))
    forms.push(encodeURIComponent(wellFormed(secret)), JSON.stringify(secret).slice(1, -1))
  }
  return [...new Set(forms)]
}

/** Lone surrogates, which cannot be encoded, become the replacement character, as they do in every UTF-8 output. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}

/** The password of a URL, which drivers print on its own when they fail to connect. */
function passwordsIn(secret: string): string[] {
  const password = URL.canParse(secret) ? new URL(secret).password : ''
  return [password, decoded(password)].filter((text) => text.length >= shortestPiece)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign: then the password is what it is.
    return text
  }
}
