import { defineConfig } from 'vitest/config'

/** Workflows in nektos/act, a runner that is not ours; built with Go at the first run, skipped where there is none. */
export default defineConfig({
  test: {
    include: ['test/act/**/*.act.ts'],
    testTimeout: 300_000,
    hookTimeout: 600_000,
    fileParallelism: false,
  },
})
