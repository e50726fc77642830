import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Sandbox, type SandboxRun, startSandbox } from '../../sandbox/index.ts'
import { visible } from '../../sandbox/story.ts'
import { recommendedWorkflow } from '../../src/login/repository.ts'

let sandbox: Sandbox
/** Waits less for an app to listen: for those that never do. */
let impatient: Sandbox
beforeAll(async () => {
  const timing = { queueMs: 10, rolloutMs: 10, deletionMs: 60, edgeDelayMs: 20, buildRetryMs: 10 }
  sandbox = await startSandbox({ ink: { timing } })
  impatient = await startSandbox({ ink: { timing: { ...timing, healthGateMs: 4000 } } })
})
afterAll(() => Promise.all([sandbox.stop(), impatient.stop()]))

// Under the names that the sandbox's runner tells.
const workflow = recommendedWorkflow('main')
  .replace(/^name: .*$/m, 'name: Preview')
  .replace('  deploy:', '  preview:')
const server = (listen: string) =>
  `require('node:http').createServer((_, answer) => answer.end('hello')).listen(${listen}, function () { console.log('Listening on http://localhost:' + this.address().port) })\n`
const serverApp = (listen: string) => ({
  'package.json': JSON.stringify({ main: 'server.js' }),
  'server.js': server(listen),
})

interface Mistake {
  readonly files?: Readonly<Record<string, string>>
  readonly run?: Partial<SandboxRun>
  readonly before?: () => Promise<unknown>
  readonly neverListens?: true
  /** What stands in an annotation, and in the log; in the summary too, unless that says it in words of its own. */
  readonly annotation: string | RegExp
  readonly summary?: string | RegExp
  readonly card?: string | RegExp
  /** What the reader is told to do. */
  readonly advice: string
  readonly status: 'failed' | 'live'
}

/** As a newcomer's first pull request has them. */
const mistakes: Readonly<Record<string, Mistake>> = {
  'the secret is not there': {
    run: { with: { 'api-key': '' } },
    annotation: 'api-key: is not set',
    summary: 'api-key: is not set',
    card: 'Why: api-key: is not set',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is a line for the reader's workflow file
    advice: 'api-key: ${{ secrets.INK_API_KEY }}',
    status: 'failed',
  },
  'a secret of the app is empty': {
    files: {
      '.github/workflows/preview.yml': workflow.replace(
        /api-key: .*/,
        (line) => `${line}\n          env: |\n            API_TOKEN=\${{ secrets.API_TOKEN }}`,
      ),
    },
    run: { with: { env: 'API_TOKEN=' } },
    annotation: 'API_TOKEN in env is empty',
    summary: 'API_TOKEN in env is empty',
    advice: 'gh secret set API_TOKEN',
    status: 'live',
  },
  'an input is mistyped': {
    run: { with: { 'health-pat': '/health' } },
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
  'the app listens on a port of its own': {
    files: serverApp('4123'),
    neverListens: true,
    annotation: 'does not start',
    summary: '4123',
    card: '4123',
    advice: 'PORT',
    status: 'failed',
  },
  'the app listens on 127.0.0.1': {
    files: serverApp("process.env.PORT, '127.0.0.1'"),
    neverListens: true,
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
    files: { '.github/workflows/preview.yml': workflow.replace(', closed', '') },
    annotation: 'does not run when a pull request closes',
    summary: 'does not run when a pull request closes',
    card: 'stays when this pull request closes',
    advice: 'types: [opened, reopened, synchronize, closed]',
    status: 'live',
  },
  'the job may not comment': {
    run: { permissions: { contents: 'read' } },
    annotation: /pull-requests: write/,
    summary: /pull-requests: write/,
    advice: 'pull-requests: write',
    status: 'live',
  },
  'the name is taken': {
    before: () => openWith({ run: { with: { service: 'taken' } } }),
    run: { with: { service: 'taken' } },
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

let repositories = 0
/** Opens a pull request in a repository of its own, and runs the action on it. */
async function openWith({ files = {}, run = {}, neverListens }: Pick<Mistake, 'files' | 'run' | 'neverListens'>) {
  const { github, run: start } = neverListens ? impatient : sandbox
  const repository = await github.createRepository({ owner: 'acme', name: `app${++repositories}` })
  const parent = await repository.pushTo('main', { 'index.html': 'hello', '.github/workflows/preview.yml': workflow })
  await repository.commit({ branch: 'change', parent, files: { ...files, 'NOTES.md': 'x' }, message: 'Change' })
  const { number } = await repository.openPullRequest({ head: 'change', title: 'Change' })
  const event = await repository.event('pull_request', { action: 'opened', number })
  const result = await start({ repository, event, ...run })
  return { run: result, card: visible(repository.comments(number)[0]?.body ?? '') }
}

it.each(Object.entries(mistakes))(
  '%s: whoever looks is told, and what to do',
  async (_name, mistake) => {
    await mistake.before?.()
    const { run, card } = await openWith(mistake)
    const annotation = run.annotations.map(({ message }) => message).join('\n')
    const said = { log: run.log, annotation, summary: plain(run.summary), card: plain(card) }
    expect(run.outputs.status === mistake.status ? mistake.status : run.log).toBe(mistake.status)
    for (const place of ['annotation', 'summary', 'card'] as const) {
      const expected = mistake[place] === undefined && place === 'summary' ? mistake.annotation : mistake[place]
      if (expected !== undefined) expect(said[place], place).toMatch(expected)
    }
    // The log has what the annotations have, and one of the places that are read first says what to do.
    expect(said.log).toMatch(mistake.annotation)
    expect([annotation, said.summary, said.card].join('\n')).toContain(mistake.advice)
    if (mistake.status === 'failed') expect(said.card).toContain(mistake.advice)
  },
  60_000,
)

/** Markdown as it is read. */
function plain(markdown: string): string {
  return markdown.replaceAll(/\\([-*_<>[\]`])/g, '$1').replaceAll('**', '')
}
