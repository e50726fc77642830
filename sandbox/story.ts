import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import type { EventKind, EventOptions, GitHub, Repository } from './github/github.ts'
import type { InkPlatform } from './ink/platform.ts'
import type { RunOptions, RunResult } from './runner/runner.ts'

/** Something that has to be so after a step. */
export interface Check {
  readonly what: string
  readonly holds: boolean
}

/** One step of the story, with everything that came of it. */
export interface StoryStep {
  readonly title: string
  readonly runs: readonly RunResult[]
  /** The comment of the pull request as it stands; undefined when there is none. */
  readonly comment: string | undefined
  readonly urls: readonly { readonly service: string; readonly url: string }[]
  readonly checks: readonly Check[]
  /** Whether this is the moment to look at it all: the next step takes it away. */
  readonly lookAround?: true
}

/** Where the story plays. */
export interface Stage {
  readonly ink: InkPlatform
  readonly github: GitHub
  /** Runs the bundled action as the runner starts it. */
  readonly run: (
    options: Pick<RunOptions, 'repository' | 'event' | 'permissions' | 'with' | 'secrets'>,
  ) => Promise<RunResult>
}

const example = fileURLToPath(new URL('../examples/monorepo', import.meta.url))
const workflow = new URL('../examples/workflows/minimal.yml', import.meta.url)
const permissions = { contents: 'read', 'pull-requests': 'write', deployments: 'write' } as const

/**
 * The life of a repository with a front end and an API in six steps: production, a pull request, an update, a broken build,
 * its fix, the merge. Every step is carried out by the action itself; what has to be true afterwards is looked up at the platform, at GitHub and at
 * the URL, not taken from what the action says.
 */
export async function* tellStory(stage: Stage): AsyncGenerator<StoryStep> {
  const teller = await openTeller(stage)
  yield await teller.goesToProduction()
  yield await teller.pullRequestOpens()
  yield await teller.secondCommit()
  yield await teller.brokenBuild()
  yield { ...(await teller.fix()), lookAround: true }
  yield await teller.merge()
}

async function openTeller({ ink, github, run }: Stage) {
  const repository = await github.createRepository({ owner: 'acme', name: 'hello' })
  // Under the name and at the path that the sandbox's runner tells.
  const deploy = (await readFile(workflow, 'utf8')).replace(/^name: .*$/m, 'name: Preview')
  const files = { ...(await filesOf(example)), '.github/workflows/preview.yml': deploy }
  const first = await repository.commit({ branch: 'main', files, message: 'Say hello' })
  const act = async (kind: EventKind, options: EventOptions) =>
    run({
      repository,
      permissions,
      event: await repository.event(kind, options),
      with: inputs(ink),
      secrets: [ink.apiKey],
    })
  const greet = (greeting: string, message: string) =>
    repository.commit({
      branch: 'friendlier',
      files: { 'web/greeting.js': `export const greeting = '${greeting}'\n` },
      message,
    })
  const step = (title: string, runs: readonly RunResult[], checks: readonly Check[]): StoryStep => ({
    title,
    runs,
    checks: [...checks, ...everyStep(github, ink, runs)],
    comment: theComment(repository),
    urls: ink.services().flatMap(({ name, url }) => (url ? [{ service: name, url }] : [])),
  })
  let heads: readonly string[] = []
  const push = async (sha: string) => {
    const before = heads.at(-1)
    heads = [...heads, sha]
    return act('pull_request', { action: 'synchronize', number: 1, after: sha, ...(before ? { before } : {}) })
  }

  return {
    async goesToProduction() {
      const result = await act('push', { after: first })
      return step(
        'A push to main goes to production',
        [result],
        [...live(result, first), await answersWith(urlOf(result), first, 'Hello from ml.ink'), apiAnswers(result)],
      )
    },
    async pullRequestOpens() {
      const sha = await repository.commit({
        branch: 'friendlier',
        parent: first,
        files: { 'web/greeting.js': "export const greeting = 'Hello, friend'\n" },
        message: 'Be friendlier',
      })
      heads = [sha]
      await repository.openPullRequest({ head: 'friendlier', title: 'Be friendlier' })
      const result = await act('pull_request', { action: 'opened', number: 1 })
      return step(
        'A pull request gets a preview',
        [result],
        [
          ...live(result, sha),
          await answersWith(urlOf(result), sha, 'Hello, friend'),
          apiAnswers(result),
          oneComment(repository, 'live'),
          oneComment(repository, 'removed when this pull request closes'),
        ],
      )
    },
    async secondCommit() {
      const sha = await greet('Hello, dear friend', 'Be friendlier still')
      const result = await push(sha)
      return step(
        'A second commit updates it',
        [result],
        [
          ...live(result, sha),
          await answersWith(urlOf(result), sha, 'Hello, dear friend'),
          oneComment(repository, 'live'),
        ],
      )
    },
    async brokenBuild() {
      const [, working = ''] = heads
      const broken = await repository.commit({
        branch: 'friendlier',
        files: { 'web/greeting.js': "export const greeting = 'Hello\n" },
        message: 'Break the build',
      })
      const result = await push(broken)
      const preview = ink.service('acme-hello-pr-1')
      return step(
        'A commit that breaks the build is red, with the reason',
        [result],
        [
          { what: 'the run is red', holds: result.conclusion === 'failure' && result.outputs.status === 'failed' },
          {
            what: 'the reason is annotated at web/greeting.js, line 1',
            holds: result.annotations.some(({ file, line }) => file === 'web/greeting.js' && line === 1),
          },
          oneComment(repository, 'SyntaxError'),
          oneComment(repository, `${working.slice(0, 7)}`),
          await answersWith(preview?.url, working, 'Hello, dear friend'),
        ],
      )
    },
    async fix() {
      const sha = await greet('Hello, friends', 'Mend the build')
      const result = await push(sha)
      return step(
        'The fix is live',
        [result],
        [...live(result, sha), await answersWith(urlOf(result), sha, 'Hello, friends'), oneComment(repository, 'live')],
      )
    },
    async merge() {
      const sha = await repository.merge(1)
      const [production, teardown] = await Promise.all([
        act('push', { before: first, after: sha }),
        act('pull_request', { action: 'closed', number: 1 }),
      ])
      const branches = Object.keys(await ink.branches('hello'))
      return step(
        'The merge brings production up to date and takes the preview down',
        [production, teardown],
        [
          ...live(production, sha),
          await answersWith(urlOf(production), sha, 'Hello, friends'),
          {
            what: 'both services of the preview are gone',
            holds: ink.services().every(({ name }) => !/-pr-1$/.test(name)) && teardown.outputs.status === 'removed',
          },
          { what: 'no branch of the preview is left', holds: branches.every((name) => !name.startsWith('ink/pr-1/')) },
          {
            what: 'no deployment record of the preview is left',
            holds: repository.deployments().every(({ environment }) => environment !== 'preview'),
          },
          oneComment(repository, 'removed'),
        ],
      )
    },
  }
}

