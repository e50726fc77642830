import Database from 'libsql'
import { z } from 'zod'

/**
 * libSQL's protocol Hrana over HTTP, versions 2 and 3 in JSON: what a request may hold, and how it is carried out on a real
 * database. Source: the Hrana specification in libSQL's repository (docs/HRANA_3_SPEC.md, docs/HTTP_V2_SPEC.md).
 */

const valueSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('null') }),
  z.object({ type: z.literal('integer'), value: z.string() }),
  z.object({ type: z.literal('float'), value: z.number() }),
  z.object({ type: z.literal('text'), value: z.string() }),
  z.object({ type: z.literal('blob'), base64: z.string() }),
])

const statementSchema = z.object({
  sql: z.string().nullish(),
  sql_id: z.number().nullish(),
  args: z.array(valueSchema).default([]),
  named_args: z.array(z.object({ name: z.string(), value: valueSchema })).default([]),
  want_rows: z.boolean().nullish(),
})

type Condition =
  | { type: 'ok' | 'error'; step: number }
  | { type: 'not'; cond: Condition }
  | { type: 'and' | 'or'; conds: Condition[] }
  | { type: 'is_autocommit' }

const conditionSchema: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    z.object({ type: z.enum(['ok', 'error']), step: z.number() }),
    z.object({ type: z.literal('not'), cond: conditionSchema }),
    z.object({ type: z.enum(['and', 'or']), conds: z.array(conditionSchema) }),
    z.object({ type: z.literal('is_autocommit') }),
  ]),
)

const sqlReferenceSchema = { sql: z.string().nullish(), sql_id: z.number().nullish() }

const streamRequestSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('close') }),
  z.object({ type: z.literal('execute'), stmt: statementSchema }),
  z.object({
    type: z.literal('batch'),
    batch: z.object({ steps: z.array(z.object({ condition: conditionSchema.nullish(), stmt: statementSchema })) }),
  }),
  z.object({ type: z.literal('sequence'), ...sqlReferenceSchema }),
  z.object({ type: z.literal('describe'), ...sqlReferenceSchema }),
  z.object({ type: z.literal('store_sql'), sql_id: z.number(), sql: z.string() }),
  z.object({ type: z.literal('close_sql'), sql_id: z.number() }),
  z.object({ type: z.literal('get_autocommit') }),
])

export const pipelineSchema = z.object({ baton: z.string().nullish(), requests: z.array(streamRequestSchema) })

export type StreamRequest = z.infer<typeof streamRequestSchema>
type Statement = z.infer<typeof statementSchema>
type Value = z.infer<typeof valueSchema>

interface HranaError {
  readonly message: string
  readonly code: string
}

export type StreamResult =
  | { readonly type: 'ok'; readonly response: Readonly<Record<string, unknown>> }
  | { readonly type: 'error'; readonly error: HranaError }

/** One stream: a connection of its own to the database, with the SQL texts stored on it. */
export class HranaStream {
  readonly #database: Database.Database
  readonly #texts = new Map<number, string>()

  constructor(path: string, maxBytes: number) {
    this.#database = new Database(path, { timeout: 5_000 })
    this.#database.defaultSafeIntegers(true)
    this.#database.pragma('journal_mode = WAL')
    this.#database.pragma(`max_page_count = ${Math.max(1, Math.floor(maxBytes / 4096))}`)
  }

