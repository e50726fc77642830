import { type Location, locationsIn } from './locations.ts'
import type { RepositoryPaths } from './repository-path.ts'
import { framesAround } from './stack-frames.ts'

/** A remark at a place in the repository, as GitHub shows them beside a diff. */
export interface SourceAnnotation {
  readonly file: string
  /** From 1. */
  readonly line?: number
  /** From 1. */
  readonly column?: number
  readonly title: string
  readonly message: string
  readonly level: 'error' | 'warning'
}

/** What the annotations are about. */
interface Subject {
  readonly cause: string
  readonly tool: string | undefined
}

const MOST = 10

/**
 * The places in the repository's own files that a log names: errors before warnings, those after the evidence before
 * those above it. Where it names none, the innermost own call of the stack trace around the evidence.
 */
export function annotationsFor(
  lines: readonly string[],
  evidenceAt: number,
  subject: Subject,
  paths: RepositoryPaths,
): readonly SourceAnnotation[] {
  const rank = (location: Location): number =>
    (location.level === 'error' ? 0 : 2) + (location.at >= evidenceAt - 1 ? 0 : 1)
  const placed = locationsIn(lines)
    .toSorted((a, b) => rank(a) - rank(b) || a.at - b.at)
    .flatMap((location) => annotationAt(location, subject, paths) ?? [])
  const unique = new Map(placed.map((each) => [`${each.file}:${each.line}:${each.column}:${each.message}`, each]))
  if (unique.size > 0) return [...unique.values()].slice(0, MOST)
  return innermostCall(lines, evidenceAt, subject, paths)
}

function annotationAt(location: Location, subject: Subject, paths: RepositoryPaths): SourceAnnotation | undefined {
  const file = paths.resolve(location.path)
  if (file === undefined) return undefined
  const { line, column, message, code, level } = location
  const place = { ...(line === undefined ? {} : { line }), ...(column === undefined ? {} : { column }) }
  return { file, ...place, title: `${subject.tool ?? 'Build'} ${code ?? level}`, message, level }
}

function innermostCall(
  lines: readonly string[],
  evidenceAt: number,
  subject: Subject,
  paths: RepositoryPaths,
): readonly SourceAnnotation[] {
  for (const frame of framesAround(lines, evidenceAt)) {
    for (const path of frame.paths) {
      const file = paths.resolve(path)
      if (file === undefined) continue
      const column = frame.column === undefined ? {} : { column: frame.column }
      return [
        {
          file,
          line: frame.line,
          ...column,
          title: `${subject.tool ?? 'Application'} error`,
          message: subject.cause,
          level: 'error',
        },
      ]
    }
  }
  return []
}
