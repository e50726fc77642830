import { execFile } from 'node:child_process'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
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
  await installOnce()
  if (!(await answers(executable))) throw new Error('The package node@24 could not be installed, or does not start')
  return executable
}

const longestMs = 80_000

/** Files of tests begin together, each in a process of its own: the first to come installs it, and the others wait for that. */
async function installOnce(): Promise<void> {
  const draft = `${folder}.draft`
  await mkdir(dirname(folder), { recursive: true })
  // What has been there for longer is of a run that was ended in the middle.
  if ((await ageMs(draft)) > longestMs) await rm(draft, { recursive: true, force: true })
  const isFirst = await mkdir(draft).then(
    () => true,
    () => false,
  )
  if (!isFirst) {
    while ((await ageMs(draft)) <= longestMs) await pause(200)
    return
  }
  try {
    const options = ['--prefix', draft, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts=false']
    await run('npm', ['install', ...options, 'node@24'], { cwd: draft })
    await rm(folder, { recursive: true, force: true })
    await rename(draft, folder)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/** How long ago a folder was made, or filled; NaN where there is none. */
async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => Number.NaN,
  )
}

async function answers(executable: string): Promise<boolean> {
  return run(executable, ['--version']).then(
    ({ stdout }) => stdout.startsWith('v24.'),
    () => false,
  )
}
