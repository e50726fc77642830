import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import type { WebhookEvent } from '../../sandbox/github/github.ts'
import { runAction } from '../../sandbox/runner/runner.ts'
import { visible } from '../../sandbox/story.ts'
import { systemClock } from '../../src/core/async.ts'
import { DeployError, errorMessage } from '../../src/core/errors.ts'
import { recommendedWorkflow } from '../../src/login/repository.ts'
import { type How, type Inputs, type Scene, USUAL } from '../flows/stage.ts'
import { useStage } from '../flows/use-stage.ts'

const stage = useStage({ timing: { buildRetryMs: 10 } })

const path = '.github/workflows/deploy.yml'
const workflow = recommendedWorkflow('main')
const server = (listen: string) =>
  `require('node:http').createServer((_, answer) => answer.end('hello')).listen(${listen}, function () { console.log('Listening on http://localhost:' + this.address().port) })\n`
const serverApp = (listen: string) => ({
  'package.json': JSON.stringify({ main: 'server.js' }),
  'server.js': server(listen),
})

interface Mistake {
  readonly files?: Readonly<Record<string, string>>
  readonly inputs?: Inputs
  readonly permissions?: NonNullable<How['permissions']>
  readonly workflow?: string
  readonly before?: () => Promise<unknown>
  /** What stands in an annotation; in the summary too, unless that says it in words of its own. */
  readonly annotation: string | RegExp
  readonly summary?: string | RegExp
  readonly card?: string | RegExp
  /** What the reader is told to do. */
  readonly advice: string
  readonly status: 'failed' | 'live'
}

/** What a run shows to whoever looks. */
interface Shown {
  readonly status: string | undefined
  readonly annotation: string
  readonly summary: string
}

/** As a newcomer's first pull request has them. */
const mistakes: Readonly<Record<string, Mistake>> = {
  'the secret is not there': {
    inputs: { 'api-key': '' },
    annotation: 'api-key: is not set',
    summary: 'api-key: is not set',
    card: 'Why: api-key: is not set',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
    advice: 'api-key: ${{ secrets.INK_API_KEY }}',
    status: 'failed',
  },
  'a secret of the app is empty': {
    workflow: workflow.replace(
      /api-key: .*/,
      (line) => `${line}\n          env: |\n            API_TOKEN=\${{ secrets.API_TOKEN }}`,
    ),
    inputs: { env: 'API_TOKEN=' },
    annotation: 'API_TOKEN in env is empty',
    summary: 'API_TOKEN in env is empty',
    advice: 'gh secret set API_TOKEN',
    status: 'live',
  },
  'the app listens on a port of its own': {
    files: serverApp('4123'),
    annotation: 'does not start',
    summary: '4123',
    card: '4123',
    advice: 'PORT',
    status: 'failed',
  },
  'the app listens on 127.0.0.1': {
    files: serverApp("process.env.PORT, '127.0.0.1'"),
    annotation: 'does not start',
    summary: /127\.0\.0\.1|0\.0\.0\.0/,
    card: /127\.0\.0\.1|0\.0\.0\.0/,
    advice: '0.0.0.0',
    status: 'failed',
  },
  'package.json has no start script': {
    files: { 'package.json': '{}', 'web.js': server('process.env.PORT') },
    annotation: /start command/i,
    card: /start command/i,
    advice: 'start',
    status: 'failed',
  },
  'the directory to publish is another': {
    files: {
      'package.json': JSON.stringify({
        scripts: { build: `node -e "fs.mkdirSync('out');fs.writeFileSync('out/index.html','')"` },
      }),
      'ink.yml': 'services: { web: { build: { command: npm run build, publish: dist } } }\n',
    },
    annotation: /dist/,
    card: /dist/,
    advice: 'publish',
    status: 'failed',
  },
  'the workflow does not hear of closing': {
    workflow: workflow.replace(', closed', ''),
    annotation: 'does not run when a pull request closes',
    summary: 'does not run when a pull request closes',
    card: 'stays when this pull request closes',
    advice: 'types: [opened, reopened, synchronize, closed]',
    status: 'live',
  },
  'the job may not comment': {
    permissions: { contents: 'read' },
    annotation: /pull-requests: write/,
    summary: /pull-requests: write/,
    advice: 'pull-requests: write',
    status: 'live',
  },
  'the name is taken': {
    before: () => openWith({ inputs: { service: 'taken' } }, inProcess),
    inputs: { service: 'taken' },
    annotation: 'taken-pr-1',
    summary: 'taken-pr-1',
    card: 'taken-pr-1',
    advice: 'Set another name with the input service',
    status: 'failed',
  },
  'the region does not exist': {
    files: { 'ink.yml': 'services: { web: { region: mars-1 } }\n' },
    annotation: 'mars-1',
    card: 'mars-1',
    advice: 'eu-central-1',
    status: 'failed',
  },
}

