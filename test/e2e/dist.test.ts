import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { build } from '../../scripts/build.ts'

const committed = fileURLToPath(new URL('../../dist', import.meta.url))

it('dist is what src builds, byte for byte', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dist-'))
  try {
    await build(join(folder, 'dist'))
    expect(await filesIn(join(folder, 'dist'))).toEqual(await filesIn(committed))
  } finally {
    await rm(folder, { recursive: true })
  }
}, 300_000)

async function filesIn(root: string): Promise<Record<string, string>> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const digest = async (file: string) =>
    createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
  return Object.fromEntries(
    await Promise.all(files.sort().map(async (file) => [relative(root, file), await digest(file)])),
  )
}
