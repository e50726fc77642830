import { type DeploymentBranch, parseDeploymentBranch } from '../plan/names.ts'
import { GitFailure, type MessageHandler } from './git.ts'
import { committedAtSeconds, parseCommit, writeObject } from './objects.ts'
import { type GitRemote, gitError, type NetworkOutput } from './remote.ts'
import { fetchKnownCommits, type GitWorkspace, readObjects, type Stores } from './workspace.ts'

type RunRemote = (...args: readonly string[]) => Promise<NetworkOutput>

// The server speaks protocol 0, and its token must not follow a redirect to another host.
const platformSettings = [
  ['protocol.version', '0'],
  ['http.followRedirects', 'false'],
] as const

/** Talks to the platform's server until it answers, from the repository that snapshots are made in. */
async function askPlatform(
  git: GitWorkspace,
  remote: GitRemote,
  what: string,
  attempt: (run: RunRemote) => Promise<NetworkOutput>,
  onMessage?: MessageHandler,
): Promise<NetworkOutput> {
  const { own } = await git.stores('sha1')
  const run: RunRemote = (...args) => own.runRemote(remote, args, { settings: platformSettings, onMessage })
  return await git.retrying(what, remote, () => attempt(run))
}

/**
 * One push to the platform, never by force.
 * @param onProgress gets what git tells of a push that may take a while
 * @returns the output, also of a push that was refused
 */
export function pushRefs(
  git: GitWorkspace,
  remote: GitRemote,
  what: string,
  refs: readonly string[],
  onProgress?: MessageHandler,
): Promise<NetworkOutput> {
  const args = ['push', '--porcelain', ...(onProgress ? ['--progress'] : []), '--no-verify', remote.url, ...refs]
  return askPlatform(git, remote, what, (run) => run(...args), onProgress)
}

/**
 * Short branch name → commit. One request; nothing is fetched.
 *
 * The platform makes a repository's files at its first push, and until then answers HTTP 500 here (seen on its own
 * server), while a push finds everything in order: such a repository has no branches.
 */
export async function listBranches(git: GitWorkspace, remote: GitRemote): Promise<ReadonlyMap<string, string>> {
  const what = 'Listing the branches'
  const output = await askPlatform(git, remote, what, async (run) => {
    const listed = await run('ls-remote', '--quiet', '--heads', remote.url)
    if (listed.exitCode === 0 || !/ 500\b/.test(listed.stderr)) return listed
    // A push that sends nothing: it would delete all branches, and says which.
    const all = 'refs/heads/*:refs/heads/*'
    const asked = await run('push', '--dry-run', '--porcelain', '--no-verify', '--prune', remote.url, all)
    if (asked.stderr.startsWith('No refs in common')) return { stdout: '', stderr: '', exitCode: 0 }
    // A refusal is the server's last word, where its trouble with the list would be waited out.
    const refusals = ['denied', 'payment-required']
    return asked.exitCode !== 0 && refusals.includes(gitError(what, asked, remote).code) ? asked : listed
  })
  if (output.exitCode !== 0) throw gitError(what, output, remote)
  const refs = output.stdout.matchAll(/^([0-9a-f]+)\trefs\/heads\/(.*)$/gm)
  return new Map(Array.from(refs, ([, sha = '', name = '']) => [name, sha]))
}

/** Deletes in one push. What is gone already, or goes at the same moment by another run's hand, is fine. */
export async function deleteBranches(git: GitWorkspace, remote: GitRemote, names: readonly string[]): Promise<void> {
  const what = 'Deleting old branches'
  let left = names
  for (let triesLeft = 2; left.length > 0; triesLeft--) {
    const refs = left.map((name) => `:refs/heads/${name}`)
    const output = await pushRefs(git, remote, what, refs)
    if (output.exitCode === 0) return
    if (triesLeft === 0) throw gitError(what, output, remote)
    // What was gone before is none of it: git deletes that all the same. What goes at this very moment is refused.
    const present = await listBranches(git, remote)
    left = names.filter((name) => present.has(name))
  }
}

