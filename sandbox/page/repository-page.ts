import type { Issue, Repository } from '../github/github.ts'
import { type CommitFacts, readCommit } from '../github/state/commits.ts'
import { tryGit } from '../github/state/git.ts'
import type { PageContent } from './content.ts'
import { deploymentsOf, renderDeploymentBox } from './deployments.ts'
import { author, commitLink, moment, shortSha, sign, stateBadge } from './elements.ts'
import type { GitReads } from './git-reads.ts'
import { type Html, html } from './html.ts'
import type { RunBook } from './run-book.ts'
import { RUN_WORDS, runsOf, type ShownRun } from './shown-runs.ts'

/** A repository: how to clone it, its pull requests and issues, runs and deployment records. */
export function repositoryPage(repository: Repository, book: RunBook): PageContent {
  const issues = [...repository.issues.values()].reverse()
  const isPull = (issue: Issue): boolean => repository.pulls.has(issue.number)
  return {
    title: repository.fullName,
    regions: [
      {
        id: 'head',
        html: html`<h1>${repository.fullName}</h1><pre class="command">git clone ${repository.cloneUrl}</pre>`,
      },
      { id: 'pulls', html: renderIssues(repository, 'Pull requests', 'pull', issues.filter(isPull)) },
      {
        id: 'issues',
        html: renderIssues(
          repository,
          'Issues',
          'issues',
          issues.filter((issue) => !isPull(issue)),
        ),
      },
      { id: 'runs', html: renderRuns(repository, runsOf(repository, book)) },
      { id: 'deployments', html: renderAllDeployments(repository) },
    ],
  }
}

function renderIssues(repository: Repository, title: string, kind: 'pull' | 'issues', issues: readonly Issue[]): Html {
  if (issues.length === 0) return html``
  return html`<section class="box"><h2 class="box-title">${title}</h2><ul class="plain">${issues.map(
    (issue) => html`<li class="box-row">${stateBadge(repository.pulls.get(issue.number) ?? issue)}
<div><h3><a href="/${repository.fullName}/${kind}/${issue.number}">${issue.title}</a></h3>
<p class="muted">#${issue.number} by ${author(issue.user.login)} ${moment(issue.createdAt)}</p></div></li>`,
  )}</ul></section>`
}

function renderRuns(repository: Repository, runs: readonly ShownRun[]): Html {
  if (runs.length === 0) return html``
  return html`<section class="box"><h2 class="box-title">Runs</h2><ul class="plain">${runs.map((run) => {
    const { mood, words } = RUN_WORDS[run.state]
    return html`<li class="box-row">${sign(mood, words)}<div><h3><a href="/${repository.fullName}/actions/runs/${run.id}">${run.title}</a></h3>
<p class="muted">${run.name} · ${run.event} ${run.headSha !== undefined && commitLink(repository.fullName, run.headSha)} ${moment(run.startedAt)}</p></div></li>`
  })}</ul></section>`
}

function renderAllDeployments(repository: Repository): Html {
  const shown = deploymentsOf(repository, new Set(repository.deployments().map((deployment) => deployment.sha)))
  const box = renderDeploymentBox(shown, repository)
  return html`${box && html`<section class="box"><h2 class="box-title">Deployments</h2>${box}</section>`}`
}

/** A commit: its message and what it changed; `undefined` when the repository has no such commit. */
export async function commitPage(repository: Repository, name: string): Promise<PageContent | undefined> {
  const sha = /^[0-9a-f]{4,40}$/i.test(name) ? await repository.resolve(name) : undefined
  const commit = sha === undefined ? undefined : await readCommit(repository.gitDir, sha)
  if (!commit) return undefined
  const shown = await tryGit(repository.gitDir, ['show', '--format=', '--stat', '--patch', '--no-color', commit.sha])
  const [subject = ''] = commit.message.split('\n')
  return {
    title: `${subject} · ${shortSha(commit.sha)} · ${repository.fullName}`,
    regions: [
      { id: 'head', html: renderCommitHead(commit, subject) },
      { id: 'changes', html: renderPatch(shown.stdout.toString('utf8')) },
    ],
  }
}

/** A file as a commit has it, each line with an anchor of its own: `#L7`. */
export async function blobPage(
  git: GitReads,
  repository: Repository,
  name: string,
  file: string,
): Promise<PageContent | undefined> {
  const sha = /^[0-9a-f]{4,40}$/i.test(name) ? await repository.resolve(name) : undefined
  const lines = sha === undefined ? undefined : await git.lines(repository, sha, file)
  if (sha === undefined || lines === undefined) return undefined
  return {
    title: `${file} · ${shortSha(sha)} · ${repository.fullName}`,
    regions: [
      { id: 'head', html: html`<h1>${file}</h1><p class="muted">at ${commitLink(repository.fullName, sha)}</p>` },
      {
        id: 'source',
        html: html`<section class="box"><pre class="patch">${lines.map(
          (
            line,
            index,
          ) => html`<span class="patch-line" id="L${index + 1}"><span class="log-number">${index + 1}</span>${line}
</span>`,
        )}</pre></section>`,
      },
    ],
  }
}

function renderCommitHead(commit: CommitFacts, subject: string): Html {
  const rest = commit.message.slice(subject.length).trim()
  return html`<h1>${subject}</h1>${rest !== '' && html`<pre class="command">${rest}</pre>`}
<p class="muted"><b>${commit.author.name}</b> committed ${moment(new Date(commit.committer.date))} · <code>${commit.sha}</code></p>`
}

const MOST_PATCH_CHARS = 100_000

function renderPatch(patch: string): Html {
  const shown = patch.slice(0, MOST_PATCH_CHARS)
  const kindOf = (line: string): string => (/^\+(?!\+\+)/.test(line) ? 'added' : /^-(?!--)/.test(line) ? 'removed' : '')
  return html`<section class="box"><h2 class="box-title">Changes</h2>
<pre class="patch">${shown.split('\n').map(
    (line) => html`<span class="patch-line ${kindOf(line)}">${line}
</span>`,
  )}</pre>
${patch.length > shown.length && html`<p class="box-body muted">The rest of this change is not shown.</p>`}</section>`
}
