import { join, resolve } from 'node:path'
import { z } from 'zod'
import { type Fence, type Markdown, readMarkdown } from './markdown.ts'

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

export interface SkillDocument extends Omit<Markdown, 'fences'> {
  readonly instructions: readonly Instruction[]
  /** Fenced configuration, that is what is neither a call nor a command. */
  readonly snippets: readonly Fence[]
}

/** Reads a file of the skill. @throws when a fenced block is of no known form */
export async function readDocument(name: string): Promise<SkillDocument> {
  const { fences, ...rest } = await readMarkdown(join(skillFolder, name))
  return {
    ...rest,
    instructions: fences.filter((fence) => !isConfiguration(fence)).flatMap(instructionsOf),
    snippets: fences.filter(isConfiguration),
  }
}

function isConfiguration({ language, content }: Fence): boolean {
  return language === 'yaml' || (language === 'json' && content.includes('"mcpServers"'))
}

function instructionsOf({ language, content }: Fence): Instruction[] {
  if (language === 'sh') return [{ kind: 'shell', script: content, fails: /^# fails: (.+)$/m.exec(content)?.[1] }]
  if (language !== 'json') throw new Error(`A block of “${language}” is neither a call nor a command:\n${content}`)
  // Each call begins at the start of a line.
  return content.split(/\n(?=\{)/).map((one) => ({ kind: 'call', call: callSchema.parse(JSON.parse(one)) }))
}