/**
 * Makes branches that say something by their names alone. Their commit is empty and always the same, so that after the first
 * one nothing but the names travels. No service tracks such a branch, so the push starts nothing.
 */
export async function pushMarkers(git: GitWorkspace, remote: GitRemote, branches: readonly string[]): Promise<void> {
  const { own } = await git.stores('sha1')
  const tree = await writeObject(own, 'tree', Buffer.alloc(0))
  const who = 'Ink Deploy <ink-deploy@users.noreply.github.com> 0 +0000'
  const content = `tree ${tree}\nauthor ${who}\ncommitter ${who}\n\nA branch whose name is what it says\n`
  const sha = await writeObject(own, 'commit', Buffer.from(content))
  const what = `The push of ${branches.join(', ')}`
  const refs = branches.map((branch) => `${sha}:refs/heads/${branch}`)
  const output = await pushRefs(git, remote, what, refs)
  if (output.exitCode !== 0) throw gitError(what, output, remote)
}

export interface OldBranchesRequest {
  readonly branches: ReadonlyMap<string, string>
  /** Such as `production/acme-web`. */
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
  const { names, someKnown } = await byAge(git, candidates)
  return someKnown ? names.slice(request.keepNewest) : []
}

/** The branches of a target, those of the newest source commits first. */
export async function orderBranches(git: GitWorkspace, branches: ReadonlyMap<string, string>, target: string) {
  return (await byAge(git, branchesOf(target, branches))).names
}

type NamedBranch = DeploymentBranch & { readonly name: string }

function branchesOf(target: string, branches: ReadonlyMap<string, string>): readonly NamedBranch[] {
  return [...branches.keys()].flatMap((name) => {
    const branch = parseDeploymentBranch(name)
    return branch?.target === target ? [{ name, ...branch }] : []
  })
}

/** Their names, newest first, and whether the age of any is known. */
async function byAge(git: GitWorkspace, branches: readonly NamedBranch[]) {
  const shas = [...new Set(branches.map(({ sourceSha }) => sourceSha))]
  const stores = await git.stores(shas.some((sha) => sha.length === 64) ? 'sha256' : 'sha1')
  const times = await commitTimes(stores, shas)
  const time = ({ sourceSha }: NamedBranch) => times.get(sourceSha) ?? { atSeconds: 0, depth: 0 }
  const newestFirst = branches.toSorted(
    (a, b) => time(b).atSeconds - time(a).atSeconds || time(b).depth - time(a).depth,
  )
  return { names: newestFirst.map(({ name }) => name), someKnown: times.size > 0 }
}

/**
 * When commits were made. Those that the checkout does not hold are fetched from the origin
 * without their trees, some hundred bytes each. What nobody has any more is left out.
 */
export async function commitTimes(stores: Stores, shas: readonly string[]) {
  const { origin, log } = stores.git
  const known = await readTimes(stores, shas)
  const missing = shas.filter((sha) => !known.has(sha))
  if (missing.length === 0 || origin === undefined) return known
  try {
    await fetchKnownCommits(stores, { remote: origin, wants: missing, filter: 'tree:0' })
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error
    log.debug(`The dates of old commits could not be fetched: ${origin.redact(error.message)}`)
    return known
  }
  return await readTimes(stores, shas)
}

async function readTimes({ own }: Stores, shas: readonly string[]) {
  const objects = await readObjects(own, shas)
  const commits = new Map(Array.from(objects, ([sha, content]) => [sha, parseCommit(content)]))
  /** How many of the others a commit descends from: tells commits of the same second apart. */
  const depths = new Map<string, number>()
  const depthOf = (sha: string): number => {
    const known = depths.get(sha)
    if (known !== undefined) return known
    depths.set(sha, 0)
    const parents = commits.get(sha)?.parents.filter((parent) => commits.has(parent)) ?? []
    const depth = Math.max(0, ...parents.map((parent) => depthOf(parent) + 1))
    depths.set(sha, depth)
    return depth
  }
  return new Map(
    Array.from(commits, ([sha, commit]) => [sha, { atSeconds: committedAtSeconds(commit), depth: depthOf(sha) }]),
  )
}
