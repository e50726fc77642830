import { systemClock } from './core/async.ts'
import { errorMessage } from './core/errors.ts'
import { proxiedFetch } from './core/http.ts'
import type { OpenDeployment } from './flows/run.ts'
import { cancelOnSignals } from './runner/cancellation.ts'
import { loadRemains } from './runner/load-run.ts'
import { readOpenDeployments } from './runner/output.ts'

// The runner gives the post step of a cancelled job little time, and a dead GitHub must not use it all.
const callLimitMs = 4000

/** Settles what a cancelled or killed run left open; does nothing after one that ended by itself. */
async function post(): Promise<void> {
  const open = readOpenDeployments<OpenDeployment>(process.env)
  if (open.length === 0) return
  using cancelled = cancelOnSignals(process)
  const { context, token, apiKey, log } = loadRemains(process.env)
  const { owner, name, serverUrl, fullName, apiUrl } = context.repository
  const { openGitHub } = await import('./github/github.ts')
  const { finishInterrupted } = await import('./flows/records.ts')
  const { createSeal } = await import('./report/state.ts')
  const github = openGitHub({
    token: token?.reveal(),
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
  const settled = await finishInterrupted(open, {
    github,
    surroundingsOf: (pullRequest) => ({
      repositoryUrl: `${serverUrl}/${fullName}`,
      pullRequest,
      removal: open.find((one) => one.pullRequest === pullRequest)?.removal,
      seal: createSeal(apiKey, context.repository, pullRequest),
    }),
    comment: open.find((one) => one.comment)?.comment ?? 'sticky',
    now: systemClock.now(),
  })
  for (const { service, status } of settled) log.info(`Marked the deployment of ${service} as ${status}`)
}

post().catch((error: unknown) => {
  // The deployment has its own result by now; what cannot be tidied up here is a warning.
  console.log(
    `::warning::The deployment could not be marked as cancelled: ${errorMessage(error).replaceAll(/[\r\n%]+/g, ' ')}`,
  )
})
