import { benchCalls } from './calls.ts'
import { benchDiagnosis } from './diagnosis.ts'
import { benchGrowth } from './growth.ts'
import { benchPush } from './push.ts'
import { benchRuns } from './runs.ts'
import { type Bench, type Row, tableOf } from './table.ts'
import { benchWatch } from './watch.ts'
import { benchWeight } from './weight.ts'

/** `npm run bench`: every figure that the README and the notes name; `npm run bench -- push` for one of them. */
const benches: Readonly<Record<string, Bench>> = {
  weight: benchWeight,
  runs: benchRuns,
  calls: benchCalls,
  diagnosis: benchDiagnosis,
  push: benchPush,
  watch: benchWatch,
  growth: benchGrowth,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`)
  process.exitCode = 1
} else {
  const rows: Row[] = []
  for (const [name, bench] of Object.entries(benches)) {
    if (asked.length > 0 && !asked.includes(name)) continue
    console.log(`\n== ${name}`)
    rows.push(...(await bench((line) => console.log(line))))
  }
  console.log(`\n${tableOf(rows)}`)
}
