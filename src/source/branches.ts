import { join } from 'node:path'
import { formatBytes, shortSha } from '../core/format.ts'
import { type DeploymentBranch, parseDeploymentBranch } from '../plan/names.ts'
import { type CommitTime, commitTimes } from './fetch.ts'
import { findBase } from './incremental.ts'
import { writeCommit } from './objects.ts'
import { classifyFailure, type GitRemote, gitError, type NetworkOutput, SourceError } from './remote.ts'
import { listFiles, type MadeSnapshot, type Snapshot } from './snapshot.ts'
import type { GitWorkspace } from './workspace.ts'
import { runOnPlatform } from './workspace.ts'

/**
 * Short branch name → commit. One request; nothing is fetched.
 *
 * The platform makes a repository's files at its first push, and until then answers HTTP 500 here (seen on its own
 * server), while a push finds everything in order: such a repository has no branches.
 */
export async function listBranches(git: GitWorkspace, remote: GitRemote): Promise<ReadonlyMap<string, string>> {
  const what = 'Listing the branches'
  const output = await runOnPlatform(git, remote, what, ['ls-remote', '--quiet', '--heads', remote.url], {
    instead: async (failed, talk) => {
      if (!/ 500\b/.test(failed.stderr)) return failed
      const asked = await talk(listForPush(remote))
      if (hasNoBranches(asked)) return { stdout: '', stderr: '', exitCode: 0 }
      // A refusal is the server's last word, where its trouble with the list would be waited out.
      const isRefusal = asked.exitCode !== 0 && ['denied', 'unpaid'].includes(classifyFailure(asked).kind)
      return isRefusal ? asked : failed
    },
  })
  if (output.exitCode !== 0) throw gitError(what, classifyFailure(output), remote)
  const lines = output.stdout.split('\n').filter((line) => line !== '')
  return new Map(
    lines.map((line) => [line.slice(line.indexOf('\t') + 1 + 'refs/heads/'.length), line.split('\t')[0] ?? '']),
  )
}

/** A push that sends nothing: it would delete all branches, and says which. */
function listForPush({ url }: GitRemote): readonly string[] {
  return ['push', '--dry-run', '--porcelain', '--no-verify', '--prune', url, 'refs/heads/*:refs/heads/*']
}

function hasNoBranches({ stderr }: NetworkOutput): boolean {
  return stderr.startsWith('No refs in common')
}

/** Deletes in one push. What is gone already, or goes at the same moment by another run's hand, is fine. */
export async function deleteBranches(git: GitWorkspace, remote: GitRemote, names: readonly string[]): Promise<void> {
  const what = 'Deleting old branches'
  for (let triesLeft = 2; ; triesLeft--) {
    const present = await listBranches(git, remote)
    const refs = names.filter((name) => present.has(name)).map((name) => `:refs/heads/${name}`)
    if (refs.length === 0) return
    const output = await runOnPlatform(git, remote, what, ['push', '--porcelain', '--no-verify', remote.url, ...refs])
    if (output.exitCode === 0) return
    if (triesLeft === 0) throw gitError(what, classifyFailure(output), remote)
  }
}

export interface OldBranchesRequest {
  readonly branches: ReadonlyMap<string, string>
  /** `production` or `pr-<n>`. */
  readonly target: string
  /** Names which stay whatever their age: the current branch, the one to roll back to. */
  readonly protect: readonly string[]
  /** How many of the others stay, newest source commits first. */
  readonly keepNewest: number
}

/**
 * Branches of a target that can go: all but the protected and the newest of the others. A branch's age is its source
 * commit's; a commit that neither the checkout nor the origin has any more counts as the oldest. When no age at all can
 * be learned, none is named.
 */
export async function selectOldBranches(git: GitWorkspace, request: OldBranchesRequest): Promise<readonly string[]> {
  const candidates = branchesOf(request.target, request.branches).filter(({ name }) => !request.protect.includes(name))
  if (candidates.length <= request.keepNewest) return []
  if (request.keepNewest === 0) return candidates.map(({ name }) => name)
  const times = await timesOf(git, candidates)
  if (times.size === 0) return []
  return byAge(candidates, times)
    .slice(request.keepNewest)
    .map(({ name }) => name)
}

