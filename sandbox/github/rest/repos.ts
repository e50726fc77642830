import { ApiError, notFound } from '../access.ts'
import { concerns } from '../faults.ts'
import { renderChangedFiles, renderCommit } from '../render/commit.ts'
import { repositoryUrl } from '../render/issue.ts'
import { renderPull } from '../render/pull.ts'
import { nodeId, renderRepository, renderUser } from '../render/repository.ts'
import type { Repository } from '../repository.ts'
import { readCommit } from '../state/commits.ts'
import { git } from '../state/git.ts'
import { commonAncestor, listCommits, readCommits } from '../state/history.ts'
import { type RepositoryRole, rights } from '../state/model.ts'
import type { World } from '../state/state.ts'
import { copyObjects, readBlob } from '../state/trees.ts'
import { type Call, type Handlers, paged, text } from './call.ts'

/** The repository itself: its facts, collaborators, commits, comparisons, contents and references. */
export const repos: Handlers = {
  'repos/get': ({ repository, world }) => ({
    status: 200,
    body: {
      ...renderRepository(repository, world),
      network_count: 0,
      subscribers_count: 0,
      ...(repository.parent
        ? { parent: renderRepository(repository.parent, world), source: renderRepository(repository.parent, world) }
        : {}),
    },
  }),
  'repos/get-collaborator-permission-level': ({ repository, world, params, token }) => {
    if (world.profile === 'gitea' && token?.kind !== 'user') {
      const who = 'Only admins can query all permissions, repo admins can query all repo permissions'
      throw new ApiError(403, `${who}, collaborators can query only their own`)
    }
    const user = world.user(params.username ?? '')
    const role = repository.role(user.login)
    return {
      status: 200,
      body: {
        permission: coarsePermission(role),
        role_name: role,
        user: { ...renderUser(user, world), permissions: rights(role), role_name: role },
      },
    }
  },
  'repos/get-commit': async (call) => {
    const sha = await commitOf(call, call.params.ref ?? '')
    const commit = await readCommit(call.repository.gitDir, sha)
    if (!commit) throw notFound()
    const files = await renderChangedFiles(call.repository, commit.parents[0], sha, call.world)
    return { status: 200, body: { ...renderCommit(call.repository, commit, call.world), files } }
  },
  'repos/list-commits': async (call) => {
    const sha = await commitOf(call, text(call.query.sha) ?? call.repository.defaultBranch)
    return paged(call, await readCommits(call.repository, sha), (commit) =>
      renderCommit(call.repository, commit, call.world),
    )
  },
  'repos/compare-commits-with-basehead': compare,
  'repos/get-content': getContent,
  'repos/list-branches': async (call) => {
    const lines = await git(call.repository.gitDir, [
      'for-each-ref',
      '--format=%(refname:lstrip=2) %(objectname)',
      'refs/heads',
    ])
    const branches = lines.split('\n').filter((line) => line !== '')
    return paged(call, branches, (line) => {
      const [name = '', sha = ''] = line.split(' ')
      return {
        name,
        commit: { sha, url: `${repositoryUrl(call.repository, call.world)}/commits/${sha}` },
        protected: false,
      }
    })
  },
  'repos/get-branch': async (call) => {
    const name = call.params.branch ?? ''
    const sha = await call.repository.resolve(`refs/heads/${name}`)
    const commit = sha ? await readCommit(call.repository.gitDir, sha) : undefined
    if (!commit) throw new ApiError(404, 'Branch not found')
    const at = repositoryUrl(call.repository, call.world)
    const protection_url = `${at}/branches/${name}/protection`
    const checks = { enforcement_level: 'off', contexts: [], checks: [] }
    return {
      status: 200,
      body: {
        name,
        commit: renderCommit(call.repository, commit, call.world),
        _links: { self: `${at}/branches/${name}`, html: `${call.repository.htmlUrl}/tree/${name}` },
        protected: false,
        protection: { enabled: false, required_status_checks: checks },
        protection_url,
      },
    }
  },
  'git/get-ref': async (call) => {
    const reference = `refs/${call.params.ref ?? ''}`
    const sha = await call.repository.resolve(reference)
    if (!sha) throw notFound()
    const at = repositoryUrl(call.repository, call.world)
    return {
      status: 200,
      body: {
        ref: reference,
        node_id: nodeId('REF', call.repository.id),
        url: `${at}/git/${reference}`,
        object: { type: 'commit', sha, url: `${at}/git/commits/${sha}` },
      },
    }
  },
  'repos/list-pull-requests-associated-with-commit': async (call) => {
    const sha = await commitOf(call, call.params.commit_sha ?? '')
    const found = [...call.repository.pulls.values()].filter(
      (pull) => pull.headSha === sha || (pull.merged && pull.mergeCommitSha === sha),
    )
    return paged(call, found, (pull) => renderPull(call.world, call.repository, pull))
  },
}

