import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const folder = fileURLToPath(new URL('../../node_modules/.cache/node-24', import.meta.url))

let found: Promise<string> | undefined

/**
 * Path of a Node 24, which is what GitHub's runners start actions with. The one that runs the tests when it is a 24,
 * else the registry's `node` package, installed once beside the other packages.
 */
export function node24(): Promise<string> {
  found ??= findNode24()
  return found
}

async function findNode24(): Promise<string> {
  if (process.versions.node.startsWith('24.')) return process.execPath
  const executable = `${folder}/node_modules/node/bin/node`
  if (await answers(executable)) return executable
  await mkdir(folder, { recursive: true })
  const options = ['--prefix', folder, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts=false']
  await run('npm', ['install', ...options, 'node@24'], { cwd: folder })
  if (!(await answers(executable))) throw new Error('The package node@24 was installed and does not start')
  return executable
}

async function answers(executable: string): Promise<boolean> {
  return run(executable, ['--version']).then(
    ({ stdout }) => stdout.startsWith('v24.'),
    () => false,
  )
}
