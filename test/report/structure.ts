import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'

const OF_GITHUB = { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }

/** What a reader of GitHub-flavoured Markdown makes of a text. */
export function parseMarkdown(markdown: string): Nodes {
  return fromMarkdown(markdown, OF_GITHUB)
}

/**
 * The structure of a text without its words: node types, nested; runs of text and inline code count as one
 * piece of writing; HTML, which is always ours, is part of the structure, the hidden state's content is not.
 */
export function shapeOf(node: Nodes): string {
  if (node.type === 'html') return node.value.startsWith('<!--') ? '<!-- -->' : node.value
  if (!('children' in node)) return node.type
  const children = node.children.map((child) =>
    child.type === 'text' || child.type === 'inlineCode' ? 'words' : shapeOf(child),
  )
  const runs = children.filter((shape, index) => shape !== 'words' || children[index - 1] !== 'words')
  return `${node.type}(${runs.join(' ')})`
}

/** Every text that GitHub searches for mentions, references and bare addresses: not code, not the inside of links. */
export function searchedTexts(node: Nodes): string[] {
  if (node.type === 'text') return [node.value]
  if (node.type === 'link' || !('children' in node)) return []
  return node.children.flatMap(searchedTexts)
}

/** All addresses that links and images lead to. */
export function addressesOf(node: Nodes): string[] {
  const own = node.type === 'link' || node.type === 'image' || node.type === 'definition' ? [node.url] : []
  return 'children' in node ? [...own, ...node.children.flatMap(addressesOf)] : own
}

/** What GitHub acts on in a rendered text, whatever stands around it. */
export const LIVE_TEXT = /@[\p{L}\p{N}_-]|#\d|\bGH-\d|:\/\/|www\.\S|mailto:\S+@\S/iu
