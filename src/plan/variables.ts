import { parse } from 'dotenv'
import { Secret } from '../core/secret.ts'
import type { Variables } from './settings.ts'

export interface ParsedVariables {
  readonly variables: Variables
  /** One sentence per bad line. Never a value, nor a line's text, which may be part of one. */
  readonly problems: readonly string[]
}

/**
 * Reads `KEY=VALUE` lines with dotenv's quoting, and refuses what dotenv would drop without a word. `input` names the
 * text's origin in the problems.
 */
export function parseVariables(text: string, input: string): ParsedVariables {
  const variables = new Map<string, Secret>()
  const problems: string[] = []
  const rest = { text: text.replace(/\r\n?/g, '\n'), line: 1 }
  while (rest.text !== '') {
    const statement = nextStatement(rest.text)
    const problem = statement.problem
    if (problem) problems.push(`${input}, line ${rest.line}: ${problem}`)
    else if (statement.name !== undefined) variables.set(statement.name, new Secret(valueIn(statement)))
    rest.line += statement.text.split('\n').length - 1
    rest.text = rest.text.slice(statement.text.length)
  }
  return { variables, problems }
}

interface Statement {
  /** As far as the statement reaches, line break included. */
  readonly text: string
  /** Undefined for blank lines and comments. */
  readonly name?: string
  readonly problem?: string
}

const assignment = /^[^\S\n]*(?:export[^\S\n]+)?([^=\s]+)[^\S\n]*=[^\S\n]*/
const quoted = /^(?:'(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`)/

/** The first statement of a text: a line, or several where a quoted value goes on. */
function nextStatement(text: string): Statement {
  const line = lineAt(text, 0)
  if (/^\s*(#|$)/.test(line)) return { text: line }
  const head = assignment.exec(line)
  const name = head?.[1]
  if (!head || name === undefined) {
    return {
      text: line,
      problem: 'there is no =; each line is KEY=VALUE, and a value of several lines is put in quotes',
    }
  }
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    return { text: line, problem: 'the name before = may have letters, digits and _, and starts with no digit' }
  }
  return { name, ...valueFrom(text, head[0].length, line) }
}

function valueFrom(text: string, start: number, line: string): Omit<Statement, 'name'> {
  const quotedValue = quoted.exec(text.slice(start))?.[0]
  if (quotedValue !== undefined) {
    const whole = lineAt(text, start + quotedValue.length)
    const after = whole.slice(start + quotedValue.length)
    if (/^\s*(#|$)/.test(after)) return { text: whole }
    return { text: whole, problem: 'there is text after the closing quote' }
  }
  const value = line.slice(start)
  if (/^['"`]/.test(value)) return { text: line, problem: 'the quote is not closed' }
  if (/\S#/.test(value)) {
    return { text: line, problem: 'the # would start a comment and cut the value off; put the value in quotes' }
  }
  return { text: line }
}

/** The text up to the end of the line that holds a position, with its line break. */
function lineAt(text: string, position: number): string {
  const end = text.indexOf('\n', position)
  return end === -1 ? text : text.slice(0, end + 1)
}

function valueIn(statement: Statement): string {
  return parse(statement.text)[statement.name ?? ''] ?? ''
}