/** The branches of a target, those of the newest source commits first. */
export async function orderBranches(
  git: GitWorkspace,
  branches: ReadonlyMap<string, string>,
  target: string,
): Promise<readonly string[]> {
  const candidates = branchesOf(target, branches)
  return byAge(candidates, await timesOf(git, candidates)).map(({ name }) => name)
}

type NamedBranch = DeploymentBranch & { readonly name: string }

function branchesOf(target: string, branches: ReadonlyMap<string, string>): readonly NamedBranch[] {
  return [...branches.keys()].flatMap((name) => {
    const branch = parseDeploymentBranch(name)
    return branch?.target === target ? [{ name, ...branch }] : []
  })
}

async function timesOf(git: GitWorkspace, branches: readonly NamedBranch[]): Promise<ReadonlyMap<string, CommitTime>> {
  const shas = [...new Set(branches.map(({ sourceSha }) => sourceSha))]
  const stores = await git.stores(shas.some((sha) => sha.length === 64) ? 'sha256' : 'sha1')
  return await commitTimes(git, stores, shas)
}

function byAge(branches: readonly NamedBranch[], times: ReadonlyMap<string, CommitTime>): readonly NamedBranch[] {
  const lost: CommitTime = { atSeconds: 0, depth: 0 }
  const time = ({ sourceSha }: NamedBranch) => times.get(sourceSha) ?? lost
  return branches.toSorted((a, b) => time(b).atSeconds - time(a).atSeconds || time(b).depth - time(a).depth)
}

export interface PushRequest {
  readonly snapshot: Snapshot
  readonly remote: GitRemote
  /** Short name, without `refs/heads/`. */
  readonly branch: string
  /** Source commits whose snapshots the remote may hold, nearest first: the event's `before`, the base. */
  readonly bases?: readonly string[] | undefined
  /** What the remote's list of branches was, when it is known already. */
  readonly remoteBranches?: ReadonlyMap<string, string> | undefined
}

export interface PushResult {
  readonly kind: 'pushed' | 'already-there'
  /** True when only the difference to {@link PushResult.against} travelled. */
  readonly incremental: boolean
  readonly objects: number
  /** Size of the pack on the wire, as git reports it (rounded by git from 1 KiB on). */
  readonly bytes: number
  readonly durationMs: number
  /** The source commit whose snapshot the push was made against. */
  readonly against?: string
}

/** Packs larger than this get lines in the log while they travel. */
const progressFromBytes = 5_000_000
const progressEveryMs = 5_000

/**
 * Makes the branch on the remote, with one push and never by force.
 *
 * @param made how the snapshot was made, as far as it is known: lets the push send only what the remote does not have
 * @throws SourceError `branch-conflict` when the branch names another snapshot; `denied`, `rejected`, `unreachable`
 */
export async function pushSnapshotBranch(
  git: GitWorkspace,
  request: PushRequest,
  made: MadeSnapshot | undefined,
): Promise<PushResult> {
  const { snapshot, remote, branch } = request
  const branches = request.remoteBranches ?? (await listBranches(git, remote))
  const present = branches.get(branch)
  if (present !== undefined) return alreadyThere(request, present)
  const against = made && (await findBase(git, made, { branches, bases: request.bases ?? [], branch }))

  const startedMs = git.clock.now()
  const what = `The push of ${branch}`
  const args = ['push', '--porcelain', '--progress', '--no-verify', remote.url, `${snapshot.sha}:refs/heads/${branch}`]
  const output = await runOnPlatform(git, remote, what, args, { onMessage: progressLog(git, branch) })
  if (output.exitCode === 0) {
    return {
      // "=": the branch was there already, made by a run that started at the same moment or by a try that seemed to fail.
      kind: /^=\t/m.test(output.stdout) ? 'already-there' : 'pushed',
      incremental: against !== undefined,
      ...parsePackReport(output.stderr),
      durationMs: git.clock.now() - startedMs,
      ...(against === undefined ? {} : { against }),
    }
  }
  const failure = classifyFailure(output)
  if (failure.kind === 'rejected') {
    const meanwhile = (await listBranches(git, remote)).get(branch)
    if (meanwhile !== undefined) return alreadyThere(request, meanwhile)
  }
  throw gitError(what, failure, remote, ` Its largest files: ${listFiles(snapshot.largest)}.`)
}

