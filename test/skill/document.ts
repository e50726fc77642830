import { readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Nodes } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { gfm } from 'micromark-extension-gfm'
import { z } from 'zod'

export const skillFolder = resolve(import.meta.dirname, '../../skills/ink-deploy')

/** One call of a tool, as the skill writes it down. */
const callSchema = z.strictObject({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  /** Names for parts of the answer: name → path. */
  keep: z.record(z.string(), z.string()).optional(),
  /** Repeated until the answer looks like this, or until it fails with this text. */
  until: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
  /** It fails, and this is in the text. */
  refusal: z.string().optional(),
  /** Only where the server lists the tool. */
  optional: z.boolean().optional(),
})
export type SkillCall = z.infer<typeof callSchema>

/** What a document tells its reader to do, in its order. */
export type Instruction =
  | { readonly kind: 'call'; readonly call: SkillCall }
  | { readonly kind: 'shell'; readonly script: string; readonly fails: string | undefined }

export interface SkillDocument {
  readonly text: string
  /** The front matter, unread. */
  readonly front: string
  readonly instructions: readonly Instruction[]
  /** Fenced configuration, that is what is neither a call nor a command. */
  readonly snippets: readonly { readonly language: string; readonly content: string }[]
  /** Cells of each table, as Markdown; the first row is the head. */
  readonly tables: readonly (readonly (readonly string[])[])[]
  readonly links: readonly string[]
  /** What is set as code within a line. */
  readonly codes: readonly string[]
}

/** Reads a file of the skill. @throws when a fenced block is of no known form */
export async function readDocument(name: string): Promise<SkillDocument> {
  const text = await readFile(join(skillFolder, name), 'utf8')
  const front = /^---\n([\s\S]*?)\n---\n/.exec(text)
  const body = text.slice(front?.[0].length ?? 0)
  const nodes = allNodes(fromMarkdown(body, { extensions: [gfm()], mdastExtensions: [gfmFromMarkdown()] }))
  const fences = nodes.flatMap((node) =>
    node.type === 'code' ? [{ language: node.lang ?? '', content: node.value }] : [],
  )
  const isConfiguration = ({ language, content }: { language: string; content: string }) =>
    language === 'yaml' || (language === 'json' && content.includes('"mcpServers"'))
  const source = (node: Nodes) => body.slice(node.position?.start.offset, node.position?.end.offset)
  return {
    text,
    front: front?.[1] ?? '',
    instructions: fences.filter((fence) => !isConfiguration(fence)).flatMap(instructionsOf),
    snippets: fences.filter(isConfiguration),
    tables: nodes.flatMap((node) =>
      node.type === 'table'
        ? [node.children.map((row) => row.children.map((cell) => cell.children.map(source).join('')))]
        : [],
    ),
    codes: nodes.flatMap((node) => (node.type === 'inlineCode' ? [node.value] : [])),
    links: nodes.flatMap((node) => (node.type === 'link' ? [node.url] : [])),
  }
}

function allNodes(node: Nodes): Nodes[] {
  return [node, ...('children' in node ? node.children.flatMap(allNodes) : [])]
}

function instructionsOf({ language, content }: { language: string; content: string }): Instruction[] {
  if (language === 'sh') return [{ kind: 'shell', script: content, fails: /^# fails: (.+)$/m.exec(content)?.[1] }]
  if (language !== 'json') throw new Error(`A block of “${language}” is neither a call nor a command:\n${content}`)
  // Each call begins at the start of a line.
  return content.split(/\n(?=\{)/).map((one) => ({ kind: 'call', call: callSchema.parse(JSON.parse(one)) }))
}

/** The code spans of a cell: `` `a`, `b` `` → `a`, `b`. */
export function codeSpans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, code]) => code ?? [])
}
