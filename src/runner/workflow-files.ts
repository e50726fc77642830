import { readdirSync, readFileSync } from 'node:fs'
import { locateInWorkspace } from '../core/workspace-file.ts'
import type { WorkflowText } from '../plan/workflow/workflow.ts'

/** Where forges look for workflows. */
const DIRECTORIES = ['.github/workflows', '.gitea/workflows', '.forgejo/workflows']
const MOST_FILES = 100
const LONGEST_BYTES = 1_000_000

/** The workflow files of the checkout; none where nothing is checked out. */
export function readWorkflowFiles(workspace: string): readonly WorkflowText[] {
  return DIRECTORIES.flatMap((directory) => {
    const located = locateInWorkspace(workspace, directory)
    if (located.kind !== 'directory') return []
    const names = readdirSync(located.path).filter((name) => /\.ya?ml$/.test(name))
    return names
      .sort()
      .slice(0, MOST_FILES)
      .flatMap((name) => {
        const path = `${directory}/${name}`
        const file = locateInWorkspace(workspace, path)
        return file.kind === 'file' && file.bytes <= LONGEST_BYTES
          ? [{ path, text: readFileSync(file.path, 'utf8') }]
          : []
      })
  })
}
