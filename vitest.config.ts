import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig, type Plugin } from 'vitest/config'

/**
 * What `src` imports when it is needed is imported from the start: to load a file takes real time, and virtual time would
 * run on meanwhile. The tests of the bundle show what is loaded when.
 */
const everythingAtOnce: Plugin = {
  name: 'everything-at-once',
  enforce: 'pre',
  transform(code, id) {
    const imports: string[] = []
    const eager = code.replaceAll(/\bimport\(('\.[^']+')\)/g, (_, path) => {
      imports.push(`import * as part${imports.length} from ${path}`)
      return `Promise.resolve(part${imports.length - 1})`
    })
    return imports.length > 0 && id.includes('/src/') ? `${imports.join('\n')}\n${eager}` : undefined
  },
}

/** Packages as users get them, not the builds for their developers, which check themselves at every step. */
const asPublished: Plugin = {
  name: 'as-published',
  configEnvironment: (_name, { resolve }) => {
    if (resolve?.conditions) resolve.conditions = resolve.conditions.filter((each) => !each.startsWith('development'))
  },
}

/**
 * Where the tests keep their files: hundreds of thousands for a moment each, which a disk takes a tenth of all CPU time for.
 * In memory where Linux has enough of it, and lets programs be started from there.
 */
function temporaryFiles(): { readonly TMPDIR?: string } {
  const folder = '/dev/shm'
  if (process.env.TMPDIR !== undefined || !existsSync('/proc/mounts') || !existsSync(folder)) return {}
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const [, , , options] = mounts.find((mount) => mount.split(' ')[1] === folder)?.split(' ') ?? []
  const { bavail, bsize } = statfsSync(folder)
  const isEnough = bavail * bsize > 2 * 1024 ** 3
  return isEnough && options?.split(',').includes('noexec') === false ? { TMPDIR: folder } : {}
}

/** What a bound of CPU time is held against runs when nothing else does. */
const measured = ['test/watch/log-cost.test.ts']

export default defineConfig({
  plugins: [everythingAtOnce, asPublished],
  test: {
    env: temporaryFiles(),
    projects: [
      { extends: true, test: { name: 'all', include: ['test/**/*.test.ts', ...measured.map((path) => `!${path}`)] } },
      { extends: true, test: { name: 'measured', include: measured, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
    // For what hangs. A busy machine may be many times slower than an idle one.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // Two thirds of the time of a test go into waiting for builds, processes and deadlines, so there are more workers than cores.
    maxWorkers: 3 * availableParallelism(),
    // The files of a worker share what they load: loading it anew takes longer than many a file's tests. So a test leaves
    // no module, variable or global changed behind.
    isolate: false,
  },
})
