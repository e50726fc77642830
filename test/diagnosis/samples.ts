import { readdirSync, readFileSync } from 'node:fs'
import { sanitize } from '../../src/core/sanitize.ts'
import type { Failure } from '../../src/diagnosis/diagnose.ts'

const ROOT = new URL('./samples/', import.meta.url)
/** What is printed while the service runs, not while it is built. */
const RUNTIME: ReadonlySet<string> = new Set(['crash', 'environment', 'database', 'node', 'port', 'python', 'run'])

/** All samples as `folder/name`, sorted. */
export const SAMPLES: readonly string[] = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap(({ name }) => readdirSync(new URL(`${name}/`, ROOT)).map((file) => `${name}/${file.replace(/\.txt$/, '')}`))
  .sort()

/** A sample's lines as the watch hands them on. */
export function sampleLines(sample: string): readonly string[] {
  return readFileSync(new URL(`${sample}.txt`, ROOT), 'utf8')
    .split('\n')
    .map(sanitize)
}

/** A deployment that failed with the sample in its log; `none` for one without any log. */
export function failureOf(sample: string): Failure {
  const [folder = ''] = sample.split('/')
  const lines = sample === 'none' ? [] : sampleLines(sample)
  const running = RUNTIME.has(folder)
  return {
    status: folder === 'port' ? 'timed-out' : running ? 'crashed' : 'failed',
    phase: running ? 'run' : 'build',
    errorMessage: undefined,
    deployLogs: running ? [] : lines,
    runtimeLogs: running ? lines : [],
  }
}
