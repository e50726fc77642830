import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { type Repository, type RunResult, type Sandbox, startSandbox } from '../../sandbox/index.ts'
import { filesOf } from '../../sandbox/story.ts'
import { launchChromium } from './chromium.ts'
import { shrinkPng } from './small-png.ts'

/**
 * `npm run screenshots`: the pictures that the documentation shows, and no others, of runs of the bundled action on the
 * sandbox. Only the preview's address is shown as ml.ink would have it.
 */

const ROOT = join(import.meta.dirname, '../..')
const FOLDER = join(ROOT, 'docs/images')
const LARGEST_BYTES = 150_000
const SCHEMES = ['light', 'dark'] as const

interface Stage {
  readonly sandbox: Sandbox
  readonly repository: Repository
  readonly browser: Browser
}

/** Takes what is found on the pull request's page, in both colour schemes. */
async function take(
  { sandbox, repository, browser }: Stage,
  name: string,
  size: { readonly width: number; readonly height: number; readonly scale: number },
  find: (page: Page) => Page | Locator,
): Promise<void> {
  const { width, height, scale } = size
  for (const colorScheme of SCHEMES) {
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height },
      deviceScaleFactor: scale,
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    await page.goto(`${repository.htmlUrl}/pull/1`)
    await page.frameLocator('.preview-frame').locator('h1').waitFor()
    for (const { name: service, url } of sandbox.ink.services())
      if (url !== undefined) await showAs(page, new URL(url).host, `${service}.ml.ink`)
    const picture = shrinkPng(await find(page).screenshot({ animations: 'disabled' }))
    if (picture.length > LARGEST_BYTES) throw new Error(`${name} is larger than ${LARGEST_BYTES} bytes.`)
    await writeFile(join(FOLDER, `${name}-${colorScheme}.png`), picture)
    process.stdout.write(`${name}-${colorScheme}.png ${Math.round(picture.length / 1024)} kB\n`)
    await context.close()
  }
}

/** In a text of its own, as the types of a browser are not those of this program. */
async function showAs(page: Page, host: string, shown: string): Promise<void> {
  await page.evaluate(`{
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    while (texts.nextNode())
      texts.currentNode.nodeValue = texts.currentNode.nodeValue.replaceAll(${JSON.stringify(host)}, ${JSON.stringify(shown)})
  }`)
}

async function takeAll(): Promise<void> {
  await mkdir(FOLDER, { recursive: true })
  await using sandbox = await startSandbox()
  const browser = await launchChromium()
  try {
    const repository = await sandbox.github.createRepository({ owner: 'acme', name: 'web' })
    const stage = { sandbox, repository, browser }
    const workflow = await readFile(join(ROOT, 'examples/workflows/minimal.yml'), 'utf8')
    // Under the name and at the path that the sandbox's runner tells.
    const deploy = { '.github/workflows/preview.yml': workflow.replace(/^name: .*$/m, 'name: Preview') }
    const parent = await repository.pushTo('main', { ...(await filesOf(join(ROOT, 'examples/hello'))), ...deploy })
    const write = (text: string, message: string, from?: string) =>
      repository.commit({ branch: 'greeting', ...(from && { parent: from }), files: { 'greeting.js': text }, message })
    const before = await write("export const greeting = 'Welcome to Acme'\n", 'Greet visitors', parent)
    const body = 'The start page says **welcome** now.'
    const { number } = await repository.openPullRequest({
      head: 'greeting',
      title: 'Greet visitors',
      body,
      author: 'maria',
    })
    const opened = await repository.event('pull_request', { action: 'opened', number })
    expectEnd(await sandbox.run({ repository, event: opened }), 'live')
    const card = (page: Page) => page.locator('[id^=issuecomment-]', { hasText: 'Preview' }).last()
    await take(stage, 'card-live', { width: 900, height: 800, scale: 2 }, card)
    await take(stage, 'pull-request', { width: 1280, height: 826, scale: 1.5 }, (page) => page)

    const after = await write("export const greeting = 'Welcome to Acme\n", 'Greet visitors by name')
    const pushed = await repository.event('pull_request', { action: 'synchronize', number, before, after })
    expectEnd(await sandbox.run({ repository, event: pushed }), 'failed')
    await take(stage, 'card-failed', { width: 900, height: 800, scale: 2 }, card)
  } finally {
    await browser.close()
  }
}

function expectEnd({ outputs, log }: RunResult, status: string): void {
  if (outputs.status !== status) throw new Error(`The run should be ${status}:\n${log}`)
}

await takeAll()
