import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commitFiles, newRepository } from '../source/scratch.ts'

/** The bundle as the runner starts it. */
export const bundle = {
  main: fileURLToPath(new URL('../../dist/main/index.js', import.meta.url)),
  post: fileURLToPath(new URL('../../dist/post/index.js', import.meta.url)),
}

/** The environment of a run that has nothing to do: a tag was pushed. A branch may have an environment in `ink.yml`. */
export async function skippedRun(folder: string): Promise<Readonly<Record<string, string>>> {
  const sha = '1'.repeat(40)
  const ref = 'refs/tags/v1'
  const push = { ref, before: '0'.repeat(40), after: sha, repository: { default_branch: 'main', private: false } }
  const files = { event: JSON.stringify(push), output: '', state: '', summary: '' }
  const path = (name: string) => join(folder, name)
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(path(name), text)))
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    GITHUB_ACTIONS: 'true',
    GITHUB_EVENT_NAME: 'push',
    GITHUB_EVENT_PATH: path('event'),
    GITHUB_OUTPUT: path('output'),
    GITHUB_STATE: path('state'),
    GITHUB_STEP_SUMMARY: path('summary'),
    GITHUB_REPOSITORY: 'acme/shop',
    GITHUB_REPOSITORY_ID: '7',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_API_URL: 'http://127.0.0.1:9',
    GITHUB_REF: ref,
    GITHUB_SHA: sha,
    GITHUB_RUN_ID: '1',
    GITHUB_WORKSPACE: folder,
    RUNNER_TEMP: folder,
    'INPUT_API-KEY': 'dk_test_0123456789abcdef',
  }
}

/** The environment of a run that deploys the branch `main`, which has no `ink.yml`. */
export async function deployingRun(folder: string): Promise<Readonly<Record<string, string>>> {
  const workspace = await newRepository(join(folder, 'checkout'))
  const sha = await commitFiles(workspace, { 'index.html': 'hello' }, 'Hello')
  const ref = 'refs/heads/main'
  const idle = await skippedRun(folder)
  const env = { ...idle, GITHUB_WORKSPACE: workspace, GITHUB_SHA: sha, GITHUB_REF: ref }
  const repository = { default_branch: 'main', private: false }
  await writeFile(idle.GITHUB_EVENT_PATH ?? '', JSON.stringify({ ref, before: '0'.repeat(40), after: sha, repository }))
  return env
}

/** A script that ends as it asks for its first connection. */
export const untilFirstCall = (script: string) => `
import { Socket } from 'node:net'
Socket.prototype.connect = () => process.exit()
${script}
`
