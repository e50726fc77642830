import { defineConfig } from 'vitest/config'

/** Tests that look at pages in Chromium; `npm test` needs none. */
export default defineConfig({
  test: {
    include: ['test/browser/**/*.browser.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
