import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { node24 } from '../support/node-24.ts'

const local = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const SUITE = local('node_modules/@modelcontextprotocol/conformance/dist/index.js')

/** What the suite says when it is run with these arguments. It asks for a newer Node than the project. */
export async function conformance(args: readonly string[]): Promise<{ passed: boolean; output: string }> {
  const node = await node24()
  return new Promise((resolve) => {
    execFile(node, [SUITE, ...args], { cwd: local('../..'), timeout: 150_000 }, (error, stdout, stderr) =>
      resolve({ passed: error === null, output: stdout + stderr }),
    )
  })
}

/** The names of the suite's scenarios. */
export async function scenariosFor(side: 'client' | 'server'): Promise<string[]> {
  const { output } = await conformance(['list', `--${side}`])
  return [...output.matchAll(/^ {2}- (\S+)/gm)].map(([, name = '']) => name)
}

/** Runs one scenario; the suite's files about it are thrown away. */
export async function runScenario(
  scenario: string,
  args: readonly string[],
): Promise<{ passed: boolean; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'ink-conformance-'))
  try {
    return await conformance([...args, '--scenario', scenario, '--output-dir', folder])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
