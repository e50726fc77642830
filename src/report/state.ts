import { z } from 'zod'
import type { LogBudget } from './details.ts'
import { excerpt, oneLine, printable } from './foreign-text.ts'
import type { CardRow, LastWorking, RowStatus, Target } from './model.ts'

/**
 * The hidden part of the comment: a marker by which it is found, and its rows as JSON, for agents and for the jobs
 * that share it. The format is documented in `docs/state.md`. It is read back as untrusted text:
 * whoever may edit comments may have changed it.
 */

/** First line of every comment of ours. */
export const CARD_MARKER = '<!-- ink-deploy:card -->'

const STATE_OPEN = '<!-- ink-deploy:state '
const STATE_CLOSE = ' -->'
const VERSION = 1

const text = (maxChars: number) => z.string().max(maxChars)
const lines = z.array(text(2000)).max(500)
const iso = z.iso.datetime({ offset: true })
const count = z.number().nonnegative()

const rowSchema = z.object({
  service: text(200),
  target: z.custom<Target>((value) => typeof value === 'string' && /^(production|pr-[1-9]\d{0,9})$/.test(value)),
  status: z.enum([
    'building',
    'live',
    'failed',
    'unhealthy',
    'rolled-back',
    'removed',
    'superseded',
    'cancelled',
    'timed-out',
    'skipped',
  ] satisfies RowStatus[]),
  phase: z.enum(['prepare', 'snapshot', 'push', 'queue', 'build', 'roll-out', 'probe', 'settle']).optional(),
  url: text(2000).optional(),
  health: z.object({ status: z.int(), latencyMs: count, tools: z.int().nonnegative().optional() }).optional(),
  probe: z.enum(['off', 'no-url']).optional(),
  buildMs: count.optional(),
  bytes: count.optional(),
  cached: z.boolean().optional(),
  commit: text(64),
  updatedAt: iso,
  runUrl: text(2000),
  run: z.object({ id: z.int(), attempt: z.int(), startedAt: iso }),
  lastWorking: z.object({ commit: text(64), url: text(2000).optional(), stillLive: z.boolean().optional() }).optional(),
  diagnosis: z.object({ cause: text(2000), hint: text(2000), decisive: lines, tail: lines }).optional(),
  supersededBy: text(64).optional(),
  costPerDay: count.optional(),
  database: text(200).optional(),
  domain: z
    .object({
      name: text(255),
      status: text(100),
      error: text(1000).optional(),
      records: z
        .array(z.object({ type: text(10), name: text(255), content: text(2000) }))
        .max(20)
        .optional(),
    })
    .optional(),
  change: z.object({ buildMsBefore: count.optional(), bytesBefore: count.optional() }).optional(),
  reason: text(1000).optional(),
  note: text(1000).optional(),
})

const stateSchema = z.object({ version: z.literal(VERSION), rows: z.array(rowSchema).max(200) })

/**
 * The rows as an HTML comment. Inside JSON strings `<`, `>`, `&` and double hyphens become escapes,
 * so nothing can end the comment early and `JSON.parse` still gives back the same rows.
 */
export function encodeState(rows: readonly CardRow[]): string {
  const json = `{"version":${VERSION},"rows":${JSON.stringify(rows, inKeyOrder)}}`
    .replaceAll('<', '\\u003c')
    .replaceAll('>', '\\u003e')
    .replaceAll('&', '\\u0026')
    .replaceAll('--', '-\\u002d')
  return STATE_OPEN + json + STATE_CLOSE
}

// The same rows must give the same text, whichever job built the objects.
function inKeyOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The rows hidden in a comment's body, or `undefined` where there are none that we can read. */
export function decodeState(body: string): CardRow[] | undefined {
  const start = body.lastIndexOf(STATE_OPEN)
  const end = body.indexOf(STATE_CLOSE, start + STATE_OPEN.length)
  if (start === -1 || end === -1) return undefined
  const parsed = stateSchema.safeParse(parseJson(body.slice(start + STATE_OPEN.length, end)))
  return parsed.success ? parsed.data.rows : undefined
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    // Not a state of ours; the schema refuses `undefined`.
    return undefined
  }
}

/** A single row from JSON, as the post step finds it in the saved state; `undefined` for anything else. */
export function parseRow(json: string): CardRow | undefined {
  const parsed = rowSchema.safeParse(parseJson(json))
  return parsed.success ? parsed.data : undefined
}

/** A row cut down to what a comment can hold: bounded texts, and as much of the log as `budget` allows. */
export function boundedRow(row: CardRow, budget: LogBudget): CardRow {
  const { diagnosis, ...rest } = row
  const bounded = {
    ...rest,
    service: oneLine(row.service, 80) || 'service',
    commit: printable(row.commit).slice(0, 64),
    ...(row.reason === undefined ? {} : { reason: oneLine(row.reason, 500) }),
    ...(row.note === undefined ? {} : { note: oneLine(row.note, 500) }),
    ...(row.database === undefined ? {} : { database: oneLine(row.database, 80) }),
    ...(row.domain === undefined ? {} : { domain: boundedDomain(row.domain) }),
    ...withBoundedUrls(row),
  }
  if (diagnosis === undefined) return bounded
  return {
    ...bounded,
    diagnosis: {
      cause: oneLine(diagnosis.cause, 500),
      hint: oneLine(diagnosis.hint, 500),
      decisive: excerpt(diagnosis.decisive, 'start', budget.decisive),
      tail: excerpt(diagnosis.tail, 'end', budget.tail),
    },
  }
}

function boundedDomain(domain: NonNullable<CardRow['domain']>): NonNullable<CardRow['domain']> {
  return {
    name: oneLine(domain.name, 255),
    status: oneLine(domain.status, 40),
    ...(domain.error === undefined ? {} : { error: oneLine(domain.error, 200) }),
    ...(domain.records === undefined
      ? {}
      : {
          records: domain.records.slice(0, 10).map((record) => ({
            type: oneLine(record.type, 10),
            name: oneLine(record.name, 255),
            content: oneLine(record.content, 255),
          })),
        }),
  }
}

function withBoundedUrls(row: CardRow): Partial<CardRow> {
  const last = row.lastWorking
  return {
    runUrl: row.runUrl.slice(0, 500),
    ...(row.url === undefined ? {} : { url: row.url.slice(0, 500) }),
    ...(last === undefined ? {} : { lastWorking: boundedLast(last) }),
  }
}

function boundedLast(last: LastWorking): LastWorking {
  return {
    ...last,
    commit: printable(last.commit).slice(0, 64),
    ...(last.url === undefined ? {} : { url: last.url.slice(0, 500) }),
  }
}
