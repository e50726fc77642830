import { defineConfig } from 'vitest/config'

/** The life of a pull request on a real Gitea; built with Go at the first run, skipped where there is none. */
export default defineConfig({
  test: {
    include: ['test/forge/**/*.forge.ts'],
    testTimeout: 600_000,
    // The first build of a Gitea takes its time.
    hookTimeout: 3_600_000,
    fileParallelism: false,
  },
})
