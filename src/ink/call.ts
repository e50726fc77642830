import type { z } from 'zod'
import type { WantedArguments } from './arguments.ts'
import type { Purpose } from './catalogue.ts'
import { ToolError, type ToolFailure } from './errors.ts'

/** One call of a tool, in our words. */
export interface Call {
  purpose: Purpose
  wanted: WantedArguments
  /** Whether asking twice does no more than asking once. */
  repeatable: boolean
  /** Arguments whose absence from the schema is no loss: they are refinements, or implied. */
  dispensable?: readonly (keyof WantedArguments)[]
}

/** Makes calls: names, arguments and results are those of whatever generation the server is. */
export type Caller = <T>(call: Call, schema: z.ZodType<T>, signal: AbortSignal) => Promise<T>

/** What an act yields, or undefined when the platform says that there is no such thing. */
export async function unlessMissing<T>(missing: readonly ToolFailure[], act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof ToolError && missing.includes(error.reason)) return undefined
    throw error
  }
}
