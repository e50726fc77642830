import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Lays out an empty repository, of which there are hundreds in a run of the tests: what git needs to take a folder for one
 * (gitrepository-layout(5)), without the process, the sample hooks and the rest of `git init`.
 *
 * @param directory - the repository itself, so of one with a work tree the `.git` in it
 * @param options.branch - what `HEAD` stands for
 * @param options.settings - more of its configuration, as text
 */
export async function layOutRepository(
  directory: string,
  options: { readonly branch: string; readonly bare: boolean; readonly settings?: string },
): Promise<void> {
  await mkdir(join(directory, 'objects'), { recursive: true })
  await mkdir(join(directory, 'refs', 'heads'), { recursive: true })
  const core = `[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = ${options.bare}\n`
  await writeFile(join(directory, 'config'), core + (options.settings ?? ''))
  // Last, as it is what tells that the repository is there.
  await writeFile(join(directory, 'HEAD'), `ref: refs/heads/${options.branch}\n`)
}
