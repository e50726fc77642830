import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'

export interface SampleAction extends AsyncDisposable {
  readonly directory: string
}

/** Writes an action of a few lines to a folder of its own; it is gone when the test ends. */
export async function sampleAction(parts: {
  readonly main: string
  readonly post?: string
  readonly postIf?: string
  readonly inputs?: Readonly<Record<string, { readonly default?: string; readonly deprecationMessage?: string } | null>>
}): Promise<SampleAction> {
  const directory = await mkdtemp(join(tmpdir(), 'sample-action-'))
  const runs = {
    using: 'node24',
    main: 'main.mjs',
    ...(parts.post === undefined ? {} : { post: 'post.mjs' }),
    ...(parts.postIf === undefined ? {} : { 'post-if': parts.postIf }),
  }
  await writeFile(join(directory, 'action.yml'), stringify({ name: 'Sample', inputs: parts.inputs ?? {}, runs }))
  await writeFile(join(directory, 'main.mjs'), parts.main)
  if (parts.post !== undefined) await writeFile(join(directory, 'post.mjs'), parts.post)
  return {
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}
