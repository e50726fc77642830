import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { failureIn } from '../src/cli/explain.ts'
import { sanitize } from '../src/core/sanitize.ts'
import { type Diagnosis, diagnose } from '../src/diagnosis/diagnose.ts'
import type { Bench } from './table.ts'

const CASES = new URL('../test/diagnosis/cases/', import.meta.url)
const MOST_LINES = 25

/** What a good engineer would say of a log. */
interface Expected {
  readonly match: readonly string[]
  readonly not: readonly string[]
  readonly decisive: readonly string[]
  readonly at: string | null
  readonly atAlso?: readonly string[]
}

/** How one case was judged; `place` is undefined where the log names none. */
export interface Judged {
  readonly name: string
  readonly diagnosis: Diagnosis
  readonly cause: boolean
  readonly decisive: boolean
  readonly place: boolean | undefined
  readonly misleading: boolean
}

/** Judges all cases of a folder. */
export function judgeCases(folder: URL = CASES): readonly Judged[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const { expect, ...given } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { expect: Expected }
      return judge(basename(file, '.json'), diagnose(failureIn(given, sanitize)), expect)
    })
}

function judge(name: string, diagnosis: Diagnosis, { match, not, decisive, at, atAlso }: Expected): Judged {
  const { cause } = diagnosis
  const matches = (pattern: string): boolean => new RegExp(pattern, 'i').test(cause)
  const shown = [cause, ...diagnosis.decisive.slice(0, MOST_LINES)].join('\n')
  const [first] = diagnosis.annotations
  const places = [at, ...(atAlso ?? [])]
  const place = first && (first.line === undefined ? [first.file] : [`${first.file}:${first.line}`, first.file])
  return {
    name,
    diagnosis,
    cause: match.every(matches) && !not.some(matches),
    decisive: decisive.some((text) => shown.includes(text)),
    place: at === null ? undefined : (place?.some((each) => places.includes(each)) ?? false),
    misleading: not.some(matches),
  }
}

/** How many of the cases in test/diagnosis/cases are explained rightly, and how long a long log takes. */
export const benchDiagnosis: Bench = async (print) => {
  const judged = judgeCases()
  const placed = judged.filter(({ place }) => place !== undefined)
  const share = (right: number, of: number): string => `${right} of ${of} (${((100 * right) / of).toFixed(1)} %)`
  print(`cause right      ${share(judged.filter(({ cause }) => cause).length, judged.length)}`)
  print(`decisive shown   ${share(judged.filter(({ decisive }) => decisive).length, judged.length)}`)
  print(`place right      ${share(placed.filter(({ place }) => place).length, placed.length)}`)
  print(`misleading       ${judged.filter(({ misleading }) => misleading).length}`)
  for (const each of judged.filter((one) => !one.cause || !one.decisive || one.place === false)) {
    const wrong = [each.cause ? '' : 'cause', each.decisive ? '' : 'decisive', each.place === false ? 'place' : '']
    print(`  ${each.name}: ${wrong.filter(Boolean).join(', ')} — ${each.diagnosis.cause}`)
  }
  return [
    { what: 'causes explained rightly', figure: share(judged.filter(({ cause }) => cause).length, judged.length) },
    { what: 'places named rightly', figure: share(placed.filter(({ place }) => place).length, placed.length) },
  ]
}
