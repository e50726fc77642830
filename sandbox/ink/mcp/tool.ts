import type { Account } from '../accounts.ts'
import type { EnvVar } from '../services.ts'
import type { JsonSchema } from './schema.ts'

export interface Tool {
  readonly name: string
  readonly description: string
  readonly input: JsonSchema
  readonly output: JsonSchema
  /** Gets arguments that satisfy the input schema. */
  readonly run: (args: Arguments, account: Account) => Promise<Record<string, unknown>> | Record<string, unknown>
}

/** A failure that the platform reports as a tool result with `isError`, in these words. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure'
}

/** Arguments of one call. */
export interface Arguments {
  /** The text, or an empty one when it was not given: the platform's handlers do not tell these apart. */
  text(name: string): string
  integer(name: string): number | undefined
  flag(name: string): boolean
  envVars(name: string): EnvVar[]
  /** True when the argument was given and is not `null`. */
  has(name: string): boolean
  raw(name: string): unknown
}

export function readArguments(values: Readonly<Record<string, unknown>>): Arguments {
  return {
    text: (name) => (values[name] as string | null | undefined) ?? '',
    integer: (name) => (values[name] as number | null | undefined) ?? undefined,
    flag: (name) => (values[name] as boolean | null | undefined) ?? false,
    envVars: (name) => (values[name] as EnvVar[] | null | undefined) ?? [],
    has: (name) => values[name] != null,
    raw: (name) => values[name],
  }
}

/** The project that a call names; without one, the default project. */
export function projectOf(args: Arguments): string {
  return args.text('project') || 'default'
}

/** A property that is left out when it has no value, as the platform does. */
export function optional(name: string, value: unknown): Record<string, unknown> {
  return value === undefined ? {} : { [name]: value }
}

/** Log lines as one text; nothing when there are none. */
export function logText(lines: readonly string[]): string | undefined {
  return lines.length === 0 ? undefined : lines.join('\n')
}

/** A time as the tools print it: RFC 3339 in UTC, whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
