import type { Element, ElementContent, Root, RootContent } from 'hast'
import { fromHtml } from 'hast-util-from-html'
import { defaultSchema, sanitize } from 'hast-util-sanitize'
import { toHtml } from 'hast-util-to-html'
import { Marked } from 'marked'
import { Html } from './html.ts'

export interface MarkdownOptions {
  /** `owner/name`, for `#12` and its like. */
  readonly repository: string
  /** A line break in the source is one on the page, as GitHub does in comments but not in files and summaries. */
  readonly breaks: boolean
}

/**
 * Renders a stranger's Markdown as GitHub does: parsed with GitHub's extensions, cut down to GitHub's own list of
 * allowed elements and attributes (hast-util-sanitize), then mentions and numbers become links and diagrams are drawn.
 */
export function renderMarkdown(source: string, options: MarkdownOptions): Html {
  const parsed = new Marked({ gfm: true, breaks: options.breaks }).parse(source, { async: false })
  const tree = sanitize(fromHtml(parsed, { fragment: true }), defaultSchema)
  return new Html(toHtml(tree.type === 'root' ? decorate(tree, options) : tree))
}

/** Elements whose text GitHub leaves alone. */
const VERBATIM = ['a', 'code', 'pre']

function decorate<T extends Root | Element>(parent: T, options: MarkdownOptions): T {
  const children = parent.children.flatMap((child): (RootContent | ElementContent)[] => {
    if (child.type === 'text') return linkReferences(child.value, options.repository)
    if (child.type !== 'element') return [child]
    const diagram = diagramSource(child)
    if (diagram !== undefined) return [diagramFrame(diagram)]
    if (child.tagName === 'a') child.properties.rel = ['nofollow']
    return [VERBATIM.includes(child.tagName) ? child : decorate(child, options)]
  })
  return { ...parent, children }
}

/** `@login` outside of words and addresses, and `#number`. */
const REFERENCE = /(?<![\w/@`.-])@([a-z\d](?:[a-z\d]|-(?=[a-z\d])){0,38})(?![\w@])|(?<![\w&/#])#(\d+)\b/gi

function linkReferences(text: string, repository: string): ElementContent[] {
  const nodes: ElementContent[] = []
  let end = 0
  for (const match of text.matchAll(REFERENCE)) {
    const [whole, login, number] = match
    nodes.push({ type: 'text', value: text.slice(end, match.index) })
    nodes.push(
      login === undefined
        ? reference(whole, `/${repository}/issues/${number}`)
        : reference(whole, `/${login}`, 'mention'),
    )
    end = match.index + whole.length
  }
  return [...nodes, { type: 'text', value: text.slice(end) }]
}

function reference(value: string, href: string, className = 'reference'): Element {
  return {
    type: 'element',
    tagName: 'a',
    properties: { href, className: [className] },
    children: [{ type: 'text', value }],
  }
}

function diagramSource(element: Element): string | undefined {
  const [code] = element.children
  if (element.tagName !== 'pre' || code?.type !== 'element') return undefined
  const classes = code.properties.className
  if (!Array.isArray(classes) || !classes.includes('language-mermaid')) return undefined
  return code.children.map((child) => (child.type === 'text' ? child.value : '')).join('')
}

/** As on GitHub, a diagram is drawn in a frame that has no rights on the page. */
function diagramFrame(source: string): Element {
  const src = `/-/diagram.html#${encodeURIComponent(source)}`
  const properties = { className: ['diagram'], src, sandbox: ['allow-scripts'], title: 'Diagram' }
  return { type: 'element', tagName: 'iframe', properties, children: [] }
}