/** Those that are found where the runner hands things over, or shown at a place of a file: told by the bundle itself. */
const toldByBundle: Readonly<Record<string, Mistake & { readonly with?: Readonly<Record<string, string>> }>> = {
  'an input is mistyped': {
    with: { 'health-pat': '/health' },
    annotation: 'There is no input "health-pat"',
    summary: 'There is no input "health-pat"',
    card: 'There is no input "health-pat"',
    advice: 'did you mean health-path?',
    status: 'live',
  },
  'a key of ink.yml is mistyped': {
    files: { 'ink.yml': 'services:\n  web:\n    biuld: { command: npm run build }\n' },
    annotation: /biuld/,
    summary: 'ink.yml:3:5',
    card: /ink\.yml is not right[\s\S]*ink\.yml:3:5: .*biuld/,
    advice: 'did you mean build?',
    status: 'failed',
  },
}

type Run = (scene: Scene, event: WebhookEvent, mistake: Pick<Mistake, keyof How & keyof Mistake>) => Promise<Shown>

const inProcess: Run = async (scene, event, { inputs, permissions, workflow: text = workflow }) => {
  const { outputs, warnings, annotations, summary, outcome } = await scene.play(event, {
    inputs: { 'build-pack': '', ...inputs },
    workflow: text,
    ...(permissions === undefined ? {} : { permissions }),
    // What never comes about is asked for less often than in the other tests.
    change: (deps) => ({ ...deps, clock: systemClock }),
  })
  const { failure } = outcome ?? {}
  const failures = failure === undefined ? [] : [errorMessage(failure), failure instanceof DeployError && failure.hint]
  const annotation = [...warnings, ...annotations.map(({ message }) => message), ...failures].join('\n')
  return { status: outputs.status, annotation, summary }
}

function inBundle(given: Readonly<Record<string, string>> = {}): Run {
  return async ({ repository }, event) => {
    const { ink, github } = stage
    const { log, outputs, annotations, summary } = await runAction({
      action: resolve(import.meta.dirname, '../..'),
      github,
      repository,
      event,
      permissions: USUAL,
      workflow: { name: 'Ink Deploy', path },
      with: { 'api-key': ink.apiKey, endpoint: ink.endpoint, ...given },
      secrets: [ink.apiKey],
    })
    const messages = annotations.map(({ message }) => message)
    for (const message of messages) expect(log).toContain(message.split('\n')[0])
    return { status: outputs.status, annotation: messages.join('\n'), summary }
  }
}

/** Opens a pull request in a repository of its own, and runs the action on it. */
async function openWith(mistake: Pick<Mistake, 'files' | (keyof How & keyof Mistake)>, run: Run) {
  const scene = await stage.scene()
  const { repository, first } = scene
  const parent = await repository.commit({
    branch: 'main',
    parent: first,
    files: { [path]: workflow },
    message: 'Deploy',
  })
  const files = { ...mistake.files, 'NOTES.md': 'x' }
  await repository.commit({ branch: 'change', parent, files, message: 'Change' })
  const { number } = await repository.openPullRequest({ head: 'change', title: 'Change' })
  const shown = await run(scene, await repository.event('pull_request', { action: 'opened', number }), mistake)
  return { ...shown, card: visible(repository.comments(number)[0]?.body ?? '') }
}

async function isTold(mistake: Mistake, run: Run): Promise<void> {
  await mistake.before?.()
  const { status, annotation, ...shown } = await openWith(mistake, run)
  const said = { annotation, summary: plain(shown.summary), card: plain(shown.card) }
  expect(status, annotation).toBe(mistake.status)
  for (const place of ['annotation', 'summary', 'card'] as const) {
    const expected = mistake[place] === undefined && place === 'summary' ? mistake.annotation : mistake[place]
    if (expected !== undefined) expect(said[place], place).toMatch(expected)
  }
  // One of the places that are read first says what to do.
  expect(Object.values(said).join('\n')).toContain(mistake.advice)
  if (mistake.status === 'failed') expect(said.card).toContain(mistake.advice)
}

it.each(Object.entries(mistakes))('%s: whoever looks is told, and what to do', (_name, mistake) =>
  isTold(mistake, inProcess),
)

it.each(Object.entries(toldByBundle))(
  '%s: whoever looks is told, and what to do',
  (_name, { with: given, ...mistake }) => isTold(mistake, inBundle(given)),
)

/** Markdown as it is read. */
function plain(markdown: string): string {
  return markdown.replaceAll(/\\([-*_<>[\]`])/g, '$1').replaceAll('**', '')
}
