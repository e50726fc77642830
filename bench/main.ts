import { benchDiagnosis } from './diagnosis.ts'
import { benchPush } from './push.ts'
import { benchWatch } from './watch.ts'

/** `npm run bench`: every figure that the README and the notes name; `npm run bench -- push` for one of them. */
const benches: Readonly<Record<string, (print: (line: string) => void) => Promise<void>>> = {
  diagnosis: benchDiagnosis,
  push: benchPush,
  watch: benchWatch,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in benches))
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(', ')}; there are ${Object.keys(benches).join(', ')}.`)
  process.exitCode = 1
} else {
  for (const [name, bench] of Object.entries(benches)) {
    if (asked.length > 0 && !asked.includes(name)) continue
    console.log(`\n== ${name}`)
    await bench((line) => console.log(line))
  }
}
