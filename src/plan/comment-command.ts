/** What a comment asks for. A commit is given whole or abbreviated. */
export type CommentCommand =
  | { readonly name: 'deploy'; readonly commit: string | undefined }
  | { readonly name: 'rollback'; readonly commit: string | undefined }
  | { readonly name: 'stop' }
  | { readonly name: 'logs' }
  | { readonly name: 'help'; readonly unknown: string | undefined }

/**
 * The first `/ink …` that a comment's author wrote as a command: alone at the start of a line, and not in a code block,
 * a quote (with the lines that Markdown counts to it) or a hidden HTML comment.
 */
export function findCommand(body: string): CommentCommand | undefined {
  const line = writtenLines(body).find((candidate) => /^ {0,3}\/ink(\s|$)/.test(candidate))
  return line === undefined ? undefined : readCommand(line.trim().split(/\s+/).slice(1))
}

function readCommand([word, argument]: readonly string[]): CommentCommand {
  const commit = argument?.toLowerCase()
  const takesCommit = commit === undefined || /^[0-9a-f]{7,64}$/.test(commit)
  switch (word?.toLowerCase()) {
    case 'deploy':
      return takesCommit ? { name: 'deploy', commit } : { name: 'help', unknown: `deploy ${argument}` }
    case 'rollback':
      return takesCommit ? { name: 'rollback', commit } : { name: 'help', unknown: `rollback ${argument}` }
    case 'stop':
      return { name: 'stop' }
    case 'logs':
      return { name: 'logs' }
    case 'help':
    case undefined:
      return { name: 'help', unknown: undefined }
    default:
      return { name: 'help', unknown: word }
  }
}

interface Fence {
  readonly character: string
  readonly length: number
}

/** The lines that stand as text of the author's own. */
function writtenLines(body: string): string[] {
  const lines = body.replaceAll(/<!--[\s\S]*?(?:-->|$)/g, '').split(/\r\n?|\n/)
  const written: string[] = []
  let fence: Fence | undefined
  let inQuote = false
  for (const line of lines) {
    const mark = fenceOf(line)
    if (fence) {
      if (mark?.character === fence.character && mark.length >= fence.length && mark.closes) fence = undefined
    } else if (mark) {
      fence = mark
      inQuote = false
    } else if (line.trim() === '') {
      inQuote = false
    } else if (inQuote || /^ {0,3}>/.test(line)) {
      inQuote = true
    } else {
      written.push(line)
    }
  }
  return written
}

function fenceOf(line: string): (Fence & { readonly closes: boolean }) | undefined {
  const match = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line)
  const run = match?.[1]
  const info = match?.[2] ?? ''
  // Backticks after backticks on one line are code within the line, which opens no block.
  if (run === undefined || (run.startsWith('`') && info.includes('`'))) return undefined
  return { character: run.slice(0, 1), length: run.length, closes: info.trim() === '' }
}
