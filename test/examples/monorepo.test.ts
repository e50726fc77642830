import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { exampleFolder } from './run-example.ts'

async function load(path: string): Promise<unknown> {
  return parse(await readFile(join(exampleFolder('.'), path), 'utf8'))
}

/*
 * Everything else that the example claims is in the story of `npm start` (sandbox/story.ts), which deploys it to production and
 * for a pull request, and holds its page against commit, API and database: test/e2e/story.test.ts.
 */
it('is deployed by the workflow that the story deploys it with', async () => {
  expect(await load('monorepo/.github/workflows/deploy.yml')).toEqual(await load('workflows/minimal.yml'))
})
