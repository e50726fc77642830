import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String)

const schema = z.object({
  name: z.string(),
  inputs: z
    .record(z.string(), z.object({ default: scalar.nullish(), deprecationMessage: z.string().optional() }).nullable())
    .nullish(),
  runs: z.object({
    using: z.string().regex(/^node\d+$/, 'only JavaScript actions are run here'),
    pre: z.undefined({ error: 'pre steps are not imitated' }).optional(),
    main: z.string(),
    post: z.string().optional(),
    'post-if': z.string().optional(),
  }),
})

export type ActionFile = z.infer<typeof schema>

/** Reads the `action.yml` (or `action.yaml`) of a JavaScript action. */
export async function readActionFile(directory: string): Promise<ActionFile> {
  for (const name of ['action.yml', 'action.yaml']) {
    let text: string
    try {
      text = await readFile(join(directory, name), 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
      throw error
    }
    const parsed = schema.safeParse(parse(text))
    if (!parsed.success) throw new Error(`${join(directory, name)} cannot be run: ${z.prettifyError(parsed.error)}`)
    return parsed.data
  }
  throw new Error(`Can't find 'action.yml' or 'action.yaml' under '${directory}'.`)
}

/** The environment variable an input arrives in: upper case, spaces become `_`, hyphens stay. */
export function inputVariable(name: string): string {
  return `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`
}
