import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { withSandboxTables } from '../../scripts/docs.ts'

it('docs/sandbox.md lists the faults and the pinned behaviours that there are', () => {
  const page = readFileSync(new URL('../../docs/sandbox.md', import.meta.url), 'utf8')
  expect(withSandboxTables(page)).toBe(page)
})
