import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Masker } from './masker.ts'
import type { StepLog } from './step-log.ts'

/** A summary may be this large; a larger one is not shown at all. */
const SUMMARY_LIMIT_BYTES = 1024 * 1024

/** The files by which a step speaks to the runner. */
export interface FileCommands {
  /** `GITHUB_OUTPUT`, `GITHUB_STATE`, `GITHUB_ENV`, `GITHUB_PATH`, `GITHUB_STEP_SUMMARY` */
  readonly environment: Readonly<Record<string, string>>
}

export interface FileCommandResults {
  readonly paths: readonly string[]
  /** Secrets hidden; empty when there was none, or when it was too large. */
  readonly summary: string
}

/**
 * Makes fresh, empty files for a step.
 *
 * @param summaryFile - the one that all steps of the job append to, where the runner has no summary for each
 */
export async function createFileCommands(temporaryDirectory: string, summaryFile?: string): Promise<FileCommands> {
  const directory = join(temporaryDirectory, '_runner_file_commands')
  await mkdir(directory, { recursive: true })
  const suffix = randomUUID()
  const file = (prefix: string) => join(directory, `${prefix}${suffix}`)
  const environment = {
    GITHUB_OUTPUT: file('set_output_'),
    GITHUB_STATE: file('save_state_'),
    GITHUB_ENV: file('set_env_'),
    GITHUB_PATH: file('add_path_'),
    GITHUB_STEP_SUMMARY: file('step_summary_'),
  }
  await Promise.all(Object.values(environment).map((path) => writeFile(path, '')))
  return { environment: summaryFile === undefined ? environment : { ...environment, GITHUB_STEP_SUMMARY: summaryFile } }
}

/** Reads the files after a step has ended, into its log's outputs, state and environment. */
export async function processFileCommands(
  commands: FileCommands,
  log: StepLog,
  masker: Masker,
): Promise<FileCommandResults> {
  const { environment } = commands
  await readPairs(environment.GITHUB_OUTPUT, 'output', log, log.outputs)
  await readPairs(environment.GITHUB_STATE, 'state', log, log.state)
  await readPairs(environment.GITHUB_ENV, 'env', log, log.environment)
  if (log.environment.delete('NODE_OPTIONS')) {
    log.annotate({ level: 'error', message: "Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command." })
  }
  const paths = (await readOrEmpty(environment.GITHUB_PATH)).split('\n').filter((line) => line !== '')
  return { paths, summary: await readSummary(environment.GITHUB_STEP_SUMMARY, log, masker) }
}

async function readPairs(
  path: string | undefined,
  what: string,
  log: StepLog,
  into: Map<string, string>,
): Promise<void> {
  const result = parsePairs(await readOrEmpty(path))
  for (const [name, value] of result.pairs) into.set(name, value)
  if (result.problem === undefined) return
  log.annotate({ level: 'error', message: `Unable to process file command '${what}' successfully.` })
  log.annotate({ level: 'error', message: result.problem })
  log.commandFailed = true
}

/**
 * Reads `name=value` lines and `name<<delimiter` blocks. What was read before a mistake counts.
 * Source: actions/runner, `EnvFileKeyValuePairs`.
 */
export function parsePairs(text: string): {
  readonly pairs: readonly (readonly [string, string])[]
  readonly problem: string | undefined
} {
  const pairs: (readonly [string, string])[] = []
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  for (let index = 0; index < lines.length; index += 1) {
    const line = lines[index] ?? ''
    if (line === '') continue
    const equals = line.indexOf('=')
    const heredoc = line.indexOf('<<')
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      if (equals === 0) return { pairs, problem: `Invalid format '${line}'. Name must not be empty` }
      pairs.push([line.slice(0, equals), line.slice(equals + 1)])
    } else if (heredoc >= 0) {
      const name = line.slice(0, heredoc)
      const delimiter = line.slice(heredoc + 2)
      if (name === '' || delimiter === '') {
        return { pairs, problem: `Invalid format '${line}'. Name must not be empty and delimiter must not be empty` }
      }
      const end = lines.indexOf(delimiter, index + 1)
      if (end < 0) return { pairs, problem: `Invalid value. Matching delimiter not found '${delimiter}'` }
      pairs.push([name, lines.slice(index + 1, end).join('\n')])
      index = end
    } else return { pairs, problem: `Invalid format '${line}'` }
  }
  return { pairs, problem: undefined }
}

async function readSummary(path: string | undefined, log: StepLog, masker: Masker): Promise<string> {
  const summary = await readOrEmpty(path)
  const size = Buffer.byteLength(summary)
  if (size > SUMMARY_LIMIT_BYTES) {
    const message = `$GITHUB_STEP_SUMMARY upload aborted, supports content up to a size of ${SUMMARY_LIMIT_BYTES / 1024}k, got ${Math.floor(size / 1024)}k. For more information see: https://docs.github.com/actions/using-workflows/workflow-commands-for-github-actions#adding-a-markdown-summary`
    log.annotate({ level: 'error', message })
    return ''
  }
  return summary
    .split('\n')
    .map((line) => masker.mask(line))
    .join('\n')
}

/** A step may delete its files; for the runner they are then empty. */
async function readOrEmpty(path: string | undefined): Promise<string> {
  if (path === undefined) return ''
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
