import type { Repository } from '../github/github.ts'
import type { Annotation } from '../runner/runner.ts'
import { type Mood, sign } from './elements.ts'
import type { GitReads } from './git-reads.ts'
import { type Html, html } from './html.ts'

const MOODS: Readonly<Record<Annotation['level'], Mood>> = { error: 'bad', warning: 'warned', notice: 'good' }

/** Annotations with the source they point at, as the commit has it; a line that is not there has no excerpt. */
export async function renderAnnotations(
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
