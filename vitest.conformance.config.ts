import { defineConfig } from 'vitest/config'

/** The official conformance suite of MCP; it has packages of its own, which `npm run test:conformance` installs. */
export default defineConfig({
  test: {
    include: ['test/conformance/**/*.conformance.ts'],
    testTimeout: 180_000,
    hookTimeout: 60_000,
  },
})
