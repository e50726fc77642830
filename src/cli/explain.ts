import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import * as z from 'zod'
import { DeployError, errorMessage } from '../core/errors.ts'
import { sanitize } from '../core/sanitize.ts'
import { type Diagnosis, diagnose, type Failure, type SourceAnnotation } from '../diagnosis/diagnose.ts'
import { type Command, onOff, readOptions, wrongUse } from './command.ts'

const USAGE = `Usage: ink-deploy explain [options] [FILE]

Says why a build or a start failed: reads its log from FILE, or from standard input, and prints the cause, what to do
about it, the lines that show it and the places in the source.

  --run              the log is of the application itself, not of its build
  --json             print JSON: {cause, hint, decisive, annotations}. A FILE in JSON may hold more than one log:
                     {phase, status, errorMessage, deployLogs, runtimeLogs, files}
  --help             show this
`

/** `ink-deploy explain`. */
export const explainCommand: Command = {
  summary: 'say why a build or a start failed, from its log',
  async run(args, host) {
    const options = { json: onOff, run: onOff }
    const { values, operand: file } = readOptions(args, { command: 'explain', options, operand: 'FILE' })
    if (values.help) return void host.stdout.write(USAGE)
    const log = file === undefined || file === '-' ? await text(host.stdin) : await contentOf(file)
    const diagnosis = diagnose(failureOf(log, file, values.run))
    host.stdout.write(values.json ? inJson(diagnosis) : inText(diagnosis))
  },
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new DeployError(`${file} could not be read`, { cause, hint: 'Name the file of a log, or pipe the log in.' })
  }
}

/** A log as it is, or several with what is known of them, in JSON. */
function failureOf(content: string, file: string | undefined, run: boolean): Failure {
  if (/^\s*\{/.test(content) && (file === undefined || file.endsWith('.json'))) {
    try {
      return failureIn(JSON.parse(content), sanitize)
    } catch (error) {
      // A log whose first line happens to be JSON is a log.
      if (file !== undefined) throw wrongUse('explain', `${file} does not describe a failure: ${errorMessage(error)}`)
    }
  }
  const lines = content.split('\n').map(sanitize)
  const logs = run ? { deployLogs: [], runtimeLogs: lines } : { deployLogs: lines, runtimeLogs: [] }
  return { phase: run ? 'run' : 'build', status: run ? 'crashed' : 'failed', errorMessage: undefined, ...logs }
}

const lines = z.array(z.string()).default([])

const CASE = z.object({
  phase: z.enum(['build', 'run']).optional(),
  status: z.enum(['failed', 'crashed', 'timed-out', 'unhealthy', 'cancelled']).default('failed'),
  errorMessage: z.string().nullish(),
  deployLogs: lines,
  runtimeLogs: lines,
  rootDirectory: z.string().optional(),
  files: z.array(z.string()).optional(),
})

/** The failure that parsed JSON describes. @throws Error that names what is wrong with it */
export function failureIn(json: unknown, sanitize: (line: string) => string): Failure {
  const read = CASE.safeParse(json)
  if (!read.success) throw new Error(z.prettifyError(read.error))
  const { phase, status, errorMessage, deployLogs, runtimeLogs, rootDirectory, files } = read.data
  return {
    phase,
    status,
    errorMessage: errorMessage ? sanitize(errorMessage) : undefined,
    deployLogs: deployLogs.map(sanitize),
    runtimeLogs: runtimeLogs.map(sanitize),
    ...(rootDirectory === undefined ? {} : { rootDirectory }),
    ...(files === undefined ? {} : { files: new Set(files) }),
  }
}

function inJson({ cause, hint, decisive, annotations }: Diagnosis): string {
  return `${JSON.stringify({ cause, hint, decisive, annotations }, undefined, 2)}\n`
}

function inText({ cause, hint, decisive, annotations }: Diagnosis): string {
  const blocks = [`Why:        ${cause}`, `What to do: ${hint}`]
  if (annotations.length > 0) blocks.push(['Where:', ...annotations.map((each) => `  ${placeOf(each)}`)].join('\n'))
  if (decisive.length > 0) blocks.push(['In the log:', ...decisive.map((line) => `  ${line}`)].join('\n'))
  return `${blocks.join('\n\n')}\n`
}

function placeOf({ file, line, column, message }: SourceAnnotation): string {
  return `${[file, line, column].filter((part) => part !== undefined).join(':')}  ${message}`
}
