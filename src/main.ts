import { setFailed, setOutput } from '@actions/core'
import { buildDeps } from './adapters.ts'
import { DeployError, errorMessage } from './core/errors.ts'
import { publish, runAction } from './flows/run-action.ts'
import { Cancelled, cancelOnSignals } from './runner/cancellation.ts'
import { loadRun, readWorkflowFiles } from './runner/load-run.ts'
import { saveOpenDeployments, writeAnnotations, writeSummary } from './runner/output.ts'

async function main(): Promise<void> {
  const startedAt = new Date().toISOString()
  using cancelled = cancelOnSignals(process)
  const run = await loadRun(process.env)
  const deps = buildDeps({
    ...run,
    remember: saveOpenDeployments,
    workflowFiles: () => readWorkflowFiles(run.context.workspace),
    startedAt,
    signal: cancelled.signal,
  })
  const outcome = await runAction(deps)
  await publish(outcome, deps, {
    annotate: writeAnnotations,
    writeSummary: (markdown) => writeSummary(process.env, markdown, deps.log.warning),
  })
  if (outcome.failure) fail(outcome.failure, run.redact)
}

/** The message becomes an annotation, which more people read than the log. */
function fail(error: unknown, redact = (text: string) => text): void {
  const hint = error instanceof DeployError && error.hint ? `\n${error.hint}` : ''
  setFailed(redact(`${errorMessage(error)}${hint}`))
}

function ended(error: unknown): void {
  const cancelled = error instanceof Cancelled
  // Whoever reads the outputs afterwards wants to know most of all when something went wrong.
  setOutput('status', cancelled ? 'cancelled' : 'failed')
  // The post step settles what is left open: the runner gives a cancelled step only seconds.
  if (cancelled) process.exitCode = 1
  else fail(error)
}

// The post step is started with this file as well, which has all that both need (scripts/build.ts).
if (process.argv[2] === 'post') void import('./post.ts')
else main().catch(ended)
