import { resolve } from 'node:path'
import { type GitHub, type GitHubOptions, startGitHub } from './github/github.ts'
import { type InkOptions, type InkPlatform, startInkPlatform } from './ink/platform.ts'
import { createGitReads } from './page/git-reads.ts'
import { createPage } from './page/page.ts'
import { createRunBook, type RecordedRun, type RunBook } from './page/run-book.ts'
import { type RunOptions, type RunResult, runAction } from './runner/runner.ts'

export type { GitHub, GitHubOptions, PullRequest, Repository, WebhookEvent } from './github/github.ts'
export type { InkOptions, InkPlatform, InkProfile, InkTiming } from './ink/platform.ts'
export type { RecordedRun } from './page/run-book.ts'
export type { RunOptions, RunResult } from './runner/runner.ts'

/** What a workflow that uses the action grants its job. */
export const USUAL_PERMISSIONS = { contents: 'read', 'pull-requests': 'write', deployments: 'write' } as const

const FIRST_RUN_ID = 9_000_000_001

export interface SandboxOptions {
  /** Directory with `action.yml`. Default: this repository. */
  readonly action?: string
  /** Path of the Node executable that runs it, where a run does not say otherwise. Default: the one that runs this. */
  readonly node?: string
  readonly ink?: InkOptions
  /** `port` is that of the page as well. */
  readonly github?: Omit<GitHubOptions, 'pages'>
}

/** What a run is about; all that is not given is as in the workflow which the project recommends. */
export type SandboxRun = Pick<RunOptions, 'repository' | 'event'> &
  Partial<Omit<RunOptions, 'repository' | 'event' | 'github'>>

/** ml.ink, GitHub and a runner on this machine, and a page to look at them. */
export interface Sandbox extends AsyncDisposable {
  readonly ink: InkPlatform
  readonly github: GitHub
  /** Address of the page: GitHub's own, so that the links in comments lead to it. */
  readonly pageUrl: string
  /** All runs, oldest first, those going on included. */
  runs(): readonly RecordedRun[]
  /**
   * Runs the action with the sandbox's key and endpoint and shows the run on the page while it goes on.
   *
   * @throws when GitHub would not start a run at all, or once the sandbox has been stopped
   */
  run(run: SandboxRun): Promise<RunResult>
  /** Cancels the runs going on, ends every process, closes every port, removes every folder. */
  stop(): Promise<void>
}

/** Starts the whole sandbox on free ports of 127.0.0.1. */
export async function startSandbox(options: SandboxOptions = {}): Promise<Sandbox> {
  const { action = resolve(import.meta.dirname, '..'), node } = options
  const book = createRunBook(options.github?.now ?? (() => new Date()))
  const ink = await startInkPlatform(options.ink)
  const page = createPage({ ink, book, git: createGitReads(), github: () => github })
  const github: GitHub = await startGitHub({ ...options.github, pages: page.handle }).catch(async (error: unknown) => {
    await ink.stop()
    throw error
  })
  const stopping = new AbortController()
  const going = new Set<Promise<unknown>>()

  async function stopAll(): Promise<void> {
    stopping.abort()
    await Promise.allSettled(going)
    page.close()
    await Promise.all([github.stop(), ink.stop()])
  }
  let stopped: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopped ??= stopAll()
    return stopped
  }

  return {
    ink,
    github,
    pageUrl: github.serverUrl,
    runs: book.all,
    async run(run) {
      if (stopping.signal.aborted) throw new Error('The sandbox has been stopped.')
      const signal = run.signal === undefined ? stopping.signal : AbortSignal.any([run.signal, stopping.signal])
      const running = recordedRun(
        { ...usualRun(ink, action, node), ...run, github, signal, ...withKey(ink, run) },
        book,
      )
      going.add(running)
      return running.finally(() => going.delete(running))
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function usualRun(ink: InkPlatform, action: string, node: string | undefined) {
  return { action, ...(node !== undefined && { node }), permissions: USUAL_PERMISSIONS, secrets: [ink.apiKey] }
}

function withKey(ink: InkPlatform, run: SandboxRun) {
  return { with: { 'api-key': ink.apiKey, endpoint: ink.endpoint, ...run.with } }
}

async function recordedRun(options: RunOptions, book: RunBook): Promise<RunResult> {
  const id = options.rerunOf ?? options.runId ?? FIRST_RUN_ID + book.all().length
  const { repository, event } = options
  const again = options.rerunOf === undefined ? undefined : repository.runs.get(options.rerunOf)
  const attempt = again ? again.attempt + 1 : (options.runAttempt ?? 1)
  const scribe = book.open({ id, attempt, repository, event })
  try {
    const result = await runAction({
      ...options,
      runId: id,
      onLine(line, stage) {
        scribe.line(line, stage)
        options.onLine?.(line, stage)
      },
    })
    scribe.finish(result)
    return result
  } catch (error) {
    scribe.fail(error instanceof Error ? error.message : String(error))
    throw error
  }
}
