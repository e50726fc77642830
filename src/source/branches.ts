import { type CommitTime, commitTimes } from './fetch.ts'
import type { NetworkCall } from './git.ts'
import { classifyFailure, type GitRemote, gitError, type NetworkOutput } from './remote.ts'
import type { GitWorkspace } from './workspace.ts'

/** What the name of a deployment's branch says: `ink/<target>/<source sha>[-<first 8 of the tree sha>]`. */
export interface DeploymentBranch {
  /** `production/<service>` or `pr-<n>/<service>`; earlier releases named no service. */
  readonly target: string
  readonly sourceSha: string
  /** There when the tree was not the commit's own. */
  readonly suffix?: string
}

// 64 digits: repositories with SHA-256 object names.
const deploymentBranch =
  /^ink\/((?:production|pr-[1-9]\d*)(?:\/[a-z0-9-]{1,63})?)\/([0-9a-f]{40}|[0-9a-f]{64})(?:-([0-9a-f]{8}))?$/

/** Reads a short branch name; undefined when it is not a deployment's. */
export function parseDeploymentBranch(name: string): DeploymentBranch | undefined {
  const [, target, sourceSha, suffix] = deploymentBranch.exec(name) ?? []
  if (target === undefined || sourceSha === undefined) return undefined
  return suffix === undefined ? { target, sourceSha } : { target, sourceSha, suffix }
}

/**
 * Runs git against the platform's server until it succeeds or fails for good, from the repository that snapshots are
 * made in. The server speaks protocol 0, and its token must not follow a redirect to another host.
 *
 * @param what begins the sentences about it: "The push of ink/…"
 */
export async function runOnPlatform(
  git: GitWorkspace,
  remote: GitRemote,
  what: string,
  args: readonly string[],
  options: {
    readonly onMessage?: NetworkCall['onMessage']
    /** Asks once more in another way after a failure; what it yields counts instead. */
    readonly instead?: (failed: NetworkOutput, talk: Talk) => Promise<NetworkOutput>
  } = {},
): Promise<NetworkOutput> {
  const { own } = await git.stores('sha1')
  const settings = [
    ['protocol.version', '0'],
    ['http.followRedirects', 'false'],
  ] as const
  const talk: Talk = (words) => own.talk(remote, words, { settings, onMessage: options.onMessage })
  return await git.retrying(what, remote, async () => {
    const output = await talk(args)
    return output.exitCode !== 0 && options.instead ? await options.instead(output, talk) : output
  })
}

type Talk = (args: readonly string[]) => Promise<NetworkOutput>

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