function alreadyThere({ branch, snapshot }: PushRequest, present: string): PushResult {
  if (present === snapshot.sha) {
    return { kind: 'already-there', incremental: false, objects: 0, bytes: 0, durationMs: 0 }
  }
  throw new SourceError(
    'branch-conflict',
    `The branch ${branch} is on the remote already, with another snapshot (${shortSha(present)}) of the same commit ` +
      `than this one (${shortSha(snapshot.sha)}). It was not overwritten.`,
    {
      hint:
        'Its name stands for one commit, so something else wrote to it, or another version of this action made it. ' +
        'Delete the branch on ml.ink and run the workflow again, or push a new commit.',
    },
  )
}

/**
 * Makes branches that say something by their names alone. Their commit is empty and always the same, so that after the first
 * one nothing but the names travels. No service tracks such a branch, so the push starts nothing.
 */
export async function pushMarkers(git: GitWorkspace, remote: GitRemote, branches: readonly string[]): Promise<void> {
  const { own } = await git.stores('sha1')
  // Of an index that is not there git makes the empty tree.
  const tree = await own.line(['write-tree'], { variables: { GIT_INDEX_FILE: join(own.directory, 'no-index') } })
  const who = 'Ink Deploy <ink-deploy@users.noreply.github.com> 0 +0000'
  const content = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nA branch whose name is what it says\n`
  const sha = await writeCommit(own, Buffer.from(content))
  const what = `The push of ${branches.join(', ')}`
  const refs = branches.map((branch) => `${sha}:refs/heads/${branch}`)
  const args = ['push', '--porcelain', '--no-verify', remote.url, ...refs]
  const output = await runOnPlatform(git, remote, what, args)
  if (output.exitCode !== 0) throw gitError(what, classifyFailure(output), remote)
}

function progressLog({ log, clock }: GitWorkspace, branch: string): (line: string) => void {
  let lastMs = Number.NEGATIVE_INFINITY
  return (line) => {
    const progress = parseProgress(line)
    if (progress === undefined || progress.bytes < progressFromBytes) return
    if (clock.now() - lastMs < progressEveryMs && !line.endsWith('done.')) return
    lastMs = clock.now()
    log.info(`${branch}: ${formatBytes(progress.bytes)} sent (${progress.percent} % of the objects)`)
  }
}

/** How much travelled, as git reports it. */
interface PackReport {
  readonly objects: number
  readonly bytes: number
}

const unitBytes: Readonly<Record<string, number>> = { bytes: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/**
 * Reads `Writing objects:  33% (1/3), 5.20 MiB | 3.00 MiB/s`, which git repeats while it sends.
 *
 * @returns undefined for other lines
 */
export function parseProgress(line: string): (PackReport & { readonly percent: number }) | undefined {
  const match = /^Writing objects:\s+(\d+)% \((\d+)\/\d+\)(?:, ([\d.]+) (bytes|[KMG]iB))?/.exec(line)
  if (match === null) return undefined
  const [, percent, objects, amount = '0', unit = 'bytes'] = match
  const bytes = Math.round(Number(amount) * (unitBytes[unit] ?? 1))
  return { percent: Number(percent), objects: Number(objects), bytes }
}

/** The last progress line of a push says how much was sent; a push that sent no objects has none. */
export function parsePackReport(stderr: string): PackReport {
  const last = stderr
    .split(/[\r\n]+/)
    .map(parseProgress)
    .findLast((progress) => progress !== undefined)
  return last === undefined ? { objects: 0, bytes: 0 } : { objects: last.objects, bytes: last.bytes }
}
