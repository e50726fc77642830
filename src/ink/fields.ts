import * as z from 'zod'

/** What fields of answers have in common, whichever answer it is. */

/**
 * A field that is not needed must not fail a step, whatever a server puts there: what does not fit counts as not given.
 * Only what a result is nothing without (its name, its status, its list) is insisted on.
 */
export function ifFits<T>(schema: z.ZodType<T>) {
  return schema
    .nullish()
    .catch(undefined)
    .transform((value) => value ?? undefined)
}

/** A text that may be missing; an empty one counts as missing. */
export const optionalText = ifFits(z.string()).transform((value) => value || undefined)

/** Those items of a list that fit; `null` is an empty list, as Go writes it. Anything but a list is `undefined`. */
export function fitting<T>(item: z.ZodType<T>) {
  return z
    .union([z.array(z.unknown()), z.null().transform(() => [])])
    .optional()
    .catch(undefined)
    .transform((list) =>
      list?.flatMap((one): T[] => {
        const parsed = item.safeParse(one)
        return parsed.success ? [parsed.data] : []
      }),
    )
}

/**
 * An answer that is a list, under the first of these names that it has. One without any is refused: to take it for an
 * empty list would be to think that nothing is there.
 */
export function listUnder<T>(names: readonly [string, ...string[]], item: z.ZodType<T>) {
  return z.record(z.string(), z.unknown()).transform((raw, context): readonly T[] => {
    const list = names.map((name) => fitting(item).parse(raw[name])).find((found) => found !== undefined)
    if (list !== undefined) return list
    context.addIssue({ code: 'custom', path: [names[0]], message: 'is missing' })
    return z.NEVER
  })
}
