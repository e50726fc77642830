import type { Issue, PullRequest, Repository } from '../github/github.ts'
import type { PageContent, Region } from './content.ts'
import { renderConversation } from './conversation.ts'
import { deploymentsOf, liveAddress, renderDeploymentBox, type ShownDeployment } from './deployments.ts'
import { author, duration, moment, sign } from './elements.ts'
import type { GitReads } from './git-reads.ts'
import { type Html, html, webAddress } from './html.ts'
import type { RunBook } from './run-book.ts'
import { renderRunAnnotations, renderRunLog, renderSummary } from './run-page.ts'
import { RUN_WORDS, runsOf, type ShownRun } from './shown-runs.ts'

/** A pull request: conversation, checks and deployments, the latest run in full, and the preview in a frame. */
export async function pullPage(
  git: GitReads,
  repository: Repository,
  pull: PullRequest,
  book: RunBook,
): Promise<PageContent> {
  const commits = await git.commits(repository, pull.headSha, pull.baseSha)
  const runs = runsOf(repository, book).filter(
    (run) => run.pullNumber === pull.number || (run.pullNumber === undefined && run.headSha === pull.headSha),
  )
  const shas = [pull.headSha, ...commits.map((commit) => commit.sha), ...runs.flatMap((run) => run.headSha ?? [])]
  const deployments = deploymentsOf(repository, new Set(shas))
  const [latest] = runs
  return {
    title: `${pull.title} · Pull Request #${pull.number} · ${repository.fullName}`,
    regions: [
      { id: 'head', html: renderPullHead(pull) },
      { id: 'conversation', html: renderConversation(repository, pull, commits, deployments) },
      { id: 'merge-box', html: renderMergeBox(repository, pull, runs, deployments) },
      ...(await latestRun(git, repository, latest)),
      { id: 'preview', aside: true, html: renderPreview(pull, deployments, latest) },
    ],
  }
}

/** An issue: what is said of it. */
export function issuePage(repository: Repository, issue: Issue): PageContent {
  return {
    title: `${issue.title} · Issue #${issue.number} · ${repository.fullName}`,
    regions: [
      {
        id: 'head',
        html: html`<h1>${issue.title} <span class="muted">#${issue.number}</span></h1>
<p><span class="state ${issue.state}">${issue.state === 'open' ? 'Open' : 'Closed'}</span> ${author(issue.user.login)} opened this issue ${moment(issue.createdAt)}</p>`,
      },
      { id: 'conversation', html: renderConversation(repository, issue, [], []) },
    ],
  }
}

/** The regions are there before the first run, since updates fill regions and make none. */
async function latestRun(git: GitReads, repository: Repository, run: ShownRun | undefined): Promise<Region[]> {
  const title = (shown: ShownRun): Html =>
    html`<h2 class="part">Latest run <a class="muted" href="/${repository.fullName}/actions/runs/${shown.id}">${shown.title}</a></h2>`
  return [
    { id: 'latest-head', html: html`${run && title(run)}` },
    { id: 'annotations', html: html`${run && (await renderRunAnnotations(git, repository, run))}` },
    { id: 'summary', html: html`${run && renderSummary(repository, run)}` },
    { id: 'log', html: html`${run && renderRunLog(repository, run)}` },
  ]
}

function renderPullHead(pull: PullRequest): Html {
  const state = pull.merged ? 'merged' : pull.state === 'closed' ? 'closed' : pull.draft ? 'draft' : 'open'
  const words = { merged: 'Merged', closed: 'Closed', draft: 'Draft', open: 'Open' }[state]
  const merging = pull.merged ? 'merged' : 'wants to merge'
  return html`<h1>${pull.title} <span class="muted">#${pull.number}</span></h1>
<p><span class="state ${state}">${words}</span> ${author(pull.user.login)} <span class="muted">${merging} into <code>${pull.baseRef}</code> from <code>${pull.headRef}</code></span>
${pull.labels.map((label) => html`<span class="label">${label}</span>`)}</p>`
}

