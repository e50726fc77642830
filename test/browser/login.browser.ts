import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { obtainKey } from '../../src/login/key.ts'
import { launchChromium } from './chromium.ts'

let ink: InkPlatform
let browser: Browser

beforeAll(async () => {
  ink = await startInkPlatform()
  browser = await launchChromium()
})
afterAll(async () => {
  await browser?.close()
  await ink?.stop()
})

/** Logs in with a person at the browser who clicks this button; returns what the last page said. */
async function clicking(button: 'Allow' | 'Deny') {
  const context = await browser.newContext()
  let seen: Promise<string> = Promise.resolve('')
  const click = async (address: string) => {
    const page = await context.newPage()
    await page.goto(address)
    await page.getByRole('button', { name: button }).click()
    return page.getByRole('heading').innerText()
  }
  const key = await obtainKey(
    { endpoint: ink.endpoint, browser: true },
    {
      fetch,
      terminal: {
        interactive: false,
        say: () => {},
        print: () => {},
        line: async () => '',
        [Symbol.dispose]: () => {},
      },
      openBrowser: (address) => {
        seen = click(address)
      },
      newState: () => 'a state',
      patienceMs: 30_000,
      now: Date.now,
      signal: new AbortController().signal,
    },
  ).catch((error: unknown) => error)
  const heading = await seen
  await context.close()
  return { key, heading }
}

it('a click on Allow leads back to this machine, past all that browsers check, and to a key', async () => {
  const { key, heading } = await clicking('Allow')
  expect(heading).toBe('Back to the terminal')
  expect(key).toHaveProperty('reveal')
})

it('a click on Deny leads back as well, and to none', async () => {
  const { key, heading } = await clicking('Deny')
  expect(heading).toBe('Back to the terminal')
  expect(key).toMatchObject({ message: expect.stringContaining('access_denied') })
})
