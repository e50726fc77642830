import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'

/** Writes the tables of inputs and outputs into the README, from `action.yml`. With `--check` it only compares. */

const actionFile = z.object({
  inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() })),
  outputs: z.record(z.string(), z.object({ description: z.string() })),
})

/**
 * The README with its tables brought in step with the action's description.
 * @throws Error when the README lacks the markers between which a table belongs
 */
export function withTables(readme: string, actionYaml: string): string {
  const { inputs, outputs } = actionFile.parse(parse(actionYaml))
  const inputRows = Object.entries(inputs).map(([name, input]) => [code(name), shown(input.default), input.description])
  const outputRows = Object.entries(outputs).map(([name, output]) => [code(name), output.description])
  const withInputs = replaced(readme, 'inputs', table(['Input', 'Default', 'Meaning'], inputRows))
  return replaced(withInputs, 'outputs', table(['Output', 'Meaning'], outputRows))
}

function replaced(text: string, name: string, content: string): string {
  const start = `<!-- ${name} -->`
  const end = `<!-- /${name} -->`
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from === -1 || to < from) throw new Error(`the README has no ${start} … ${end} to put the table between`)
  return `${text.slice(0, from + start.length)}\n${content}\n${text.slice(to)}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n')
}

/** A pipe ends a cell, and `<owner>` outside of code would be taken for HTML. */
function escaped(cell: string): string {
  return cell
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replaceAll('<', '&lt;')))
    .join('')
    .replaceAll('|', '\\|')
}

function shown(value: string | undefined): string {
  return value === undefined ? '' : code(value)
}

function code(text: string): string {
  return `\`${text}\``
}

function main(argv: readonly string[]): number {
  const readmePath = fileURLToPath(new URL('../README.md', import.meta.url))
  const readme = readFileSync(readmePath, 'utf8')
  const wanted = withTables(readme, readFileSync(new URL('../action.yml', import.meta.url), 'utf8'))
  if (wanted === readme) return 0
  if (argv.includes('--check')) {
    console.error('The tables in README.md are not those of action.yml. Run: npm run docs')
    return 1
  }
  writeFileSync(readmePath, wanted)
  return 0
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.slice(2))
