import type { PhrasingContent, RootContent, TableCell } from 'mdast'
import { gfmToMarkdown } from 'mdast-util-gfm'
import { type Options, toMarkdown } from 'mdast-util-to-markdown'
import type { Annotation } from '../core/errors.ts'

/**
 * Markdown is built as a tree and serialised by a library that knows what must be escaped where,
 * so that no text, whoever wrote it, can become structure.
 */

const OF_GITHUB: Options = {
  bullet: '-',
  emphasis: '_',
  rule: '-',
  resourceLink: true,
  extensions: [gfmToMarkdown({ tablePipeAlign: false })],
}

/** Serialises blocks as GitHub-flavoured Markdown, ending in a newline. */
export function serialise(blocks: readonly RootContent[]): string {
  return toMarkdown({ type: 'root', children: [...blocks] }, OF_GITHUB)
}

/** What is said of a value, where there is one. */
export function given<T, R>(value: T | undefined, say: (value: T) => R[]): R[] {
  return value === undefined ? [] : say(value)
}

/** What is said of a list, where it has anything in it. */
export function ifAny<T, R>(list: readonly T[], say: (list: readonly T[]) => R[]): R[] {
  return list.length === 0 ? [] : say(list)
}

/** What stands within a line. A string is text of our own, or text that has gone through `defuse`. */
export type Inline = PhrasingContent | string

function nodes(children: readonly Inline[]): PhrasingContent[] {
  return children.map((child) => (typeof child === 'string' ? { type: 'text', value: child } : child))
}

export function strong(...children: Inline[]): PhrasingContent {
  return { type: 'strong', children: nodes(children) }
}

/** Untrusted text as inline code, where GitHub looks for neither mentions nor links. */
export function code(value: string, maxChars = 120): PhrasingContent {
  const line = oneLine(value, maxChars)
  return line === '' ? { type: 'text', value: '–' } : { type: 'inlineCode', value: line }
}

/**
 * Inline code for a table cell. The pipe is replaced by its look-alike: a table has no way of writing
 * a backslash followed by a pipe inside code (the cell would end there).
 */
export function cellCode(value: string, maxChars = 80): PhrasingContent {
  return code(value.replaceAll('|', '\u2223'), maxChars)
}

/** A link, or only its label where the address is not one for the web. */
export function link(address: string | undefined, ...label: Inline[]): PhrasingContent[] {
  const url = normalAddress(address)
  const children = nodes(label)
  return url === undefined
    ? children
    : [{ type: 'link', url: url.href, children: children.filter(({ type }) => type !== 'link') }]
}

export function heading(depth: 2 | 3 | 4, ...children: Inline[]): RootContent {
  return { type: 'heading', depth, children: nodes(children) }
}

export function paragraph(...children: Inline[]): RootContent {
  return { type: 'paragraph', children: nodes(children) }
}

export function list(items: readonly Inline[][]): RootContent {
  return {
    type: 'list',
    ordered: false,
    spread: false,
    children: items.map((children) => ({
      type: 'listItem',
      spread: false,
      children: [{ type: 'paragraph', children: nodes(children) }],
    })),
  }
}

