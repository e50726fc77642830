import { cut, oneLine, printable } from './foreign-text.ts'
import type { AnnotationView } from './model.ts'

/** GitHub shows ten annotations of each level per step. */
const MAX_ANNOTATIONS = 10
const MAX_TITLE_CHARS = 120
const MAX_MESSAGE_CHARS = 1500

/**
 * The annotations that will be shown: the first ten of each level, texts fitted, a file only when it lies inside the
 * repository, a line only together with a file.
 */
export function fitAnnotations(annotations: readonly AnnotationView[]): AnnotationView[] {
  const used = { error: 0, warning: 0, notice: 0 }
  return annotations.filter(({ level }) => ++used[level] <= MAX_ANNOTATIONS).map(fit)
}

function fit({ level, title, message, file, line, column }: AnnotationView): AnnotationView {
  const bounded = {
    level,
    title: oneLine(title, MAX_TITLE_CHARS),
    message: cut(printable(message.slice(0, MAX_MESSAGE_CHARS * 2)), MAX_MESSAGE_CHARS),
  }
  if (file === undefined || !liesInside(file)) return bounded
  const at = isPosition(line) ? { line, ...(isPosition(column) ? { column } : {}) } : {}
  return { ...bounded, file, ...at }
}

function liesInside(file: string): boolean {
  const leaves = file.split(/[\\/]/).includes('..')
  return (
    file !== '' &&
    file.length <= 500 &&
    !leaves &&
    !/^([\\/]|[A-Za-z]:)/.test(file) &&
    printable(file) === file &&
    !file.includes('\n')
  )
}

function isPosition(value: number | undefined): value is number {
  return value !== undefined && Number.isSafeInteger(value) && value > 0
}