  /** Carries out one request of a pipeline; failures become results, as the protocol demands. */
  handle(request: StreamRequest): StreamResult {
    try {
      return { type: 'ok', response: { type: request.type, ...this.#respond(request) } }
    } catch (error) {
      return { type: 'error', error: hranaError(error) }
    }
  }

  close(): void {
    if (this.#database.open) this.#database.close()
  }

  #respond(request: StreamRequest): Record<string, unknown> {
    switch (request.type) {
      case 'close':
        return {}
      case 'execute':
        return { result: this.#execute(request.stmt) }
      case 'batch':
        return { result: this.#batch(request.batch.steps) }
      case 'sequence':
        this.#database.exec(this.#textOf(request))
        return {}
      case 'describe':
        return { result: this.#describe(this.#textOf(request)) }
      case 'store_sql':
        this.#texts.set(request.sql_id, request.sql)
        return {}
      case 'close_sql':
        this.#texts.delete(request.sql_id)
        return {}
      case 'get_autocommit':
        return { is_autocommit: !this.#database.inTransaction }
    }
  }

  #textOf({ sql, sql_id: id }: { sql?: string | null | undefined; sql_id?: number | null | undefined }): string {
    const text = sql ?? (typeof id === 'number' ? this.#texts.get(id) : undefined)
    if (text === undefined) throw new Error(`SQL text ${id} is not stored on this stream`)
    return text
  }

  #execute(statement: Statement): Record<string, unknown> {
    const prepared = this.#database.prepare(this.#textOf(statement))
    const named = Object.fromEntries(
      statement.named_args.map(({ name, value }) => [name.replace(/^[:@$]/, ''), toSqlite(value)]),
    )
    const parameters = statement.named_args.length > 0 ? [named] : statement.args.map(toSqlite)
    if (!prepared.reader) {
      const { changes, lastInsertRowid } = prepared.run(...parameters)
      return { cols: [], rows: [], affected_row_count: Number(changes), last_insert_rowid: String(lastInsertRowid) }
    }
    const columns = prepared.columns().map(({ name, type }) => ({ name, decltype: type }))
    // A statement that returns rows may write too (RETURNING), which the library does not tell.
    const before = this.#totalChanges()
    const rows = prepared.raw(true).all(...parameters) as unknown[][]
    return {
      cols: columns,
      rows: statement.want_rows === false ? [] : rows.map((row) => row.map(fromSqlite)),
      affected_row_count: this.#totalChanges() - before,
      last_insert_rowid: null,
    }
  }

  #totalChanges(): number {
    const [row] = this.#database.prepare('select total_changes()').raw(true).all() as unknown[][]
    return Number(row?.[0] ?? 0)
  }

  #batch(steps: readonly { condition?: Condition | null | undefined; stmt: Statement }[]): Record<string, unknown> {
    const results: (Record<string, unknown> | null)[] = []
    const errors: (HranaError | null)[] = []
    const holds = (condition: Condition): boolean => {
      switch (condition.type) {
        case 'ok':
          return results[condition.step] != null
        case 'error':
          return errors[condition.step] != null
        case 'not':
          return !holds(condition.cond)
        case 'and':
          return condition.conds.every(holds)
        case 'or':
          return condition.conds.some(holds)
        case 'is_autocommit':
          return !this.#database.inTransaction
      }
    }
    for (const [index, { condition, stmt }] of steps.entries()) {
      results[index] = null
      errors[index] = null
      if (condition != null && !holds(condition)) continue
      try {
        results[index] = this.#execute(stmt)
      } catch (error) {
        errors[index] = hranaError(error)
      }
    }
    return { step_results: results, step_errors: errors }
  }

  #describe(sql: string): Record<string, unknown> {
    const prepared = this.#database.prepare(sql)
    const columns = prepared.reader ? prepared.columns() : []
    return {
      params: [],
      cols: columns.map(({ name, type }) => ({ name, decltype: type })),
      is_explain: /^\s*explain\b/i.test(sql),
      is_readonly: prepared.reader && /^\s*(select|explain|pragma|values|with)\b/i.test(sql),
    }
  }
}

function hranaError(error: unknown): HranaError {
  const { message, code } = error as { message: string; code?: string }
  return { message: `SQLite error: ${message}`, code: code ?? 'SQL_INPUT_ERROR' }
}

function toSqlite(value: Value): unknown {
  switch (value.type) {
    case 'null':
      return null
    case 'integer':
      return BigInt(value.value)
    case 'blob':
      return Buffer.from(value.base64, 'base64')
    default:
      return value.value
  }
}

function fromSqlite(value: unknown): Value {
  if (value === null) return { type: 'null' }
  if (typeof value === 'bigint') return { type: 'integer', value: String(value) }
  if (typeof value === 'number') return { type: 'float', value }
  if (value instanceof Uint8Array)
    return { type: 'blob', base64: Buffer.from(value).toString('base64').replace(/=+$/, '') }
  return { type: 'text', value: String(value) }
}
