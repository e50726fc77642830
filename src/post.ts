import { systemClock } from './core/clock.ts'
import { errorMessage } from './core/errors.ts'
import { proxiedFetch } from './core/http.ts'
import { finishInterrupted } from './flows/interrupted.ts'
import { openGitHub } from './github/github.ts'
import { createSeal } from './report/seal.ts'
import { cancelOnSignals } from './runner/cancellation.ts'
import { loadRun } from './runner/load-run.ts'
import { readOpenDeployments } from './runner/output.ts'

// The runner gives the post step of a cancelled job little time, and a dead GitHub must not use it all.
const callLimitMs = 4000

/** Settles what a cancelled or killed run left open; does nothing after one that ended by itself. */
async function post(): Promise<void> {
  const open = readOpenDeployments(process.env)
  if (open.length === 0) return
  using cancelled = cancelOnSignals(process)
  const { context, settings, log } = loadRun(process.env)
  const { owner, name, serverUrl, fullName, apiUrl } = context.repository
  const token = settings.githubToken?.reveal()
  const github = openGitHub({
    token,
    apiUrl,
    owner,
    repo: name,
    log,
    clock: systemClock,
    random: Math.random,
    signal: cancelled.signal,
    callLimitMs,
    fetch: proxiedFetch(process.env),
  })
  const settleDeps = {
    github,
    repositoryUrl: `${serverUrl}/${fullName}`,
    sealOf: (pullRequest: number) => createSeal(settings.apiKey, context.repository, pullRequest),
    comment: settings.comment,
    now: systemClock.now(),
  }
  for (const { service, status } of await finishInterrupted(open, settleDeps))
    log.info(`Marked the deployment of ${service} as ${status}`)
}

post().catch((error: unknown) => {
  // The deployment has its own result by now; what cannot be tidied up here is a warning.
  console.log(
    `::warning::The deployment could not be marked as cancelled: ${errorMessage(error).replaceAll(/[\r\n%]+/g, ' ')}`,
  )
})
