import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { renderCard } from '../../src/report/comments.ts'
import { DIAGNOSIS, row, SURROUNDINGS, unfinished } from '../report/rows.ts'
import { sampleAction } from '../sandbox-runner/sample-action.ts'
import { deployed, type Stage, setStage, startApp } from './stage.ts'

let stage: Stage

beforeAll(async () => {
  stage = await setStage()
})

afterAll(async () => {
  await stage?.[Symbol.asyncDispose]()
})

type Looks = { readonly colorScheme?: 'light' | 'dark'; readonly width?: number }

/** Looks at an address and closes the window afterwards; errors of the page's own scripts fail the test. */
async function look(
  address: string,
  { colorScheme = 'light', width = 1280 }: Looks,
  see: (page: Page) => Promise<void>,
) {
  const context = await stage.browser.newContext({ colorScheme, viewport: { width, height: 900 } })
  const page = await context.newPage()
  const errors: string[] = []
  page.on('pageerror', (error) => errors.push(error.message))
  page.on('dialog', (dialog) => {
    errors.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  try {
    await page.goto(address)
    await page.locator('#connection.on').waitFor()
    await see(page)
    expect(errors).toEqual([])
  } finally {
    await context.close()
  }
}

async function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
}

/** A run with something of everything to show, some of it wide. */
async function showRun(): Promise<{ readonly runId: number }> {
  const { repository, pull } = stage
  await using action = await sampleAction({
    main: `import { appendFileSync } from 'node:fs'
      console.log('::group::Build'); console.log('x'.repeat(400)); console.log('::endgroup::')
      console.log('::error file=src/app.ts,line=2,title=TypeScript TS2304::Cannot find name greeting')
      appendFileSync(process.env.GITHUB_STEP_SUMMARY, '## Timeline\\n\\n\`\`\`mermaid\\ngantt\\n  dateFormat x\\n  Build :done, 0, 900\\n\`\`\`\\n')
      appendFileSync(process.env.GITHUB_OUTPUT, 'branch=ink/pr-1/${'a'.repeat(120)}\\n')`,
  })
  const event = await repository.event('pull_request', { number: pull.number, action: 'opened' })
  const result = await stage.sandbox.run({ action: action.directory, repository, event })
  expect(result.conclusion).toBe('success')
  return result
}

describe('the page of a pull request', () => {
  it.each([
    { colorScheme: 'light', width: 1280, background: 'rgb(255, 255, 255)' },
    { colorScheme: 'light', width: 400, background: 'rgb(255, 255, 255)' },
    { colorScheme: 'dark', width: 1280, background: 'rgb(13, 17, 23)' },
    { colorScheme: 'dark', width: 400, background: 'rgb(13, 17, 23)' },
  ] as const)('fits and is readable, $colorScheme and $width wide', async ({ background, ...looks }) => {
    const { repository, pull } = stage
    const tail = Array.from({ length: 60 }, (_, index) => `${index} ${'wide '.repeat(60)}`)
    const failed = unfinished({ status: 'failed', diagnosis: { ...DIAGNOSIS, tail } })
    repository.comment(pull.number, renderCard([row(), failed], SURROUNDINGS), 'github-actions[bot]')
    const { runId } = await showRun()
    for (const address of [stage.pullUrl, `${repository.htmlUrl}/actions/runs/${runId}`, repository.htmlUrl]) {
      await look(address, looks, async (page) => {
        await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        expect(await overflow(page)).toBe(0)
        expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(background)
      })
    }
  })

  it('shows a new comment and a new title without being loaded again', async () => {
    const { repository, pull, pullUrl } = stage
    await look(pullUrl, {}, async (page) => {
      await page.evaluate('window.loadedOnce = true')
      repository.comment(pull.number, 'This **just** arrived', 'jonas')
      await page.locator('.comment strong', { hasText: 'just' }).waitFor()
      pull.title = 'Greet all visitors'
      await page.locator('h1', { hasText: 'Greet all visitors' }).waitFor()
      expect(await page.evaluate('window.loadedOnce')).toBe(true)
    })
  })

  it('shows the log of a run as it grows, and the conclusion at the end', async () => {
    const { repository, pull, pullUrl, sandbox } = stage
    await using action = await sampleAction({
      main: `console.log('first line')
        process.on('SIGINT', () => { console.log('last line'); process.exit(0) })
        setInterval(() => {}, 1000)`,
    })
    const event = await repository.event('pull_request', { number: pull.number, action: 'synchronize' })
    await look(pullUrl, {}, async (page) => {
      const stop = new AbortController()
      const running = sandbox.run({ action: action.directory, repository, event, signal: stop.signal })
      await page.locator('.log-line', { hasText: 'first line' }).waitFor()
      expect(await page.locator('.merge-box').textContent()).toContain("haven't completed yet")
      stop.abort()
      await page.locator('.log-line', { hasText: 'last line' }).waitFor()
      await running
      await page.locator('.merge-box', { hasText: 'Cancelled' }).waitFor()
    })
  })

  it('leaves open what was opened by hand when its part is replaced', async () => {
    const { repository, pull, pullUrl } = stage
    repository.comment(pull.number, '<details><summary>Folded</summary>inside</details>', 'jonas')
    await look(pullUrl, {}, async (page) => {
      await page.locator('summary', { hasText: 'Folded' }).click()
      repository.comment(pull.number, 'Another one', 'jonas')
      await page.locator('.comment', { hasText: 'Another one' }).waitFor()
      expect(await page.locator('details', { hasText: 'Folded' }).getAttribute('open')).not.toBeNull()
    })
  })

  it('shows the live preview in a frame, and loads it again only for another deployment', async () => {
    const { repository, pull, pullUrl } = stage
    await using app = await startApp('<h1>Welcome to Acme</h1>')
    deployed(stage, { state: 'success', url: app.url })
    await look(pullUrl, {}, async (page) => {
      await page.frameLocator('.preview-frame').locator('h1', { hasText: 'Welcome to Acme' }).waitFor()
      expect(app.views()).toBe(1)
      repository.comment(pull.number, 'Does it load again?', 'jonas')
      await page.locator('.comment', { hasText: 'Does it load again?' }).waitFor()
      expect(app.views()).toBe(1)
      deployed(stage, { state: 'success', url: app.url })
      await expect.poll(() => app.views()).toBe(2)
      expect(await page.locator('.deployment-box .button').first().getAttribute('href')).toBe(app.url)
    })
  })

  it('draws the diagram of a job summary', async () => {
    await showRun()
    await look(stage.pullUrl, {}, async (page) => {
      await page.locator('iframe.diagram').scrollIntoViewIfNeeded()
      await page.frameLocator('iframe.diagram').locator('svg', { hasText: 'Build' }).waitFor()
      await page.locator('iframe.diagram[height]').waitFor()
    })
  })
})

const ATTACKS = [
  '<script>window.attacked = 1</script>',
  '<img src=x onerror="window.attacked = 2">',
  '<svg onload="window.attacked = 3"></svg>',
  '<iframe srcdoc="<script>parent.attacked = 4</script>"></iframe>',
  '<a href="javascript:window.attacked = 5">click</a> [click](javascript:window.attacked=6)',
  '<style>body { display: none }</style><form action="/"><button>go</button></form>',
  '</p></div></article></main><h1 id="head">overtaken</h1>',
].join('\n\n')

describe('text of strangers', () => {
  it('runs nothing, wherever it stands', async () => {
    const { repository, sandbox } = stage
    await using action = await sampleAction({
      main: `import { appendFileSync } from 'node:fs'
        const attacks = ${JSON.stringify(ATTACKS)}
        console.log(attacks); console.log('::group::' + attacks.split('\\n')[0]); console.log('::endgroup::')
        for (const line of attacks.split('\\n')) console.log('::warning title=<img src=x onerror=attacked=7>::' + line)
        appendFileSync(process.env.GITHUB_STEP_SUMMARY, attacks + '\\n\\n\`\`\`mermaid\\ngraph TD\\n  a["<img src=x onerror=parent.attacked=8>"]\\n\`\`\`')
        appendFileSync(process.env.GITHUB_OUTPUT, 'url=' + attacks.split('\\n')[0] + '\\n')`,
    })
    await repository.commit({ branch: 'attack', parent: await repository.head(), files: { a: 'a' }, message: ATTACKS })
    const pull = await repository.openPullRequest({ head: 'attack', title: ATTACKS, body: ATTACKS, author: 'mallory' })
    repository.comment(pull.number, ATTACKS, 'mallory')
    repository.label(pull.number, '<script>window.attacked = 9</script>')
    deployed({ repository, pull }, { state: 'success', url: 'javascript:window.attacked=10', description: ATTACKS })
    const event = await repository.event('pull_request', { number: pull.number, action: 'opened' })
    const { runId } = await sandbox.run({ action: action.directory, repository, event })
    const commit = await repository.head('attack')
    for (const path of [`pull/${pull.number}`, `actions/runs/${runId}`, `commit/${commit}`, '']) {
      await look(`${repository.htmlUrl}/${path}`, {}, async (page) => {
        for (const link of await page.getByText('click', { exact: true }).all()) await link.click()
        expect(await page.evaluate('window.attacked')).toBeUndefined()
        expect(await page.locator('[href^="javascript:"], [src^="javascript:"]').count()).toBe(0)
        expect(await page.locator('main').isVisible()).toBe(true)
        expect(await page.locator('#head').count()).toBe(1)
      })
    }
  })

  it('would run nothing even past the sanitiser', async () => {
    await look(stage.pullUrl, {}, async (page) => {
      await page.evaluate(`{
        const place = document.querySelector('main')
        place.innerHTML = '<img src="data:," onerror="window.attacked = 11">'
        const script = document.createElement('script')
        script.textContent = 'window.attacked = 12'
        place.append(script)
      }`)
      await page.waitForTimeout(200)
      expect(await page.evaluate('window.attacked')).toBeUndefined()
    })
  })
})
