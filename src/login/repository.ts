import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { DeployError } from '../core/errors.ts'
import { jsonIn } from '../core/http.ts'
import { sanitizePhrase } from '../core/sanitize.ts'
import type { Secret } from '../core/secret.ts'

/** What we need of `gh`, which is logged in to GitHub already. */
export type GitHubCli = ReturnType<typeof createGitHubCli>

/** The repository that it finds for a folder: `owner/name`, and its address with the host, as gh wants it. */
export type FoundRepository = z.output<typeof view>

const timeoutMs = 60_000
const view = z
  .object({
    nameWithOwner: z.string().regex(/^[\w.-]+\/[\w.-]+$/),
    url: z.url(),
    defaultBranchRef: z.object({ name: z.string() }).nullish(),
  })
  .transform(({ nameWithOwner: name, url, defaultBranchRef }) => ({
    name,
    address: `${new URL(url).host}/${name}`,
    defaultBranch: defaultBranchRef?.name || undefined,
  }))

/** @param environment what gh finds its login in */
export function createGitHubCli(folder: string, environment: NodeJS.ProcessEnv) {
  const env = { ...environment, GH_PROMPT_DISABLED: '1', NO_COLOR: '1' }
  const gh = (args: readonly string[], input = '') => run(args, { cwd: folder, env, input })
  return {
    /** @throws DeployError when gh is not there, not logged in, or finds no repository here */
    async repository(): Promise<FoundRepository> {
      const found = view.safeParse(jsonIn(await gh(['repo', 'view', '--json', 'nameWithOwner,url,defaultBranchRef'])))
      if (found.success) return found.data
      throw new DeployError('gh answered in a way that is not understood', { hint: WITHOUT_GH })
    },
    /** @throws DeployError when GitHub does not take it */
    async setSecret({ address }: FoundRepository, name: string, value: Secret): Promise<void> {
      // Through its standard input: arguments can be read by everybody on the machine.
      await gh(['secret', 'set', name, '--repo', address], value.reveal())
    },
  }
}

const WITHOUT_GH = 'Or do without it: --print prints the key, to save it by hand.'

function run(
  args: readonly string[],
  { input, ...options }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly input: string },
): Promise<string> {
  const what = `gh ${args.slice(0, 2).join(' ')}`
  return new Promise((resolve, reject) => {
    const child = execFile('gh', args, { ...options, timeout: timeoutMs }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout)
      if (error.code === 'ENOENT') {
        const hint = `Install it from https://cli.github.com and log in with gh auth login. ${WITHOUT_GH}`
        return reject(new DeployError('the GitHub CLI, gh, is not on this machine', { hint }))
      }
      const words = sanitizePhrase(stderr.replaceAll(input || '\0', '***'))
      const hint = `Check gh auth status, and that this folder is a clone of the repository. ${WITHOUT_GH}`
      reject(new DeployError(`${what} failed: ${words || 'it gave no reason'}`, { hint }))
    })
    // It may have ended before it has read everything; why, its exit tells.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Where the workflow belongs, from the repository's root. */
export const WORKFLOW_PATH = '.github/workflows/deploy.yml'

/** The repository secret that the workflow takes the key from. */
export const SECRET_NAME = 'INK_API_KEY'

/**
 * The workflow that the README recommends, which is made of this.
 * @param productionBranch a push to it goes to production
 */
export function recommendedWorkflow(productionBranch = 'main'): string {
  // In quotes a branch is a name whatever it looks like, where `1.0` or `yes` would be something else; and of what git
  // allows in a name, these characters make a pattern of it.
  const branch = productionBranch === 'main' ? 'main' : JSON.stringify(productionBranch.replace(/[!+\]]/g, '\\$&'))
  return `# ${WORKFLOW_PATH}
name: Deploy
on:
  push:
    branches: [${branch}]
  pull_request:
    types: [opened, reopened, synchronize, closed]

permissions: {}

concurrency:
  group: ink-deploy-\${{ github.workflow }}-\${{ github.event.pull_request.number || github.ref }}
  cancel-in-progress: \${{ github.event_name == 'pull_request' }}

jobs:
  deploy:
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write
      deployments: write
    steps:
      - uses: actions/checkout@v6
        with:
          persist-credentials: false
      - uses: OWNER/ink-deploy@v1
        with:
          api-key: \${{ secrets.${SECRET_NAME} }}
`
}

/** The workflow file of a repository. */
export type WorkflowFile = ReturnType<typeof openWorkflowFile>

/**
 * The workflow file of the repository that a folder belongs to.
 * @throws DeployError when the folder belongs to none
 */
export function openWorkflowFile(folder: string) {
  const path = join(repositoryRoot(folder), WORKFLOW_PATH)
  const content = existsSync(path) ? readFileSync(path, 'utf8') : undefined
  return {
    /** What is in it; undefined while there is none. */
    content,
    /** @param text replaces what `content` said was there; a file that came up since is left alone */
    async write(text: string): Promise<void> {
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
