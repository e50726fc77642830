import { readFile } from 'node:fs/promises'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'

/** A fenced block. */
export interface Fence {
  readonly language: string
  readonly content: string
}

/** The parts of a Markdown file that can be checked, each kind in the order of the file. */
export interface Markdown {
  readonly text: string
  /** The front matter, unread; empty where there is none. */
  readonly front: string
  readonly fences: readonly Fence[]
  /** Cells of each table, as Markdown; the first row is the head. */
  readonly tables: readonly (readonly (readonly string[])[])[]
  readonly links: readonly string[]
  /** What is set as code within a line. */
  readonly codes: readonly string[]
}

export async function readMarkdown(path: string): Promise<Markdown> {
  const text = await readFile(path, 'utf8')
  const front = /^---\n([\s\S]*?)\n---\n/.exec(text)
  const body = text.slice(front?.[0].length ?? 0)
  const nodes = allNodes(fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }))
  const source = (node: Nodes) => body.slice(node.position?.start.offset, node.position?.end.offset)
  return {
    text,
    front: front?.[1] ?? '',
    fences: nodes.flatMap((node) => (node.type === 'code' ? [{ language: node.lang ?? '', content: node.value }] : [])),
    tables: nodes.flatMap((node) =>
      node.type === 'table'
        ? [node.children.map((row) => row.children.map((cell) => cell.children.map(source).join('')))]
        : [],
    ),
    links: nodes.flatMap((node) => (node.type === 'link' ? [node.url] : [])),
    codes: nodes.flatMap((node) => (node.type === 'inlineCode' ? [node.value] : [])),
  }
}

function allNodes(node: Nodes): Nodes[] {
  return [node, ...('children' in node ? node.children.flatMap(allNodes) : [])]
}

/** The code spans of a cell: `` `a`, `b` `` → `a`, `b`. */
export function codeSpans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code]) => code ?? [])
}
