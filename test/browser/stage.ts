import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { type PullRequest, type Repository, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { launchChromium } from './chromium.ts'

/** A sandbox with an open pull request, and a browser to look at it. */
export interface Stage extends AsyncDisposable {
  readonly sandbox: Sandbox
  readonly repository: Repository
  readonly pull: PullRequest
  readonly pullUrl: string
  readonly browser: Browser
}

export async function setStage(): Promise<Stage> {
  const sandbox = await startSandbox()
  const browser = await launchChromium().catch(async (error: unknown) => {
    await sandbox.stop()
    throw error
  })
  const repository = await sandbox.github.createRepository({ owner: 'acme', name: 'web' })
  const files = { 'src/app.ts': 'export function greet() {\n  return greeting\n}\n' }
  const parent = await repository.commit({ branch: 'main', files, message: 'Begin' })
  const changed = { 'README.md': 'Hello' }
  await repository.commit({ branch: 'greeting', parent, files: changed, message: 'Greet visitors' })
  const pull = await repository.openPullRequest({
    head: 'greeting',
    title: 'Greet visitors',
    body: 'The start page says **welcome** now.',
    author: 'maria',
  })
  return {
    sandbox,
    repository,
    pull,
    pullUrl: `${repository.htmlUrl}/pull/${pull.number}`,
    browser,
    async [Symbol.asyncDispose]() {
      await browser.close()
      await sandbox.stop()
    },
  }
}

/** Writes a deployment record of the pull request's head, as the action does, with one status. */
export function deployed(
  { repository, pull }: Pick<Stage, 'repository' | 'pull'>,
  status: {
    readonly state: 'success' | 'in_progress' | 'failure'
    readonly url: string
    readonly description?: string
  },
): void {
  const creator = repository.user('github-actions[bot]')
  const record = repository.deploymentRecords.create(
    {
      sha: pull.headSha,
      ref: pull.headSha,
      task: `ink-preview-pr-${pull.number}`,
      environment: 'preview',
      description: null,
      payload: {},
      transientEnvironment: true,
      productionEnvironment: false,
    },
    creator,
  )
  const { state, url, description = '' } = status
  repository.deploymentRecords.addStatus(
    record,
    { state, description, environment: undefined, environmentUrl: url, logUrl: '', autoInactive: false },
    creator,
  )
}

/** An app as a preview would be, which counts how often its page was asked for. */
export interface App extends AsyncDisposable {
  readonly url: string
  views(): number
}

export async function startApp(markup: string): Promise<App> {
  let views = 0
  const server = createServer((request, response) => {
    if (request.url === '/') views += 1
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(markup)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    views: () => views,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
