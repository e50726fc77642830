import type { ActionFile } from './action-file.ts'
import type { Job } from './job.ts'
import type { RunOptions } from './run-options.ts'
import type { StepLog } from './step-log.ts'

/** The lines every step's log begins with: what is run, and with what; then warnings about inputs. */
export function introduce(log: StepLog, job: Job, options: RunOptions): void {
  log.print(`##[group]Run ${job.file.name}`)
  printPairs(log, 'with:', options.with)
  printPairs(log, 'env:', options.env)
  log.print('##[endgroup]')
  warnOfDeprecated(log, job.file, options.with ?? {})
  warnOfUnexpected(log, job)
}

function printPairs(log: StepLog, heading: string, values: Readonly<Record<string, string>> = {}): void {
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

function warnOfUnexpected(log: StepLog, job: Job): void {
  if (job.unexpected.length === 0) return
  const quoted = (names: readonly string[]) => names.map((name) => `'${name}'`).join(', ')
  const valid = quoted(Object.keys(job.file.inputs ?? {}))
  log.annotate({
    level: 'warning',
    message: `Unexpected input(s) ${quoted(job.unexpected)}, valid inputs are [${valid}]`,
  })
}
