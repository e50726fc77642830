import type { PhrasingContent, RootContent, TableCell } from 'mdast'
import { gfmToMarkdown } from 'mdast-util-gfm'
import { toMarkdown } from 'mdast-util-to-markdown'
import { normalAddress, oneLine } from './untrusted-text.ts'

/**
 * Markdown is built as a tree and serialised by a library that knows what must be escaped where,
 * so that no text, whoever wrote it, can become structure.
 */

/** Serialises blocks as GitHub-flavoured Markdown, ending in a newline. */
export function serialise(blocks: readonly RootContent[]): string {
  return toMarkdown(
    { type: 'root', children: [...blocks] },
    {
      bullet: '-',
      emphasis: '_',
      rule: '-',
      resourceLink: true,
      extensions: [gfmToMarkdown({ tablePipeAlign: false })],
    },
  )
}

/** Text of our own, or text that has gone through `defuse`. */
export function text(value: string): PhrasingContent {
  return { type: 'text', value }
}

export function strong(...children: PhrasingContent[]): PhrasingContent {
  return { type: 'strong', children }
}

/** Untrusted text as inline code, where GitHub looks for neither mentions nor links. */
export function code(value: string, maxChars = 120): PhrasingContent {
  const line = oneLine(value, maxChars)
  return line === '' ? text('–') : { type: 'inlineCode', value: line }
}

/**
 * Inline code for a table cell. The pipe is replaced by its look-alike: a table has no way of writing
 * a backslash followed by a pipe inside code (the cell would end there).
 */
export function cellCode(value: string, maxChars = 80): PhrasingContent {
  return code(value.replaceAll('|', '\u2223'), maxChars)
}

/** A link, or only its label where the address is not one for the web. */
export function link(address: string | undefined, ...label: PhrasingContent[]): PhrasingContent[] {
  const url = normalAddress(address)
  return url === undefined ? label : [{ type: 'link', url: url.href, children: label.filter(isNotLink) }]
}

function isNotLink(node: PhrasingContent): boolean {
  return node.type !== 'link'
}

export function heading(depth: 2 | 3 | 4, ...children: PhrasingContent[]): RootContent {
  return { type: 'heading', depth, children }
}

export function paragraph(...children: PhrasingContent[]): RootContent {
  return { type: 'paragraph', children }
}

export function list(items: readonly PhrasingContent[][]): RootContent {
  return {
    type: 'list',
    ordered: false,
    spread: false,
    children: items.map((children) => ({
      type: 'listItem',
      spread: false,
      children: [{ type: 'paragraph', children }],
    })),
  }
}

export function table(header: readonly string[], rows: readonly PhrasingContent[][][]): RootContent {
  const cell = (children: PhrasingContent[]): TableCell => ({ type: 'tableCell', children })
  return {
    type: 'table',
    children: [
      { type: 'tableRow', children: header.map((title) => cell([text(title)])) },
      ...rows.map((cells) => ({ type: 'tableRow' as const, children: cells.map(cell) })),
    ],
  }
}

/** A fenced block; the fence is longer than any run of its own character in the text. */
export function block(lines: readonly string[], lang?: string): RootContent {
  return { type: 'code', value: lines.join('\n'), ...(lang === undefined ? {} : { lang }) }
}

/** HTML of our own. Never pass untrusted text. */
export function html(value: string): RootContent & PhrasingContent {
  return { type: 'html', value }
}

/** Blocks folded under a title of our own. */
export function folded(title: string, ...blocks: RootContent[]): RootContent[] {
  return [html(`<details><summary>${title}</summary>`), ...blocks, html('</details>')]
}

/** Small print. */
export function small(...children: PhrasingContent[]): PhrasingContent[] {
  return [html('<sub>'), ...children, html('</sub>')]
}

/** Small print in one paragraph. */
export function smallPrint(...children: PhrasingContent[]): RootContent {
  return paragraph(...small(...children))
}

/** Joins groups of nodes with ` · `, leaving out empty groups. */
export function dotted(groups: readonly PhrasingContent[][]): PhrasingContent[] {
  return groups
    .filter((group) => group.length > 0)
    .flatMap((group, index) => (index === 0 ? group : [text(' · '), ...group]))
}
