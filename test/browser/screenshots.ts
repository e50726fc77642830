import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BrowserContext, Locator, Page } from 'playwright-core'
import { renderCard } from '../../src/report/card.ts'
import { row } from '../report/rows.ts'
import { CARD_STATES } from './card-states.ts'
import { shrinkPng } from './small-png.ts'
import { deployed, type Stage, setStage } from './stage.ts'

/** `npm run screenshots`: the pictures that the documentation shows, and no others. */

const FOLDER = join(import.meta.dirname, '../../docs/images')
const LARGEST_BYTES = 150_000
const NOW = new Date('2026-11-22T10:05:00Z')
const SCHEMES = ['light', 'dark'] as const

/** Stands for the app behind the preview's address, which is on nobody's machine. */
const APP = `<!doctype html><html lang="en"><title>Acme</title>
<style>body { display: grid; place-content: center; min-height: 90vh; margin: 0; font: 18px sans-serif; text-align: center;
background: #f4effc; color: #24292f; } h1 { font-size: 40px; margin: 0 0 8px; }</style>
<h1>Welcome to Acme</h1><p>Everything for your garden.</p></html>`

type Scheme = (typeof SCHEMES)[number]

async function openWindow(
  stage: Stage,
  colorScheme: Scheme,
  size: { readonly width: number; readonly height: number; readonly scale: number },
): Promise<Page> {
  const { width, height, scale } = size
  const viewport = { width, height }
  const context = await stage.browser.newContext({
    colorScheme,
    viewport,
    deviceScaleFactor: scale,
    reducedMotion: 'reduce',
  })
  await servePreview(context)
  const page = await context.newPage()
  await page.clock.setFixedTime(NOW)
  return page
}

async function servePreview(context: BrowserContext): Promise<void> {
  await context.route('https://*.ml.ink/**', (route) => route.fulfill({ contentType: 'text/html', body: APP }))
}

async function save(subject: Page | Locator, name: string): Promise<void> {
  const picture = shrinkPng(await subject.screenshot({ animations: 'disabled' }))
  if (picture.length > LARGEST_BYTES) throw new Error(`${name}.png is larger than ${LARGEST_BYTES} bytes.`)
  await writeFile(join(FOLDER, `${name}.png`), picture)
  process.stdout.write(`${name}.png ${Math.round(picture.length / 1024)} kB\n`)
}

/** The card in each state, as wide as GitHub's conversation. */
async function cards(stage: Stage, scheme: Scheme): Promise<void> {
  const { repository, pull } = stage
  const comment = repository.comment(pull.number, '', 'github-actions[bot]')
  for (const [state, rows] of Object.entries(CARD_STATES)) {
    const body = renderCard(rows, { repositoryUrl: repository.htmlUrl, pullRequest: pull.number })
    repository.conversation.editComment(comment.id, body)
    const page = await openWindow(stage, scheme, { width: 900, height: 800, scale: 2 })
    await page.goto(stage.pullUrl)
    await save(page.locator(`#issuecomment-${comment.id}`), `card-${state}-${scheme}`)
    await page.context().close()
  }
  repository.conversation.deleteComment(comment.id)
}

/** A pull request with comment, deployment box and preview. */
async function pullRequest(stage: Stage, scheme: Scheme): Promise<void> {
  const page = await openWindow(stage, scheme, { width: 1280, height: 826, scale: 1.5 })
  await page.goto(stage.pullUrl)
  await page.frameLocator('.preview-frame').locator('h1').waitFor()
  await save(page, `pull-request-${scheme}`)
  await page.context().close()
}

/** The run that made the deployment, as GitHub remembers it. */
function recordRun({ repository, pull }: Stage): void {
  const id = 71
  const started = { startedAt: NOW, createdAt: NOW }
  const ended = { status: 'completed', conclusion: 'success', completedAt: NOW } as const
  repository.runs.set(id, {
    ...started,
    id,
    number: id,
    attempt: 1,
    name: 'Preview',
    path: '.github/workflows/preview.yml',
    event: 'pull_request',
    headBranch: pull.headRef,
    headSha: pull.headSha,
    actor: pull.user,
    jobs: [{ ...started, ...ended, id: id * 10, name: 'deploy' }],
  })
}

async function takeAll(): Promise<void> {
  await mkdir(FOLDER, { recursive: true })
  await using stage = await setStage({ now: () => NOW, pullNumber: 12 })
  for (const scheme of SCHEMES) await cards(stage, scheme)
  const { repository, pull } = stage
  const links = { repositoryUrl: repository.htmlUrl, pullRequest: pull.number }
  repository.comment(
    pull.number,
    renderCard([row({ service: 'acme-web-pr-12', commit: pull.headSha })], links),
    'github-actions[bot]',
  )
  deployed(stage, { state: 'success', url: 'https://acme-web-pr-12.ml.ink' })
  recordRun(stage)
  for (const scheme of SCHEMES) await pullRequest(stage, scheme)
}

await takeAll()