function inputs(ink: InkPlatform): Record<string, string> {
  return { 'api-key': ink.apiKey, endpoint: ink.endpoint, timeout: '3m' }
}

function live(run: RunResult, sha: string): Check[] {
  return [
    { what: 'the run is green', holds: run.conclusion === 'success' && run.outputs.status === 'live' },
    { what: `it says that it deployed ${sha.slice(0, 7)}`, holds: servicesOf(run).web?.commit === sha },
  ]
}

const servicesOutput = z.record(
  z.string(),
  z.object({ url: z.string().optional(), status: z.string(), commit: z.string().optional() }),
)

function servicesOf(run: RunResult): z.infer<typeof servicesOutput> {
  return servicesOutput.parse(JSON.parse(run.outputs.services ?? '{}'))
}

/** The address of the front end. */
function urlOf(run: RunResult): string | undefined {
  return servicesOf(run).web?.url
}

/** The front end prints its greeting, its commit, and what its own API has read from its own database: the page proves what runs. */
async function answersWith(url: string | undefined, sha: string, greeting: string): Promise<Check> {
  const page = url === undefined ? '' : await fetch(url).then((answer) => answer.text())
  const holds = [`<h1>${greeting}</h1>`, sha, 'read from a database of its own'].every((words) => page.includes(words))
  return {
    what: `${url ?? 'the URL'} answers with “${greeting}”, ${sha.slice(0, 7)}, and the words of its API`,
    holds,
  }
}

function apiAnswers(run: RunResult): Check {
  return { what: 'the API is live beside it', holds: servicesOf(run).api?.status === 'live' }
}

function oneComment(repository: Repository, saying: string): Check {
  const comments = repository.comments(1)
  return {
    what: `the one comment says “${saying}”`,
    holds:
      comments.length === 1 &&
      visible(comments[0]?.body ?? '')
        .toLowerCase()
        .includes(saying.toLowerCase()),
  }
}

function theComment(repository: Repository): string | undefined {
  return repository.pulls.size === 0 ? undefined : repository.comments(1)[0]?.body
}

/** A comment without what GitHub does not show. */
export function visible(markdown: string): string {
  return markdown.replaceAll(/<!--[\s\S]*?-->/g, '').trim()
}

function everyStep(github: GitHub, ink: InkPlatform, runs: readonly RunResult[]): Check[] {
  const said = runs.flatMap(({ log, summary, outputs }) => [log, summary, JSON.stringify(outputs)]).join('\n')
  return [
    { what: 'GitHub was asked for nothing that it does not know', holds: github.violations.length === 0 },
    { what: 'nothing was written to the error stream', holds: runs.every(({ rawStderr }) => rawStderr === '') },
    { what: 'no secret was shown', holds: !said.includes(ink.apiKey) && !/mlg_[\w-]{20}|ghs_\w{20}/.test(said) },
  ]
}

/** All files of a directory, by their paths in it. */
export async function filesOf(directory: string): Promise<Record<string, string>> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [relative(directory, file), await readFile(file, 'utf8')])),
  )
}
