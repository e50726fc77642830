import { parseChoice, parseRelativePath } from './input-values.ts'
import { marks } from './names.ts'
import type { Reading } from './parse-settings.ts'
import { type DatabaseSettings, type DatabaseType, databaseTypes } from './settings.ts'

/** What a database gives to whoever is to use it. */
const outputs: Readonly<Record<DatabaseType, readonly string[]>> = { sqlite: ['url', 'token'] }

const defaultEnv: Readonly<Record<DatabaseType, ReadonlyMap<string, string>>> = {
  sqlite: new Map([
    ['DATABASE_URL', 'url'],
    ['DATABASE_AUTH_TOKEN', 'token'],
  ]),
}

/** Reads `database` and what belongs to it. */
export function databaseSettings(reading: Reading): DatabaseSettings | undefined {
  const type = reading.optional('database', (text) => parseChoice(text, databaseTypes))
  const seed = reading.optional('database-seed', parseRelativePath)
  for (const name of ['database-env', 'database-seed'] as const) {
    if (reading.text(name) && !reading.text('database'))
      reading.problems.push(`${name}: works with database only, which is not set`)
  }
  if (type === undefined) return undefined
  const env = reading.text('database-env') === '' ? defaultEnv[type] : readEnv(reading, outputs[type])
  return { type, env, seed }
}

function readEnv(reading: Reading, known: readonly string[]): ReadonlyMap<string, string> {
  const env = new Map<string, string>()
  for (const [index, line] of reading.text('database-env').split('\n').entries()) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const [, name = '', output = ''] = /^([^=]*?)\s*=\s*(.*)$/.exec(text) ?? []
    const problem = problemOf(name, output, known) ?? (env.has(name) ? `${name} is there twice` : undefined)
    if (problem) reading.problems.push(`database-env, line ${index + 1}: ${problem}`)
    else env.set(name, output)
  }
  return env
}

function problemOf(name: string, output: string, known: readonly string[]): string | undefined {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    return `must be VARIABLE=output, such as TURSO_DATABASE_URL=${known[0]}; a variable has letters, digits and _, and starts with no digit`
  }
  if (Object.values<string>(marks).includes(name)) return `${name} is a mark of this action and cannot be used`
  if (!known.includes(output)) return `after = must be one of ${known.join(', ')}, but is ${JSON.stringify(output)}`
  return undefined
}
