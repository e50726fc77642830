import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Much of the time goes into waiting for builds and deadlines, so no core is kept free, and one core does for two.
    maxWorkers: Math.max(2, availableParallelism()),
  },
})
