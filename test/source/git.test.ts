import { afterEach, expect, it, vi } from 'vitest'
import { openRepository } from '../../src/source/git.ts'
import { commitFiles, newRepository, scratchFolder } from './scratch.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('a command that writes nothing is over when git is', async () => {
  await using folder = await scratchFolder()
  const directory = await newRepository(`${folder.path}/work`)
  await commitFiles(directory, { 'index.html': 'hello' }, 'Hello')
  const repository = openRepository(directory, { PATH: process.env.PATH ?? '' }, new AbortController().signal)
  // Whoever waits for a timer waits for ever.
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  expect(await repository.run(['ls-tree', 'HEAD', '--', 'ink.yml'])).toEqual(Buffer.alloc(0))
})