function renderMergeBox(
  repository: Repository,
  pull: PullRequest,
  runs: readonly ShownRun[],
  deployments: readonly ShownDeployment[],
): Html {
  const current = latestOfEach(runs.filter((run) => run.headSha === undefined || run.headSha === pull.headSha))
  const earlier = runs.filter((run) => !current.includes(run))
  const box = renderDeploymentBox(deployments, repository)
  if (runs.length === 0 && !box && pull.state !== 'open') return html``
  return html`<section class="box merge-box">
${box}
${renderChecks(repository, current)}
${
  earlier.length > 0 &&
  html`<details class="box-row" data-key="earlier"><summary>${earlier.length} earlier ${earlier.length === 1 ? 'run' : 'runs'}</summary>
<ul class="plain checks">${earlier.map((run) => renderCheck(repository, run))}</ul></details>`
}
${pull.state === 'open' && renderMergeability(pull)}
</section>`
}

function renderChecks(repository: Repository, runs: readonly ShownRun[]): Html | false {
  if (runs.length === 0) return false
  const { mood, words } = overall(runs)
  return html`<section class="box-row">${sign(mood, words)}<div><h3>${words}</h3>
<ul class="plain checks">${runs.map((run) => renderCheck(repository, run))}</ul></div></section>`
}

/** GitHub shows a job once per commit: as it went last. `runs` come newest first. */
function latestOfEach(runs: readonly ShownRun[]): readonly ShownRun[] {
  return runs.filter((run, index) => runs.findIndex((other) => other.name === run.name) === index)
}

function overall(runs: readonly ShownRun[]) {
  const states = runs.map((run) => run.state)
  if (states.includes('running')) return { mood: 'busy', words: "Some checks haven't completed yet" } as const
  if (states.some((state) => state === 'failure' || state === 'not-started')) {
    return { mood: 'bad', words: 'Some checks were not successful' } as const
  }
  if (states.includes('cancelled')) return { mood: 'idle', words: 'Some checks were cancelled' } as const
  return { mood: 'good', words: 'All checks have passed' } as const
}

function renderCheck(repository: Repository, run: ShownRun): Html {
  const { mood, words } = RUN_WORDS[run.state]
  const took = run.recorded?.result ? ` in ${duration(run.recorded.result.durationMs)}` : ''
  return html`<li class="split"><span>${sign(mood, words)} <b>${run.name}</b> <span class="muted">(${run.event}) ${words}${took}</span></span>
<a href="/${repository.fullName}/actions/runs/${run.id}">Details</a></li>`
}

function renderMergeability(pull: PullRequest): Html {
  const fine = pull.mergeable === true
  const words = fine
    ? 'This branch has no conflicts with the base branch'
    : 'This branch has conflicts that must be resolved'
  return html`<section class="box-row">${sign(fine ? 'good' : 'warned', words)}<div><h3>${words}</h3></div></section>`
}

/** The frame stays as it is until another deployment is live: its id is part of the frame. */
function renderPreview(pull: PullRequest, deployments: readonly ShownDeployment[], latest: ShownRun | undefined): Html {
  const recorded = liveAddress(deployments)
  const result = latest?.recorded?.result
  const output = result?.outputs.status === 'live' ? webAddress(result.outputs.url) : undefined
  const url = recorded?.url ?? (deployments.length === 0 ? output : undefined)
  if (url === undefined) {
    return html`<section class="box preview"><h2 class="box-title">Live preview</h2>
<p class="box-body muted">${pull.state === 'open' ? 'Nothing is live yet.' : 'Nothing is live any more.'}</p></section>`
  }
  return html`<section class="box preview"><h2 class="box-title split"><span>Live preview</span><a href="${url}">${new URL(url).host}</a></h2>
<iframe class="preview-frame" src="${url}" title="Live preview" sandbox="allow-scripts allow-forms allow-same-origin" data-deployment="${recorded?.id ?? latest?.id}"></iframe></section>`
}
