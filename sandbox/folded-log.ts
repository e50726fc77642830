import type { RunResult } from './runner/runner.ts'
import { dim, green, red } from './terminal-style.ts'

/** The log as the page of a run shows it at first: a closed group is its title, with the last line for its result. */
export function foldedLog({ log, main }: RunResult): string[] {
  const lines: string[] = []
  let group: { title: string; last: string } | undefined
  for (const line of log.split('\n')) {
    const [, command, text = ''] = /^##\[(\w+)\](.*)$/.exec(line) ?? []
    if (command === 'group') group = { title: text, last: '' }
    else if (command === 'endgroup') {
      if (group) lines.push(`▸ ${group.title}${group.last ? dim(` · ${group.last}`) : ''}`)
      group = undefined
    } else if (group) group.last = line
    else if (command === 'error') lines.push(red(text))
    else if (line.trim() !== '') lines.push(text || line)
  }
  const result = main.conclusion === 'success' ? green('● run succeeded') : red('● run failed')
  return [result, ...lines].map((line) => `   ${line}`)
}
