/** The text of an error with those of its causes: a failed fetch hides its reason in the cause. */
export function messageOf(error: unknown): string {
  const texts: string[] = []
  for (let at: unknown = error; at !== undefined && texts.length < 4; at = at instanceof Error ? at.cause : undefined) {
    texts.push(textOf(at))
  }
  return [...new Set(texts)].filter((text) => text !== '').join(': ')
}

function textOf(error: unknown): string {
  // Node reports a failed connection to a host of several addresses as an aggregate without a text of its own.
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((each: unknown) => textOf(each)).join(', ')
  }
  return error instanceof Error ? error.message : String(error)
}
