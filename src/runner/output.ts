import { writeFileSync } from 'node:fs'
import * as core from '@actions/core'
import type { Annotation } from '../core/errors.ts'
import { errorMessage } from '../core/errors.ts'
import type { JobEnvironment } from '../core/http.ts'
import { createRedactor, passwordsIn, redactValue, secretForms } from '../core/redact.ts'
import { harmlessLine, harmlessText } from '../core/sanitize.ts'
import { isHarmless, looksSecret } from '../core/secret.ts'
import type { OutputName } from '../plan/setting-table.ts'
import { isMark, type Variables } from '../plan/variables.ts'

/** The run's log. Every text may hold words of strangers (titles, branches), so nothing in it can act as a command. */
export function openLog() {
  return {
    startGroup: (title: string) => core.startGroup(harmlessLine(title)),
    endGroup: () => core.endGroup(),
    info: (text: string) => core.info(harmlessText(text)),
    // These are commands themselves, in which the library escapes whatever the text holds.
    debug: (text: string) => core.debug(text),
    notice: (text: string) => core.notice(text),
    warning: (text: string) => core.warning(text),
    /** One line written by somebody else: a build log, an answer. */
    untrusted: (line: string) => core.info(harmlessLine(line)),
  }
}

/** GitHub shows ten annotations of a level for each step, and drops the rest. */
const most = 10

const writers = { error: core.error, warning: core.warning, notice: core.notice }

/** Attaches findings to the files of the repository, the most telling first. */
export function writeAnnotations(annotations: readonly Annotation[]): void {
  for (const { level, title, message, file, line, column } of annotations.slice(0, most)) {
    const place = { ...(file && { file }), ...(line && { startLine: line }), ...(column && { startColumn: column }) }
    writers[level](message, { title, ...place })
  }
}

/**
 * Sets outputs as soon as they are known. One that contains a masked value does not leave its job, for the runner
 * drops it without a word; that word is said here, once for each.
 */
export function openOutputs(masks: Pick<Masks, 'hides'>, warning: (text: string) => void) {
  const warned = new Set<OutputName>()
  return (name: OutputName, value: string | number): void => {
    core.setOutput(name, value)
    if (warned.has(name) || !masks.hides(String(value))) return
    warned.add(name)
    warning(
      `The output ${name} contains a value that is masked as a secret, so it will not be passed on to other jobs. ` +
        'Look for a secret that is part of a name or URL, and make it a plain variable or choose another name.',
    )
  }
}

/** GitHub refuses the summary of a step beyond this. */
const longestBytes = 1024 * 1024

/**
 * Writes the job summary of this step, in place of what it wrote before. A summary is decoration: where it cannot be
 * written, that is a warning.
 */
export function writeSummary(environment: JobEnvironment, markdown: string, warning: (text: string) => void): void {
  const path = environment.GITHUB_STEP_SUMMARY
  // Runners before 2.294 and GitHub Enterprise Server before 3.6 have none.
  if (!path) return
  if (Buffer.byteLength(markdown) > longestBytes) {
    warning('The job summary was left out because it is longer than the 1 MiB that is allowed.')
    return
  }
  try {
    writeFileSync(path, markdown)
  } catch (error) {
    warning(`The job summary could not be written: ${errorMessage(error)}`)
  }
}

/** The properties of reports that say what they are about; none of them holds words of an app or of an error. */
const identities = new Set([
  ...['kind', 'action', 'status', 'phase', 'result', 'verdict', 'level', 'updatedAt', 'startedAt', 'sinceIso'],
  ...['service', 'place', 'target', 'url', 'runUrl', 'commit', 'supersededBy', 'branch', 'snapshot'],
])

/** What the runner masks in the log from the moment it is told. */
export type Masks = ReturnType<typeof openMasks>

/** Tells the runner of secrets. `register` is for tests; the runner is told by a command in the log. */
export function openMasks(register: (value: string) => void = core.setSecret) {
  const given = new Set<string>()
  const spared: string[] = []
  let redactor = { for: 0, redact: (text: string) => text }
  const values = new Set<string>()
  const forms = new Set<string>()
  /** Masks a secret: as it is, line by line, and in the forms in which it may turn up elsewhere. */
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
    /** Masks those values that are secret by name or by look. */
    addVariables: (variables: Variables): void => {
      for (const [name, value] of variables) {
        // A branch may be called like a word of any message.
        if (isMark(name)) continue
        const text = value.reveal()
        if (looksSecret(name, text)) add(text)
        else if (!isHarmless(text)) given.add(text)
      }
    },
    /** Every secret so far, and the password of each that is a URL, without their other forms. */
    get values(): readonly string[] {
      return [...values]
    },
    /** Names and addresses of what the run is about, which stand on every page of it: a value that is part of one is none to hide. */
    spare: (names: readonly (string | undefined)[]): void => {
      spared.push(...names.filter((name) => name !== undefined))
    },
    /**
     * Masks, in a text or in every text of a report, each value that variables were given, whatever its name: for what
     * leaves the run's own log, where the runner masks nothing. What a report is about by name or address stays.
     */
    redact: <T>(value: T): T => {
      const known = values.size + given.size + spared.length
      if (redactor.for !== known) {
        const isSpared = (text: string) => spared.some((name) => name.includes(text.trim().replace(/\/$/, '')))
        const hidden = [...given].filter((text) => !isSpared(text))
        redactor = { for: known, redact: createRedactor([...values, ...hidden]) }
      }
      return redactValue(value, redactor.redact, identities)
    },
    /** Whether a text holds something masked, in which case the runner drops an output made of it. */
    hides: (text: string): boolean => [...forms].some((form) => text.includes(form)),
  }
}

const stateName = 'open-deployment'

/** Saves for the post step what would be left open if this process were killed now. */
export function saveOpenDeployments(open: readonly object[]): void {
  core.saveState(stateName, open.length > 0 ? JSON.stringify(open) : '')
}

/**
 * What main left open, in the post step, as it was saved: the runner hands state to nobody else. Nothing when main ended
 * well, or was killed before it began anything.
 */
export function readOpenDeployments<Saved extends object>(environment: JobEnvironment): readonly Saved[] {
  const text = environment[`STATE_${stateName}`]
  return text ? JSON.parse(text) : []
}
