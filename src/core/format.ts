import damerauLevenshtein from 'damerau-levenshtein'

/** Figures and times as people read them. Pure: nothing here looks at a clock. */

const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** A duration in milliseconds as `143 ms`, `41 s`, `2 min 5 s`, `3 h 10 min` or `2 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, Math.round(durationMs))
  if (ms < SECOND_MS) return `${ms} ms`
  if (ms < 10 * SECOND_MS) return `${trimZero((ms / SECOND_MS).toFixed(1))} s`
  const wholeMs = Math.round(ms / SECOND_MS) * SECOND_MS
  if (wholeMs < MINUTE_MS) return `${wholeMs / SECOND_MS} s`
  if (wholeMs < HOUR_MS) return pair(wholeMs, MINUTE_MS, 'min', SECOND_MS, 's')
  if (wholeMs < DAY_MS) return pair(wholeMs, HOUR_MS, 'h', MINUTE_MS, 'min')
  return pair(wholeMs, DAY_MS, 'd', HOUR_MS, 'h')
}

function pair(ms: number, bigMs: number, bigUnit: string, smallMs: number, smallUnit: string): string {
  const big = Math.floor(ms / bigMs)
  const small = Math.floor((ms % bigMs) / smallMs)
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`
}

function trimZero(decimal: string): string {
  return decimal.replace(/\.0$/, '')
}

/** A duration as a setting has it: `90s`, `15m`, `7d`, in the largest unit that divides it without remainder. */
export function shortDuration(durationMs: number): string {
  const units = { d: DAY_MS, h: HOUR_MS, m: MINUTE_MS } as const
  const [unit, unitMs] = Object.entries(units).find(([, ms]) => durationMs % ms === 0) ?? ['s', SECOND_MS]
  return `${durationMs / unitMs}${unit}`
}

/** Bytes in decimal units, as `812 B`, `4.2 kB`, `51 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  let value = Math.max(0, bytes)
  let unit: (typeof units)[number] = 'B'
  for (const next of units.slice(1)) {
    if (value < 999.5) break
    value /= 1000
    unit = next
  }
  const figure = unit === 'B' || value >= 9.95 ? String(Math.round(value)) : trimZero(value.toFixed(1))
  return `${figure} ${unit}`
}

/** An ISO time as `2026-11-22 10:04 UTC`; text that is not a time comes back as a dash. */
export function formatUtc(iso: string): string {
  const time = new Date(iso)
  if (Number.isNaN(time.getTime())) return '–'
  return `${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** US dollars: cents from one cent on, else two significant digits (`$0.0042`). */
export function formatDollars(dollars: number): string {
  if (dollars === 0) return '$0'
  if (dollars >= 0.01) return `$${dollars.toFixed(2)}`
  if (dollars < 0.0001) return 'less than $0.0001'
  return `$${Number(dollars.toPrecision(2))}`
}

/** The first seven digits of a commit SHA. */
export function shortSha(sha: string): string {
  return sha.slice(0, 7)
}

/** `1 preview`, `2 previews`. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`
}

/** The same with its first letter large. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** A duration for the log, to a tenth of a second: `3.2 s`, `2 min 5 s`. */
export function inSeconds(ms: number): string {
  return ms < MINUTE_MS ? `${(ms / SECOND_MS).toFixed(1)} s` : formatDuration(ms)
}

// No name of ours is longer, and the time grows with the product of both lengths.
const longest = 60

/** A value as it appears in a message: quoted, on one line, and not too long. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 79)}…` : text)
}

/** The end of a message about a word that is not known: `; did you mean web?`, or nothing where none is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearestWord(word, known)
  return near === undefined ? '' : `; did you mean ${near}?`
}

/**
 * The word among `known` that somebody who wrote `word` most likely meant; undefined when none is near. Case, hyphens,
 * underscores and dots are not counted.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) =>
    text
      .slice(0, longest)
      .toLowerCase()
      .replaceAll(/[-_. ]/g, '')
  const mostSteps = word.length < 4 ? 1 : word.length < 8 ? 2 : 3
  const near = known
    .map((other) => ({ other, steps: damerauLevenshtein(plain(word), plain(other)).steps }))
    .filter(({ steps }) => steps <= mostSteps && steps < word.length)
  return near.sort((a, b) => a.steps - b.steps)[0]?.other
}
