import type { Annotation } from '../core/errors.ts'
import { scoreOf, TELLING } from './lines.ts'
import { fileAbove, filesNamedOn, placesIn, type RepositoryPaths, type SourcePlace } from './places.ts'
import type { Section } from './section.ts'

/** A remark at a place in the repository, as GitHub shows them beside a diff. */
export type SourceAnnotation = Annotation & { readonly file: string }

const MOST = 10
/** Stack traces and code frames around a reason reach so far. */
const ABOVE = 30
const BELOW = 45
/** Errors that a compiler lists: where they end nobody reads on. */
const FURTHER = 1_500

/** The places in deployed files that a section names: the one nearest to the reason, other errors, named files. */
export function annotate(
  section: Section,
  reasonAt: number | undefined,
  cause: string,
  paths: RepositoryPaths,
): readonly SourceAnnotation[] {
  const { lines, instruction } = section
  const places = reasonAt === undefined ? [] : placesAround(lines, reasonAt, cause, paths)
  if (places.length > 0) return places.slice(0, MOST).map((place) => toAnnotation(place, cause))
  const [path = '', line] = instruction?.split(/:(?=\d+$)/) ?? []
  const file = paths.resolve(path)
  if (file === undefined) return []
  return [{ file, line: Number(line), title: 'Build error', message: cause, level: 'error' }]
}

function placesAround(
  lines: readonly string[],
  reasonAt: number,
  cause: string,
  paths: RepositoryPaths,
): readonly SourcePlace[] {
  const near = placesIn(lines, reasonAt - ABOVE, reasonAt + BELOW, paths)
  const traceAbove = lines
    .slice(Math.max(0, reasonAt - 4), reasonAt)
    .some((line) => /^\s*File "[^"]+", line \d/.test(line))
  const distance = ({ at, level }: SourcePlace): number => {
    const down = at - reasonAt
    const away = down >= 0 ? down + (traceAbove ? 2 * ABOVE : 0) : -down + (traceAbove ? 0 : 3)
    return away + (level === 'warning' ? 4 * BELOW : 0)
  }
  const sorted = near.toSorted((a, b) => distance(a) - distance(b))
  const [nearest] = sorted
  // Those around it are listed only where they are errors, or name the same place exactly.
  const first = near.find((each) => nearest !== undefined && isExact(each, nearest)) ?? nearest
  const named =
    first !== undefined && first.level === 'error'
      ? []
      : [...fileAbove(lines, reasonAt, paths), ...filesNamedOn(lines[reasonAt] ?? '', reasonAt, paths)].map((place) =>
          withLine(place, cause),
        )
  const others = placesIn(lines, reasonAt + BELOW, reasonAt + FURTHER, paths)
  // Of a line that names a hundred places it is asked once.
  const asked = new Set([...near, ...others].map(({ at }) => at))
  const findings = new Set([...asked].filter((at) => isFinding(lines[at] ?? '')))
  const listed = [...near, ...others].filter(({ level, at }) => level === 'warning' || findings.has(at))
  const ordered = listed.toSorted(
    (a, b) => Number(a.level === 'warning') - Number(b.level === 'warning') || a.at - b.at,
  )
  const all = [...named, ...(first === undefined ? [] : [first]), ...ordered]
  const unique = [...new Map(all.map((each) => [`${each.file}:${each.line}:${each.column}`, each])).values()]
  // A trace names the place of its error twice, the second time with the column.
  const exact = unique.map((each) =>
    each.column === undefined ? (unique.find((other) => isExact(other, each)) ?? each) : each,
  )
  return [...new Set(exact)]
}

function isExact(a: SourcePlace, b: SourcePlace): boolean {
  return a.file === b.file && a.line === b.line && a.column !== undefined
}

/** Parsers name the file first, and its line further on in the sentence. */
function withLine(place: SourcePlace, cause: string): SourcePlace {
  const [, line, column] = /\bline (\d{1,6})(?:,? col(?:umn)?:? (\d{1,5}))?/.exec(cause) ?? []
  if (line === undefined) return place
  return { ...place, line: Number(line), column: column === undefined ? place.column : Number(column) }
}

/** Whether a line is an error of its own, not a call on the way to one. */
function isFinding(line: string): boolean {
  if (/^\s*(?:at |from |File "|#\d+ )|^\s*\S+:\d+:in /.test(line)) return false
  return scoreOf(line) >= TELLING || /^\s*(?:-->|[╭┌,]-?─*\[)|^\s*\d+:\d+\s/.test(line)
}

function toAnnotation({ file, line, column, message, level }: SourcePlace, cause: string): SourceAnnotation {
  const said = message.trim().replace(/\s{2,}/g, ' ')
  const coded = CODE_FIRST.exec(said)?.groups
  const rule = /^(?:error|warning)\s+(?<rest>\S.*(?<=\S))\s+(?<code>@?[\w/-]{3,60})$/i.exec(message.trim())?.groups
  const code = rule?.code ?? coded?.code
  const about = (rule?.rest ?? coded?.rest ?? said.replace(/^(?:error|warning|Error|Warning)[: -]+/, '')) || cause
  return { file, line, column, title: `${toolOf(code)} ${code ?? level}`, message: about, level }
}

const CODE_FIRST = /^(?:error ?|warning ?)?\[?(?<code>(?:TS|CS|FS|BC|E|NU|MSB)\d{3,5})\]?: (?<rest>.+)$/

function toolOf(code = ''): string {
  if (/^TS\d/.test(code)) return 'TypeScript'
  if (/^E\d{4}$/.test(code)) return 'Rust'
  return code === '' ? 'Build' : /^[A-Z]{2,3}\d/.test(code) ? '.NET' : 'ESLint'
}
