import { stripVTControlCharacters } from 'node:util'
import { type Html, html } from './html.ts'

/** A page with more lines than this would be slow to update; the rest is behind a link. */
const MOST_LINES = 2_000

interface Line {
  readonly number: number
  readonly text: string
}

interface Group {
  readonly title: string
  readonly at: number
  readonly lines: Line[]
  ended: boolean
}

/** A step's log as the run's page shows it: groups folded, errors and warnings in colour, addresses linked. */
export function renderLog(
  lines: readonly string[],
  options: { readonly running: boolean; readonly rawUrl: string },
): Html {
  const left = Math.max(0, lines.length - MOST_LINES)
  const parts = groupLines(lines.slice(left), left)
  const last = parts.at(-1)
  return html`<div class="log">
${left > 0 && html`<p class="log-note">${left} earlier lines are in the <a href="${options.rawUrl}">raw log</a>.</p>`}
${parts.map((part) => ('lines' in part ? renderGroup(part, options.running && part === last && !part.ended) : renderLine(part)))}
</div>`
}

/** The runner's groups do not nest: a group ends where the next one begins. */
function groupLines(lines: readonly string[], before: number): (Line | Group)[] {
  const parts: (Line | Group)[] = []
  let open: Group | undefined
  for (const [index, raw] of lines.entries()) {
    const number = before + index + 1
    const text = stripVTControlCharacters(raw)
    if (text.startsWith('##[group]')) {
      if (open) open.ended = true
      open = { title: text.slice('##[group]'.length), at: number, lines: [], ended: false }
      parts.push(open)
    } else if (text.startsWith('##[endgroup]')) {
      if (open) open.ended = true
      open = undefined
    } else (open?.lines ?? parts).push({ number, text })
  }
  return parts
}

function renderGroup(group: Group, open: boolean): Html {
  return html`<details class="log-group" data-key="group-${group.at}"${open && html` open`}>
<summary><span class="log-number">${group.at}</span><span class="log-text">${group.title}</span></summary>
${group.lines.map(renderLine)}
</details>`
}

const MARK = /^##\[(error|warning|notice|debug|command)\](.*)$/s

const PREFIX: Readonly<Record<string, string>> = {
  error: 'Error: ',
  warning: 'Warning: ',
  notice: 'Notice: ',
  debug: '##[debug]',
  command: '',
}

function renderLine({ number, text }: Line): Html {
  const [, kind = '', rest = ''] = MARK.exec(text) ?? []
  const shown = kind === '' ? text : rest
  return html`<div class="log-line ${kind}"><span class="log-number">${number}</span><span class="log-text">${PREFIX[kind]}${linked(shown)}</span></div>`
}

function linked(text: string): Html {
  const parts = text.split(/(https?:\/\/[^\s<>"'`]*[^\s<>"'`.,;:)\]])/)
  return html`${parts.map((part, index) => (index % 2 === 1 ? html`<a href="${part}" rel="nofollow">${part}</a>` : part))}`
}
