import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The example's directory. */
export const mcpServer = resolve(import.meta.dirname, '../../examples/mcp-server')

/**
 * Builds the example as its own `npm run build` does, into another directory. Its dependencies are those of this
 * repository, in the same versions, so that nothing has to be fetched.
 */
export async function bundleMcpServer(out: string): Promise<void> {
  const { scripts } = JSON.parse(await readFile(join(mcpServer, 'package.json'), 'utf8')) as {
    scripts: { build: string }
  }
  const [program, ...args] = scripts.build.split(' ')
  if (program !== 'ncc') throw new Error(`npm run build starts ${program}, which this does not know`)
  const bundler = createRequire(import.meta.url).resolve('@vercel/ncc/dist/ncc/cli.js')
  const elsewhere = args.map((arg) => (arg === 'dist' ? out : arg))
  await run(process.execPath, [bundler, ...elsewhere, '--no-cache'], { cwd: mcpServer })
}
