/** The CPU time of some work in milliseconds. */
export function cpuOf(act: () => void): number {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

const WORK = Array.from({ length: 20_000 }, (_, at) => `src/app${at}.ts(1,7): error TS2304: Cannot find name 'x${at}'.`)
const SEARCHED = [
  /\b(?:command|process|script)\b.{0,120}\b(?:failed|exited)\b/i,
  /\b(?:denied|refused|timed? ?out|unreachable)\b/i,
  /^\s*(?:at |from |File ")|^\s+\^+/,
  /\berror\b.{0,60}\b(?:TS|CS)\d{4}\b/,
  /(?:no such|not found|cannot find)/i,
]

/** What a fixed piece of work like a diagnosis or a log takes of CPU now: about 100 ms where nothing else runs. */
function yardstick(): number {
  return cpuOf(() => {
    for (let round = 0; round < 6; round += 1) {
      const found = WORK.map((line) => ({
        line: line.replace(/^src\//, ''),
        hits: SEARCHED.filter((each) => each.test(line)),
      }))
      if (found.length !== WORK.length) throw new Error('The yardstick does no work.')
    }
  })
}

/**
 * The CPU time of some work in seconds of a quiet machine. A processor that is shared, or slower, takes longer for the
 * same work, and as much longer for the yardstick before and after it.
 */
export function quietSeconds(act: () => void): number {
  const before = yardstick()
  const taken = cpuOf(act)
  return taken / 10 / Math.max(before, yardstick())
}
