import { mkdir, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { EventKind, EventOptions } from './github/render/event.ts'
import { git } from './github/state/git.ts'
import type { Repository, RunResult, Sandbox } from './index.ts'

/** Never part of an app, also where nobody wrote a `.gitignore`. */
const NEVER_SHIPPED = ['node_modules/', '.venv/', '__pycache__/', '.DS_Store']
const LOOK_EVERY_MS = 700
const BRANCH = 'changes'

/** A directory of this machine as a repository: production as it was first, and a pull request that follows it. */
export interface OwnApp {
  readonly repository: Repository
  /** Deploys what has changed since the last look, one run after the other: nothing where nothing has. */
  deployChanges(): AsyncGenerator<{ readonly title: string; readonly run: RunResult }>
}

/** @param directory its whole path */
export async function openOwnApp(sandbox: Sandbox, directory: string): Promise<OwnApp> {
  const name = basename(directory).replace(/[^\w.-]+/g, '-')
  const repository = await sandbox.github.createRepository({ owner: 'you', name: name === '' ? 'app' : name })
  const info = join(repository.gitDir, 'info')
  await mkdir(info, { recursive: true })
  await writeFile(join(info, 'exclude'), `${NEVER_SHIPPED.join('\n')}\n`)
  const act = async (kind: EventKind, options: EventOptions): Promise<RunResult> =>
    sandbox.run({ repository, event: await repository.event(kind, options) })

  const commit = async (branch: string, tree: string, parent: string | undefined, message: string) => {
    const identity = { GIT_AUTHOR_NAME: 'you', GIT_AUTHOR_EMAIL: 'you@localhost' }
    const env = { ...identity, GIT_COMMITTER_NAME: 'you', GIT_COMMITTER_EMAIL: 'you@localhost' }
    const parents = parent === undefined ? [] : ['-p', parent]
    const sha = await git(repository.gitDir, ['commit-tree', tree, ...parents, '-m', message], { env })
    await repository.setReference(`refs/heads/${branch}`, sha)
    return sha
  }

  let deployed: string | undefined
  let production: { readonly sha: string; readonly live: boolean } | undefined
  let head: string | undefined

  return {
    repository,
    async *deployChanges() {
      const tree = await treeOf(directory, repository)
      if (tree === deployed) return
      deployed = tree
      if (!production?.live) {
        const after = await commit('main', tree, production?.sha, 'The app as it is')
        const run = await act('push', { after, ...(production && { before: production.sha }) })
        production = { sha: after, live: run.conclusion === 'success' }
        yield { title: 'Production', run }
      }
      const before = head
      head = await commit(BRANCH, tree, head ?? production.sha, 'Changes')
      if (before === undefined) {
        const body = 'It follows the directory: save a file, and its preview is deployed again.'
        await repository.openPullRequest({ head: BRANCH, title: `Changes to ${name}`, body })
        yield { title: 'Preview', run: await act('pull_request', { action: 'opened', number: 1 }) }
      } else {
        const run = await act('pull_request', { action: 'synchronize', number: 1, before, after: head })
        yield { title: 'Preview, after a change', run }
      }
    },
  }
}

/**
 * Deploys an app again and again as it changes, until the signal. The directory is looked at with git instead of being
 * watched: git knows what is ignored and what has only been touched, alike on every system.
 */
export async function* followOwnApp(app: OwnApp, signal: AbortSignal): ReturnType<OwnApp['deployChanges']> {
  while (!signal.aborted) {
    yield* app.deployChanges()
    await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined)
  }
}

/** The directory's files, without what is ignored, as a tree of the repository. The app's own `.git` is left alone. */
function treeOf(directory: string, repository: Repository): Promise<string> {
  const env = {
    GIT_DIR: repository.gitDir,
    GIT_WORK_TREE: directory,
    GIT_INDEX_FILE: join(repository.gitDir, 'own-app.index'),
  }
  return git(directory, ['add', '--all'], { env }).then(() => git(directory, ['write-tree'], { env }))
}