/** The old field knows four words only: maintainers count as writers, triagers as readers. */
function coarsePermission(role: RepositoryRole): string {
  if (role === 'maintain') return 'write'
  return role === 'triage' ? 'read' : role
}

async function commitOf(call: Call, name: string): Promise<string> {
  const sha = await call.repository.resolveAny(name)
  if (!sha) throw new ApiError(422, `No commit found for SHA: ${name}`)
  return sha
}

async function compare(call: Call) {
  const [baseName = '', headName = ''] = (call.params.basehead ?? '').split('...')
  const base = await comparable(call, baseName)
  const head = await comparable(call, headName)
  const common = await commonAncestor(call.repository, base, head)
  if (common === undefined) throw new ApiError(404, `No common ancestor between ${baseName} and ${headName}.`)
  const commits = (await readCommits(call.repository, head, base)).reverse()
  const behind = (await listCommits(call.repository, base, head)).length
  const baseCommit = await readCommit(call.repository.gitDir, base)
  const commonCommit = await readCommit(call.repository.gitDir, common)
  if (!baseCommit || !commonCommit) throw notFound()
  const url = `${repositoryUrl(call.repository, call.world)}/compare/${baseName}...${headName}`
  const html = `${call.repository.htmlUrl}/compare/${baseName}...${headName}`
  const page = paged(call, commits, (commit) => renderCommit(call.repository, commit, call.world))
  const files = await renderChangedFiles(call.repository, base, head, call.world)
  const struck = call.faults.strike('github.compare-files', concerns(call.facts))
  const most = Number(struck ? (struck.options.keep ?? 0) : MOST_COMPARED_FILES)
  return {
    status: 200,
    ...(page.list ? { list: page.list } : {}),
    body: {
      url,
      html_url: html,
      permalink_url: html,
      diff_url: `${html}.diff`,
      patch_url: `${html}.patch`,
      base_commit: renderCommit(call.repository, baseCommit, call.world),
      merge_base_commit: renderCommit(call.repository, commonCommit, call.world),
      status: relation(commits.length, behind),
      ahead_by: commits.length,
      behind_by: behind,
      total_commits: commits.length,
      commits: page.body,
      ...(struck?.options.missing === true ? {} : { files: call.paging.page > 1 ? [] : files.slice(0, most) }),
    },
  }
}

/** A comparison lists this many files at most, all of them on the first page, and does not say that there are more. */
const MOST_COMPARED_FILES = 300

function relation(ahead: number, behind: number): string {
  if (ahead === 0) return behind === 0 ? 'identical' : 'behind'
  return behind === 0 ? 'ahead' : 'diverged'
}

/** Either side may be `owner:branch`, a branch of a repository in the same network; its commits are then fetched. */
async function comparable(call: Call, name: string): Promise<string> {
  const { repository, world } = call
  const colon = name.indexOf(':')
  const source = colon < 0 ? repository : networkMember(world, repository, name.slice(0, colon))
  const sha = await source?.resolveAny(name.slice(colon + 1))
  if (!source || !sha) throw notFound()
  if (source !== repository) await copyObjects(source.gitDir, repository.gitDir, sha)
  return sha
}

function networkMember(world: World<Repository>, repository: Repository, owner: string): Repository | undefined {
  const related = (one: Repository) => one === repository || one.parent === repository || repository.parent === one
  return [...world.repositories.values()].find((one) => one.owner.login === owner && related(one))
}

async function getContent(call: Call) {
  const path = (call.params.path ?? '').replace(/\/$/, '')
  const ref = text(call.query.ref) ?? call.repository.defaultBranch
  const commit = await comparable(call, ref)
  const found = await readCommit(call.repository.gitDir, commit)
  const blob = found && (await readBlob(call.repository.gitDir, found.tree, path))
  if (!blob) throw notFound()
  const { sha, content } = blob
  const at = repositoryUrl(call.repository, call.world)
  const url = `${at}/contents/${path}?ref=${ref}`
  const htmlUrl = `${call.repository.htmlUrl}/blob/${ref}/${path}`
  const gitUrl = `${at}/git/blobs/${sha}`
  return {
    status: 200,
    body: {
      type: 'file',
      encoding: 'base64',
      size: content.length,
      name: path.split('/').at(-1),
      path,
      content: content.toString('base64'),
      sha,
      url,
      git_url: gitUrl,
      html_url: htmlUrl,
      download_url: `${call.repository.htmlUrl}/raw/${ref}/${path}`,
      _links: { git: gitUrl, self: url, html: htmlUrl },
    },
  }
}
