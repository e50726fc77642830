import { error, notice, warning } from '@actions/core'

export interface Annotation {
  readonly level: 'error' | 'warning' | 'notice'
  readonly title: string
  readonly message: string
  /** Relative to the repository's root. */
  readonly file?: string | undefined
  /** Starts at 1, as does the column. */
  readonly line?: number | undefined
  readonly column?: number | undefined
}

/** GitHub shows ten annotations of a level for each step, and drops the rest. */
const most = 10

const writers = { error, warning, notice }

/** Attaches findings to the files of the repository, the most telling first. */
export function annotate(annotations: readonly Annotation[]): void {
  for (const { level, title, message, file, line, column } of annotations.slice(0, most)) {
    writers[level](message, {
      title,
      ...(file === undefined ? {} : { file }),
      ...(line === undefined ? {} : { startLine: line }),
      ...(column === undefined ? {} : { startColumn: column }),
    })
  }
}
