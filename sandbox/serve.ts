import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { foldedLog } from './folded-log.ts'
import type { InkProfile, Repository, Sandbox } from './index.ts'
import { assertGit, explain, interruption } from './process.ts'
import { bold, dim } from './terminal-style.ts'

/**
 * `npm run sandbox`: the sandbox alone, for any MCP client, git or curl to try things on.
 * `--port N` puts GitHub and the page on port N and the MCP endpoint on the next one; `--profile NAME` chooses the
 * generation of the platform. `--run DIRECTORY` deploys an app of this machine, and again whenever it changes.
 */

interface ServeOptions {
  readonly port: number | undefined
  readonly profile: InkProfile
  /** Directory of an app to deploy, instead of the example. */
  readonly run: string | undefined
}

/** The generations of the platform, and a word on each. */
const PROFILES: Readonly<Record<InkProfile, string>> = {
  g0: 'the first names and fields',
  g1: 'create_service, update_service, get_git_token; the default',
  'g1-nested': 'the same, with the status of a service one level deeper',
  g2: 'service_create, service_update, repo_get_token; no databases',
  mixed: 'the tools of both',
  'unknown-argument': 'as g1, but some arguments of services are refused',
}

const USAGE = `Usage: npm run sandbox -- [--run DIRECTORY] [--port N] [--profile NAME]

  --run DIRECTORY deploys the app in it: production, and a preview that follows every change
  --port N        GitHub and the page on port N, the MCP endpoint on the next one (default: any free ones)
  --profile NAME  generation of the platform:
${Object.entries(PROFILES)
  .map(([name, words]) => `                    ${name.padEnd(18)}${words}`)
  .join('\n')}`

/**
 * Undefined where only help is asked for.
 *
 * @throws Error that names every option that is wrong, its value and what is allowed
 */
async function readOptions(args: readonly string[]): Promise<ServeOptions | undefined> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      run: { type: 'string' },
      port: { type: 'string' },
      profile: { type: 'string', default: 'g1' },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return undefined
  const { profile } = values
  const run = values.run === undefined ? undefined : resolve(values.run)
  const port = values.port === undefined ? undefined : Number(values.port)
  const wrong: string[] = []
  if (run !== undefined && !(await isDirectory(run))) {
    wrong.push(`--run must be a directory with an app; there is none at ${run}.`)
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_534)) {
    wrong.push(`--port must be a whole number from 1 to 65534, not ${values.port}.`)
  }
  if (!isProfile(profile)) wrong.push(`--profile must be one of ${Object.keys(PROFILES).join(', ')}, not ${profile}.`)
  else if (wrong.length === 0) return { run, port, profile }
  throw new Error(wrong.join('\n'))
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found?.isDirectory() ?? false
}

function isProfile(name: string): name is InkProfile {
  return Object.hasOwn(PROFILES, name)
}

/** A repository with something to deploy and an open pull request. */
async function addExample(sandbox: Sandbox): Promise<Repository> {
  const repository = await sandbox.github.createRepository({ owner: 'acme', name: 'web' })
  const page = (words: string): string =>
    `<!doctype html>\n<html lang="en">\n<title>Acme</title>\n<h1>${words}</h1>\n</html>\n`
  const start = { branch: 'main', files: { 'index.html': page('Acme') }, message: 'Add the start page' }
  await repository.commit({
    branch: 'greeting',
    parent: await repository.commit(start),
    files: { 'index.html': page('Welcome to Acme') },
    message: 'Greet visitors',
  })
  await repository.openPullRequest({
    head: 'greeting',
    title: 'Greet visitors',
    body: 'The start page says **welcome** now.',
    author: 'maria',
  })
  return repository
}

function describe(sandbox: Sandbox, repository: Repository): string {
  const { ink, github } = sandbox
  const token = github.token({ repository, kind: 'user', permissions: { contents: 'write', pull_requests: 'write' } })
  const remote = repository.cloneUrl.replace('://', `://x-access-token:${token}@`)
  return `The sandbox is running. Key and token are made for this run and end with it.

  Page            ${sandbox.pageUrl}
  Pull request    ${repository.htmlUrl}/pull/1

  MCP endpoint    ${ink.endpoint}
  API key         ${ink.apiKey}
  GitHub          ${github.serverUrl}
  GitHub API      ${github.apiUrl}
  GitHub token    ${token}

Any MCP client (Streamable HTTP, with the header “Authorization: Bearer KEY”):
  npx @modelcontextprotocol/inspector --cli ${ink.endpoint} --transport http \\
    --header "Authorization: Bearer ${ink.apiKey}" --method tools/list

curl:
  curl -s ${ink.endpoint} -H 'Authorization: Bearer ${ink.apiKey}' \\
    -H 'Content-Type: application/json' -H 'Accept: application/json, text/event-stream' \\
    -d '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
  curl -s ${github.apiUrl}/repos/${repository.fullName}/pulls/1 -H 'Authorization: Bearer ${token}'

A key of your own, through the browser:
  node dist/cli/index.js login --endpoint ${ink.endpoint} --print

git:
  git clone ${remote}

Ctrl-C ends it and removes everything it made.
`
}

async function serve({ port, profile, run }: ServeOptions): Promise<void> {
  const interrupted = interruption()
  await assertGit()
  const ports = port === undefined ? { ink: { profile } } : { ink: { profile, port: port + 1 }, github: { port } }
  // Not before it is sure that there is something to start: it takes a second.
  const { startSandbox } = await import('./index.ts')
  const sandbox = await startSandbox(ports).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error
    throw new Error(`Port ${port} or ${Number(port) + 1} is taken: name another one with --port, or leave it out.`)
  })
  try {
    if (run === undefined) {
      say(describe(sandbox, await addExample(sandbox)))
      await aborted(interrupted)
    } else await runOwnApp(sandbox, run, interrupted)
  } finally {
    await sandbox.stop()
  }
  say('\nThe sandbox has ended.')
}

const say = (text: string) => process.stdout.write(`${text}\n`)

async function runOwnApp(sandbox: Sandbox, directory: string, interrupted: AbortSignal): Promise<void> {
  const { followOwnApp, openOwnApp } = await import('./own-app.ts')
  const app = await openOwnApp(sandbox, directory)
  say(`${bold('Your app on the sandbox')}, with the action as a workflow would run it. Nothing leaves this machine.\n`)
  say(`  ${bold(app.repository.htmlUrl)}  runs and pull request, in the browser\n`)
  say(dim('Deploying production and a preview…\n'))
  for await (const { title, run } of followOwnApp(app, interrupted)) {
    if (interrupted.aborted) return
    say([bold(title), ...foldedLog(run)].join('\n'))
    say(
      title === 'Production'
        ? dim('\nNow a pull request…\n')
        : `\nThe pull request: ${bold(`${app.repository.htmlUrl}/pull/1`)}\n${dim(WAITING)}\n`,
    )
  }
}

const WAITING = 'Save a file, and the preview is deployed again. Ctrl-C ends everything.'

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

async function main(): Promise<void> {
  try {
    const options = await readOptions(process.argv.slice(2))
    if (options === undefined) say(USAGE)
    else await serve(options)
  } catch (error) {
    process.stderr.write(explain(error, USAGE))
    process.exitCode = 1
  }
}

await main()
