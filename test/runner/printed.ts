/** What was written to stdout while something ran, as the runner would read it. */
export async function printed(run: () => unknown): Promise<string> {
  const original = process.stdout.write
  let text = ''
  process.stdout.write = (chunk: Uint8Array | string) => {
    text += typeof chunk === 'string' ? chunk : Buffer.from(chunk).toString()
    return true
  }
  try {
    await run()
  } finally {
    process.stdout.write = original
  }
  return text
}

/**
 * Whether the runner takes a line for a command: it trims it and looks for `::` at the start, and for the older `##[`
 * anywhere (ActionCommand.cs).
 */
export function isCommand(line: string): boolean {
  return /^::\s*[^:]+.*::/s.test(line.trimStart()) || /##\[[^\]]*\]/.test(line)
}
