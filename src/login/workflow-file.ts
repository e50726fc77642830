import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DeployError } from '../core/errors.ts'
import { WORKFLOW_PATH } from './workflow.ts'

/** The workflow file of a repository. */
export interface WorkflowFile {
  /** What is in it; undefined while there is none. */
  readonly content: string | undefined
  /** @param content replaces what {@link WorkflowFile.content} said was there; a file that came up since is left alone */
  write(content: string): Promise<void>
}

/**
 * The workflow file of the repository that a folder belongs to.
 * @throws DeployError when the folder belongs to none
 */
export function openWorkflowFile(folder: string): WorkflowFile {
  const path = join(repositoryRoot(folder), WORKFLOW_PATH)
  const content = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  return {
    content,
    async write(text) {
      try {
        await mkdir(dirname(path), { recursive: true })
        await writeFile(path, text, { flag: content === undefined ? 'wx' : 'w' })
      } catch (cause) {
        throw new DeployError(`${WORKFLOW_PATH} could not be written`, {
          cause,
          hint: 'Check that the folder may be written to, then run: ink-deploy login --write-workflow',
        })
      }
    },
  }
}

function repositoryRoot(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    // A file in a worktree or a submodule, a folder otherwise.
    if (existsSync(join(at, '.git'))) return at
    if (at === dirname(at)) {
      throw new DeployError(`${folder} is in no git repository, so there is no place for ${WORKFLOW_PATH}`, {
        hint: 'Run this in a clone of the repository that is to be deployed.',
      })
    }
  }
}
