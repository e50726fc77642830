/** What is wrong at one place of the file. Lines and columns start at 1. */
export interface FileProblem {
  readonly line: number
  readonly column: number
  readonly text: string
}

/** A problem as a line of a message: `ink.yml:3:5: text`. */
export function describeProblem({ line, column, text }: FileProblem, path: string): string {
  return `${path}:${line}:${column}: ${text}`
}

/** The place that a message of {@link describeProblem}, or of a setting from the file, begins with. */
export function placeOfProblem(message: string, path: string): FileProblem | undefined {
  if (!message.startsWith(`${path}:`)) return undefined
  const [, line, column, text] = /^(\d+):(\d+): ([\s\S]*)$/.exec(message.slice(path.length + 1)) ?? []
  return text === undefined ? undefined : { line: Number(line), column: Number(column), text }
}
