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
