import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

/**
 * `npm run hostile` runs the attacks of test/hostile and writes down what came of them; `npm run docs` makes the tables of
 * docs/security.md of that.
 */

const root = fileURLToPath(new URL('..', import.meta.url))
const recordFile = join(root, 'test/hostile/record.json')

const recordSchema = z.object({
  classes: z.array(z.object({ name: z.string(), file: z.string(), attacks: z.number(), held: z.number() })),
  servers: z.record(z.string(), z.object({ seconds: z.number(), megabytes: z.number() })),
})

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(
        z.object({ ancestorTitles: z.array(z.string()), title: z.string(), status: z.string() }),
      ),
    }),
  ),
})

/** The tables of docs/security.md: classes of attacks, and what each hostile server costs a run. */
export function hostileTables(): { readonly attacks: string[][]; readonly servers: string[][] } {
  const { classes, servers } = recordSchema.parse(JSON.parse(readFileSync(recordFile, 'utf8')))
  return {
    attacks: classes.map(({ name, file, attacks, held }) => [
      name,
      `[\`${file}\`](../test/hostile/${file})`,
      String(attacks),
      held === attacks ? 'all' : String(held),
    ]),
    servers: Object.entries(servers).map(([name, { seconds, megabytes }]) => [
      name,
      `${seconds.toFixed(1)} s`,
      `${megabytes} MB`,
    ]),
  }
}

function record(): void {
  const folder = mkdtempSync(join(tmpdir(), 'hostile-'))
  const report = join(folder, 'report.json')
  const args = ['vitest', 'run', 'test/hostile', '--maxWorkers=1', '--reporter=json', `--outputFile=${report}`]
  spawnSync('npx', args, { cwd: root, stdio: 'inherit', env: { ...process.env, MEASURE: folder } })
  const { testResults } = reportSchema.parse(JSON.parse(readFileSync(report, 'utf8')))
  const classes = testResults
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(({ name, assertionResults }) => {
      const file = relative(join(root, 'test/hostile'), name)
      const groups = new Map<string, typeof assertionResults>()
      for (const test of assertionResults) {
        const group = test.ancestorTitles.find(Boolean) ?? test.title
        groups.set(group, [...(groups.get(group) ?? []), test])
      }
      return [...groups].map(([group, tests]) => ({
        name: group,
        file,
        attacks: tests.length,
        held: tests.filter(({ status }) => status === 'passed').length,
      }))
    })
  // Each file of runs of the bundle leaves its own.
  const figures = ['platform', 'sources'].map((name) => JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')))
  const measured = { classes, servers: Object.assign({}, ...figures) }
  writeFileSync(recordFile, `${JSON.stringify(recordSchema.parse(measured), undefined, 2)}\n`)
  rmSync(folder, { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) record()