export function table(header: readonly string[], rows: readonly Inline[][][]): RootContent {
  const cell = (children: readonly Inline[]): TableCell => ({ type: 'tableCell', children: nodes(children) })
  return {
    type: 'table',
    children: [
      { type: 'tableRow', children: header.map((title) => cell([title])) },
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

export function small(...children: Inline[]): Inline[] {
  return [html('<sub>'), ...children, html('</sub>')]
}

/** Small print in one paragraph. */
export function smallPrint(...children: Inline[]): RootContent {
  return paragraph(...small(...children))
}

/** Joins groups of nodes with ` · `, leaving out empty groups. */
export function dotted(groups: readonly Inline[][]): Inline[] {
  return groups.filter((group) => group.length > 0).flatMap((group, index) => (index === 0 ? group : [' · ', ...group]))
}

/**
 * Text written by strangers (build logs, branch names, error messages) made fit for GitHub's Markdown.
 * The serialiser escapes what Markdown itself would act on; this file deals with what GitHub finds in the
 * *rendered* text, where no backslash helps: mentions, references to issues, and links made of bare addresses.
 */

const ZERO_WIDTH_SPACE = '\u200b'

// C0 and C1 controls but tab and newline, line and paragraph separators, bidi controls, byte order mark, lone surrogates.
const UNPRINTABLE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/** Drops control and direction characters; keeps newlines and tabs. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, '')
}

/** Cuts to `maxChars` UTF-16 units without splitting a character, ending in `…`. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const end = Math.max(0, maxChars - 1)
  const splitsPair = /[\ud800-\udbff]/.test(text.charAt(end - 1))
  return `${text.slice(0, splitsPair ? end - 1 : end)}…`
}

/** One line of printable text, white space collapsed, at most `maxChars` long. */
export function oneLine(text: string, maxChars: number): string {
  // Cutting first bounds the work on a line of megabytes.
  const bounded = text.slice(0, maxChars * 4)
  return cut(printable(bounded.replace(/\s+/g, ' ')).replace(/\s+/g, ' ').trim(), maxChars)
}

/**
 * Breaks up, with a zero-width space, what GitHub would turn into a mention, a reference or a link:
 * `@user`, `@org/team`, `#12`, `owner/repo#12`, `GH-12`, `https://…`, `www.…`, mail addresses.
 */
export function defuse(text: string): string {
  return text
    .replace(/@(?=[\p{L}\p{N}_-])/gu, `@${ZERO_WIDTH_SPACE}`)
    .replace(/#(?=\d)/g, `#${ZERO_WIDTH_SPACE}`)
    .replace(/\b(GH)-(?=\d)/gi, `$1-${ZERO_WIDTH_SPACE}`)
    .replace(/:(?=\/\/)/g, `:${ZERO_WIDTH_SPACE}`)
    .replace(/(www)\.(?=\S)/gi, `$1${ZERO_WIDTH_SPACE}.`)
}

// What stands between backticks; a workflow's `${{ … }}` in one piece, blanks and all, so that it can be copied; and
// words with a dollar sign, of which GitHub would make a formula.
const CODE_IN_PROSE = /`([^`]*[^`\s][^`]*)`|[^\s`$]*\$\{\{[^`]*?\}\}[^\s`.,;:)]*|[^\s`$]*\$[^\s`]*/g

/**
 * A line of untrusted prose as Markdown nodes: `` `…` ``, `${{ … }}` and words with a `$` become code, the rest defused text.
 * Only text and inline code can come out, whatever goes in.
 */
export function prose(text: string, maxChars = 500): PhrasingContent[] {
  const line = oneLine(text, maxChars)
  const nodes: PhrasingContent[] = []
  let rest = 0
  for (const match of line.matchAll(CODE_IN_PROSE)) {
    const between = line.slice(rest, match.index)
    // Two code spans that touch would be read as one.
    if (between !== '' || nodes.length > 0) nodes.push({ type: 'text', value: defuse(between) || ' ' })
    nodes.push({ type: 'inlineCode', value: (match[1] ?? match[0]).trim() })
    rest = match.index + match[0].length
  }
  if (rest < line.length) nodes.push({ type: 'text', value: defuse(line.slice(rest)) })
  return nodes.length > 0 ? nodes : [{ type: 'text', value: '–' }]
}

/** As {@link prose}, with a full stop where nothing else ends it. */
export function sentence(text: string, maxChars = 500): PhrasingContent[] {
  const nodes = prose(text, maxChars)
  const last = nodes.at(-1)
  if (last?.type !== 'text') return [...nodes, { type: 'text', value: '.' }]
  // Within the same node: a digit and a full stop in two of them would make a list.
  return /[.!?…–]\s*$/.test(last.value) ? nodes : [...nodes.slice(0, -1), { ...last, value: `${last.value}.` }]
}

/** An http(s) address in its normal form, or `undefined` for anything else (`javascript:`, credentials, nonsense). */
export function normalAddress(text: string | undefined): URL | undefined {
  if (text === undefined || text.length > 2000 || !URL.canParse(text)) return undefined
  const url = new URL(text)
  const isWeb = url.protocol === 'https:' || url.protocol === 'http:'
  return isWeb && url.username === '' && url.password === '' ? url : undefined
}

/** Limits of one excerpt of a log. */
export interface ExcerptLimits {
  readonly maxLines: number
  readonly maxLineChars: number
}

/** The last (`end`) or first (`start`) lines of a log, each printable and of bounded length. */
export function excerpt(lines: readonly string[], from: 'start' | 'end', limits: ExcerptLimits): string[] {
  if (limits.maxLines <= 0) return []
  const picked = from === 'end' ? lines.slice(-limits.maxLines) : lines.slice(0, limits.maxLines)
  return picked.map((line) =>
    cut(printable(line.slice(0, limits.maxLineChars * 4)).replace(/\n/g, ' '), limits.maxLineChars),
  )
}

/** GitHub shows ten annotations of each level per step. */
const MAX_ANNOTATIONS = 10
const MAX_TITLE_CHARS = 120
const MAX_MESSAGE_CHARS = 1500

/**
 * The annotations that will be shown: the first ten of each level, texts fitted, a file only when it lies inside the
 * repository, a line only together with a file.
 */
export function fitAnnotations(annotations: readonly Annotation[]): Annotation[] {
  const used = { error: 0, warning: 0, notice: 0 }
  return annotations.filter(({ level }) => ++used[level] <= MAX_ANNOTATIONS).map(fit)
}

function fit({ level, title, message, file, line, column }: Annotation): Annotation {
  const bounded = {
    level,
    title: oneLine(title, MAX_TITLE_CHARS),
    message: cut(printable(message.slice(0, MAX_MESSAGE_CHARS * 2)), MAX_MESSAGE_CHARS),
  }
  if (file === undefined || !liesInside(file)) return bounded
  const at = isPosition(line) ? { line, ...(isPosition(column) ? { column } : {}) } : {}
  return { ...bounded, file, ...at }
}

function liesInside(file: string): boolean {
  const leaves = /^$|^([\\/]|[A-Za-z]:)|(^|[\\/])\.\.([\\/]|$)|\n/.test(file)
  return !leaves && file.length <= 500 && printable(file) === file
}

function isPosition(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value > 0
}
