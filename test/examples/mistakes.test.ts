import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { runAction } from '../../sandbox/runner/runner.ts'
import { visible } from '../../sandbox/story.ts'
import { systemClock } from '../../src/core/async.ts'
import { recommendedWorkflow } from '../../src/login/repository.ts'
import { type How, type Inputs, USUAL } from '../flows/stage.ts'
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

/** As a newcomer's first pull request has them, the action run in this process. */
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
      'package.json': '{}',
      'ink.yml': 'services: { web: { build: { command: mkdir out && touch out/index.html, publish: dist } } }\n',
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
    before: () => make({ inputs: { service: 'taken' } }),
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

/** Opens a pull request in a repository of its own. */
async function openWith(files: Mistake['files']) {
  const scene = await stage.scene()
  const { repository, first } = scene
  const deploy = { [path]: workflow }
  const parent = await repository.commit({ branch: 'main', parent: first, files: deploy, message: 'Deploy' })
  await repository.commit({ branch: 'change', parent, files: { ...files, 'NOTES.md': 'x' }, message: 'Change' })
  const { number } = await repository.openPullRequest({ head: 'change', title: 'Change' })
  const event = await repository.event('pull_request', { action: 'opened', number })
  return { scene, event, card: () => plain(visible(repository.comments(number)[0]?.body ?? '')) }
}

/** Makes a mistake, and reads all that the run shows of it. */
async function make({ files, inputs, ...how }: Pick<Mistake, 'files' | 'inputs' | 'permissions' | 'workflow'>) {
  const { scene, event, card } = await openWith(files)
  const { outputs, warnings, annotations, summary, outcome } = await scene.play(event, {
    workflow,
    ...how,
    inputs: { 'build-pack': '', ...inputs },
    // What never comes about is asked for less often than in the other tests.
    change: (deps) => ({ ...deps, clock: systemClock }),
  })
  const { message, hint } = outcome?.failure ?? {}
  const annotation = [...warnings, ...annotations.map((each) => each.message), message, hint].join('\n')
  return { status: outputs.status, annotation, summary: plain(summary), card: card() }
}

it.each(Object.entries(mistakes))('%s: whoever looks is told, and what to do', async (_name, mistake) => {
  await mistake.before?.()
  const { status, ...said } = await make(mistake)
  expect(status, said.annotation).toBe(mistake.status)
  for (const place of ['annotation', 'summary', 'card'] as const) {
    const expected = mistake[place] === undefined && place === 'summary' ? mistake.annotation : mistake[place]
    if (expected !== undefined) expect(said[place], place).toMatch(expected)
  }
  // One of the places that are read first says what to do.
  expect(Object.values(said).join('\n')).toContain(mistake.advice)
  if (mistake.status === 'failed') expect(said.card).toContain(mistake.advice)
})

// By the bundle, which is handed the inputs and writes the annotations.
it('an input and a key of ink.yml are mistyped: whoever looks is told of both, and what to do', async () => {
  const { ink, github } = stage
  const files = { 'ink.yml': 'services:\n  web:\n    biuld: { command: npm run build }\n' }
  const { scene, event, card } = await openWith(files)
  const run = await runAction({
    action: resolve(import.meta.dirname, '../..'),
    github,
    repository: scene.repository,
    event,
    permissions: USUAL,
    workflow: { name: 'Ink Deploy', path },
    with: { 'api-key': ink.apiKey, endpoint: ink.endpoint, 'health-pat': '/health' },
    secrets: [ink.apiKey],
  })
  expect(run.outputs.status, run.log).toBe('failed')
  const annotation = run.annotations.map(({ message }) => message).join('\n')
  const said = { log: run.log, annotation, summary: plain(run.summary), card: card() }
  for (const [place, text] of Object.entries(said)) {
    expect(text, place).toContain('There is no input "health-pat", so that it does nothing; did you mean health-path?')
    expect(text, place).toContain('Every key of ink.yml is in ink.schema.json')
    expect(text, place).toMatch(/ink\.yml is not right[\s\S]*ink\.yml:3:5: .*"biuld".*did you mean build\?/)
  }
  expect(run.annotations).toContainEqual(expect.objectContaining({ file: 'ink.yml', line: 3 }))
})

/** Markdown as it is read. */
function plain(markdown: string): string {
  return markdown.replaceAll(/\\([-*_<>[\]`])/g, '$1').replaceAll('**', '')
}
