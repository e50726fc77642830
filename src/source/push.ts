import { listBranches, runOnPlatform } from './branches.ts'
import { short } from './choose-commit.ts'
import type { PushRequest, PushResult, SourceOptions } from './contract.ts'
import { classifyFailure, networkError } from './failure.ts'
import { megabytes } from './megabytes.ts'
import type { ObjectStore } from './object-store.ts'
import { parsePackReport, parseProgress } from './push-report.ts'
import { withRetries } from './retry.ts'
import { SourceError } from './source-error.ts'

/** Packs larger than this get lines in the log while they travel. */
const progressFromBytes = 5_000_000
const progressEveryMs = 5_000

/** The answer when nothing needs to travel. */
export const alreadyThere: PushResult = {
  kind: 'already-there',
  incremental: false,
  objects: 0,
  bytes: 0,
  durationMs: 0,
}

/**
 * Makes the branch on the remote, with one push and never by force.
 *
 * @param base `against` is the source commit whose snapshot lies in the store, so that git sends only the difference
 * @throws SourceError `branch-conflict` when the branch names another snapshot; `denied`, `rejected`, `unreachable`
 */
export async function pushSnapshot(
  store: ObjectStore,
  request: PushRequest,
  options: SourceOptions,
  base: {
    readonly against: string | undefined
    /** What to answer when the branch turns out to name another commit. */
    readonly settle: (present: string) => Promise<PushResult>
  },
  signal: AbortSignal,
): Promise<PushResult> {
  const { against, settle } = base
  const { snapshot, remote, branch } = request
  const now = options.now ?? Date.now
  const startedMs = now()
  const what = `The push of ${branch}`
  const args = ['push', '--porcelain', '--progress', '--no-verify', remote.url, `${snapshot.sha}:refs/heads/${branch}`]
  const onMessage = progressLog(options, branch)
  const output = await withRetries({ what, remote, signal }, options, () =>
    runOnPlatform(store, remote, args, { signal, onMessage }),
  )
  const result = (kind: PushResult['kind'], pack: { objects: number; bytes: number }): PushResult => ({
    kind,
    incremental: against !== undefined,
    ...pack,
    durationMs: now() - startedMs,
    ...(against === undefined ? {} : { against }),
  })
  if (output.exitCode === 0) {
    // "=": the branch was there already, made by a run that started at the same moment or by a try that seemed to fail.
    return result(/^=\t/m.test(output.stdout) ? 'already-there' : 'pushed', parsePackReport(output.stderr))
  }
  const failure = classifyFailure(output)
  if (failure.kind === 'rejected') {
    const present = (await listBranches(store, remote, options, signal)).get(branch)
    if (present === snapshot.sha) return result('already-there', { objects: 0, bytes: 0 })
    if (present !== undefined) return await settle(present)
  }
  throw networkError(what, failure, remote, largestFiles(request))
}

export function branchConflict({ branch, snapshot }: PushRequest, present: string): SourceError {
  return new SourceError(
    'branch-conflict',
    `The branch ${branch} is on the remote already, with another snapshot (${short(present)}) of the same commit ` +
      `than this one (${short(snapshot.sha)}). It was not overwritten.`,
    {
      hint:
        'Its name stands for one commit, so something else wrote to it, or it was made under another ref. ' +
        'Delete the branch on ml.ink and run the workflow again, or push a new commit.',
    },
  )
}

function progressLog({ log, now = Date.now }: SourceOptions, branch: string): (line: string) => void {
  let lastMs = Number.NEGATIVE_INFINITY
  return (line) => {
    const progress = parseProgress(line)
    if (progress === undefined || progress.bytes < progressFromBytes) return
    if (now() - lastMs < progressEveryMs && !line.endsWith('done.')) return
    lastMs = now()
    log.info(`${branch}: ${megabytes(progress.bytes)} sent (${progress.percent} % of the objects)`)
  }
}

function largestFiles({ snapshot }: PushRequest): string {
  return ` Its largest files: ${snapshot.largest.map((file) => `${file.path} (${megabytes(file.bytes)})`).join(', ')}.`
}
