import type { Repository } from '../github/github.ts'
import type { Annotation } from '../runner/runner.ts'
import type { PageContent } from './content.ts'
import { commitLink, duration, type Mood, moment, sign } from './elements.ts'
import type { GitReads } from './git-reads.ts'
import { type Html, html } from './html.ts'
import { renderMarkdown } from './markdown.ts'
import { renderLog } from './run-log.ts'
import { RUN_WORDS, type ShownRun } from './shown-runs.ts'

/** The page of one run: how it ended, its annotations, its summary, its outputs and its log. */
export async function runPage(git: GitReads, repository: Repository, run: ShownRun): Promise<PageContent> {
  return {
    title: `${run.title} · ${repository.fullName}`,
    regions: [
      { id: 'head', html: renderHead(repository, run) },
      { id: 'annotations', html: html`${await renderRunAnnotations(git, repository, run)}` },
      { id: 'summary', html: html`${renderSummary(repository, run)}` },
      { id: 'outputs', html: html`${renderOutputs(run)}` },
      { id: 'log', html: renderRunLog(repository, run) },
    ],
  }
}

function renderHead(repository: Repository, run: ShownRun): Html {
  const { mood, words } = RUN_WORDS[run.state]
  const pull = run.pullNumber
  return html`<h1>${sign(mood, words)} ${run.title}</h1>
<p class="muted">${words} · ${run.name} · ${run.event}
${pull !== undefined && html` · <a href="/${repository.fullName}/pull/${pull}">#${pull}</a>`}
${run.headSha !== undefined && html` · ${commitLink(repository.fullName, run.headSha)}`} · ${moment(run.startedAt)}
${run.recorded?.result && ` · ${duration(run.recorded.result.durationMs)}`}</p>
${run.recorded?.problem !== undefined && html`<p class="flash bad">${run.recorded.problem}</p>`}`
}

/** Annotations of both steps, main first. */
export function renderRunAnnotations(git: GitReads, repository: Repository, run: ShownRun): Promise<Html | false> {
  const result = run.recorded?.result
  const annotations = [...(result?.annotations ?? []), ...(result?.post?.annotations ?? [])]
  return renderAnnotations(git, repository, run.headSha, annotations)
}

/** The job summary, that of the post step below. */
export function renderSummary(repository: Repository, run: ShownRun): Html | false {
  const result = run.recorded?.result
  const summary = [result?.summary ?? '', result?.post?.summary ?? ''].filter((part) => part !== '').join('\n\n')
  if (summary === '') return false
  return html`<section class="box"><h2 class="box-title">${run.name.split(' / ').at(-1)} summary</h2>
<div class="markdown-body box-body">${renderMarkdown(summary, { repository: repository.fullName, breaks: false })}</div></section>`
}

function renderOutputs(run: ShownRun): Html | false {
  const result = run.recorded?.result
  if (!result) return false
  const outputs = Object.entries(result.outputs)
  if (outputs.length + result.droppedOutputs.length === 0) return false
  return html`<section class="box"><details data-key="outputs"><summary class="box-title">Outputs (${outputs.length})</summary>
<dl class="outputs">${outputs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}
${result.droppedOutputs.map((name) => html`<dt>${name}</dt><dd class="bad">withheld by the runner: it may contain a secret</dd>`)}</dl>
</details></section>`
}

/** The log of the action, and below it that of its post step. */
export function renderRunLog(repository: Repository, run: ShownRun): Html {
  const { recorded } = run
  if (!recorded) return html`<p class="muted">Nobody wrote down the log of this run.</p>`
  const running = run.state === 'running'
  const rawUrl = `/${repository.fullName}/actions/runs/${run.id}/raw`
  const { mood, words } = RUN_WORDS[run.state]
  const posting = recorded.postLines.length > 0
  const log = { running: running && !posting, rawUrl }
  return html`<section class="box"><h2 class="box-title split"><span>${sign(mood, words)} Log</span><a href="${rawUrl}">raw</a></h2>
${renderLog(recorded.mainLines, log)}
${posting && html`<h3 class="box-title">Post run</h3>${renderLog(recorded.postLines, { running, rawUrl })}`}
</section>`
}

/** Both logs as plain text. */
export function rawLog(run: ShownRun): string {
  const lines = [...(run.recorded?.mainLines ?? []), ...(run.recorded?.postLines ?? [])]
  return lines.map((line) => `${line}\n`).join('')
}

const MOODS: Readonly<Record<Annotation['level'], Mood>> = { error: 'bad', warning: 'warned', notice: 'good' }

/** Annotations with the source they point at, as the commit has it; a line that is not there has no excerpt. */
async function renderAnnotations(
  git: GitReads,
  repository: Repository,
  sha: string | undefined,
  annotations: readonly Annotation[],
): Promise<Html | false> {
  if (annotations.length === 0) return false
  const shown = await Promise.all(
    annotations.map(async (annotation) => ({
      annotation,
      excerpt: await readExcerpt(git, repository, sha, annotation),
    })),
  )
  return html`<section class="box"><h2 class="box-title">Annotations</h2>
<ul class="plain annotations">${shown.map(({ annotation, excerpt }) => renderAnnotation(annotation, excerpt, excerpt && `/${repository.fullName}/blob/${sha}`))}</ul></section>`
}

function renderAnnotation(annotation: Annotation, excerpt: Excerpt | undefined, blobs: string | undefined): Html {
  const { level, title, message, file, line } = annotation
  const where = file === undefined ? '' : line === undefined ? file : `${file}#L${line}`
  return html`<li class="box-row annotation">${sign(MOODS[level], level)}
<div><h3>${title ?? level.charAt(0).toUpperCase() + level.slice(1)}</h3>
${where !== '' && html`<p class="where">${blobs === undefined ? html`<code>${where}</code>` : html`<a href="${blobs}/${where}"><code>${where}</code></a>`}</p>`}
<p class="message">${message}</p>
${excerpt && html`<pre class="excerpt">${excerpt.lines.map((text, index) => renderSourceLine(text, excerpt.first + index, line))}</pre>`}
</div></li>`
}

function renderSourceLine(text: string, number: number, marked: number | undefined): Html {
  return html`<span class="source-line${number === marked && ' marked'}"><span class="log-number">${number}</span>${text}
</span>`
}

interface Excerpt {
  readonly first: number
  readonly lines: readonly string[]
}

/** The line and one on either side. */
async function readExcerpt(
  git: GitReads,
  repository: Repository,
  sha: string | undefined,
  { file, line }: Annotation,
): Promise<Excerpt | undefined> {
  if (sha === undefined || file === undefined || line === undefined) return undefined
  const lines = await git.lines(repository, sha, file)
  if (!lines || line > lines.length) return undefined
  const first = Math.max(1, line - 1)
  return { first, lines: lines.slice(first - 1, line + 1) }
}
