import { z } from 'zod'
import type { Failure } from '../diagnosis/diagnose.ts'

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

/** A failure as a file may describe it. */
export type Case = z.infer<typeof CASE>

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
