import type { ActionFile } from './action-file.ts'
import type { Job } from './job.ts'
import type { StepLog } from './step-log.ts'

/** The lines every step's log begins with: what is run, and with what; then warnings about inputs. */
export function introduce(log: StepLog, job: Job): void {
  log.print(`##[group]Run ${job.file.name}`)
  printPairs(log, 'with:', job.given)
  printPairs(log, 'env:', job.env)
  log.print('##[endgroup]')
  warnOfDeprecated(log, job.file, job.given)
  warnOfUnexpected(log, job.file, job.given)
}

function printPairs(log: StepLog, heading: string, values: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(values)
  if (pairs.length > 0) log.print(heading)
  for (const [name, value] of pairs) {
    for (const line of `${name}: ${value}`.split('\n')) log.print(`  ${line}`)
  }
}

function warnOfDeprecated(log: StepLog, file: ActionFile, given: Readonly<Record<string, string>>): void {
  const names = new Set(Object.keys(given).map((name) => name.toLowerCase()))
  for (const [name, input] of Object.entries(file.inputs ?? {})) {
    if (input?.deprecationMessage === undefined || !names.has(name.toLowerCase())) continue
    const message = `Input '${name}' has been deprecated with message: ${input.deprecationMessage}`
    log.annotate({ level: 'warning', message })
  }
}

function warnOfUnexpected(log: StepLog, file: ActionFile, given: Readonly<Record<string, string>>): void {
  const valid = Object.keys(file.inputs ?? {})
  const known = new Set(valid.map((name) => name.toLowerCase()))
  const unexpected = Object.keys(given).filter((name) => !known.has(name.toLowerCase()))
  if (unexpected.length === 0) return
  const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ')
  const message = `Unexpected input(s) ${quoted(unexpected)}, valid inputs are [${quoted(valid)}]`
  log.annotate({ level: 'warning', message })
}
