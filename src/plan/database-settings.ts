import { parseChoice, parseRelativePath } from './input-values.ts'
import { marks } from './names.ts'
import type { Reading } from './parse-settings.ts'
import { type DatabaseSettings, type DatabaseType, databaseTypes } from './settings.ts'

const sqliteEnv: ReadonlyMap<string, string> = new Map([
  ['DATABASE_URL', 'url'],
  ['DATABASE_AUTH_TOKEN', 'token'],
])
const templateEnv: ReadonlyMap<string, string> = new Map([['DATABASE_URL', 'url']])

/** Reads `database` and what belongs to it. */
export function databaseSettings(reading: Reading): DatabaseSettings | undefined {
  const type = reading.optional('database', (text) => parseChoice(text, databaseTypes))
  const seed = reading.optional('database-seed', parseRelativePath)
  for (const name of ['database-env', 'database-seed'] as const) {
    if (reading.text(name) && !reading.text('database'))
      reading.problems.push(`${name}: works with database only, which is not set`)
  }
  if (type === undefined) return undefined
  if (type !== 'sqlite' && reading.text('database-seed'))
    reading.problems.push(`database-seed: works with database sqlite only, but database is "${type}"`)
  const defaults = type === 'sqlite' ? sqliteEnv : templateEnv
  const env = reading.text('database-env') === '' ? defaults : readEnv(reading, type)
  return { type, env, seed }
}

function readEnv(reading: Reading, type: DatabaseType): ReadonlyMap<string, string> {
  const env = new Map<string, string>()
  for (const [index, line] of reading.text('database-env').split('\n').entries()) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const [, name = '', output = ''] = /^([^=]*?)\s*=\s*(.*)$/.exec(text) ?? []
    const problem = problemOf(name, output, type) ?? (env.has(name) ? `${name} is there twice` : undefined)
    if (problem) reading.problems.push(`database-env, line ${index + 1}: ${problem}`)
    else env.set(name, output)
  }
  return env
}

function problemOf(name: string, output: string, type: DatabaseType): string | undefined {
  if (!/^[A-Za-z_]\w*$/.test(name)) {
    return 'must be VARIABLE=output, such as DB_URL=url; a variable has letters, digits and _, and starts with no digit'
  }
  if (Object.values<string>(marks).includes(name)) return `${name} is a mark of this action and cannot be used`
  // What a template tells is known only once it is deployed.
  const known = type === 'sqlite' ? /^(url|token)$/ : /^[A-Za-z][\w-]{0,99}$/
  const allowed = type === 'sqlite' ? 'one of url, token' : 'url or the key of an output'
  return known.test(output) ? undefined : `after = must be ${allowed}, but is ${JSON.stringify(output.slice(0, 80))}`
}
