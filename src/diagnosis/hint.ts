/** How far from a reason its neighbours are looked at. */
const ABOVE = 25
const BELOW = 30

/** Knows what to say and what to do about one kind of reason. Matched against what the ranking brought up, never a log. */
export interface Hint {
  /** On the reason: its line, or the text it was wrapped to. Named groups fill the templates. */
  readonly at: RegExp
  /** Must stand on the reason or a line near it. */
  readonly near?: RegExp
  /** May not stand there. */
  readonly without?: RegExp
  /** More groups for the templates, from the lines near the reason, the nearest below first. */
  readonly with?: readonly RegExp[]
  /** Only while something is built, or only of an application that was started. */
  readonly when?: 'build' | 'run'
  /** A better sentence than the reason itself: `{name}` and `{this|orThat}` are groups, `[[ … ]]` falls away without them. */
  readonly cause?: string
  /** What to do, in the same form. */
  readonly todo: string
}

/** What a hint gives for a reason. */
export interface Advice {
  readonly cause: string | undefined
  readonly todo: string
}

/** The first hint of a table that knows the reason at a line. */
export function adviceFor(
  hints: readonly Hint[],
  lines: readonly string[],
  at: number,
  reason: string,
  ended: 'build' | 'run',
): Advice | undefined {
  const line = (lines[at] ?? '').trim()
  for (const hint of hints) {
    if (hint.when !== undefined && hint.when !== ended) continue
    const match = hint.at.exec(line) ?? hint.at.exec(reason)
    if (match === null) continue
    const around = nearest(lines, at)
    if (hint.near !== undefined && !around.some((each) => hint.near?.test(each))) continue
    if (hint.without !== undefined && around.some((each) => hint.without?.test(each))) continue
    const groups = { ...found(hint.with ?? [], around), ...given(match) }
    const cause = hint.cause === undefined ? undefined : filled(hint.cause, groups)
    return { cause, todo: filled(hint.todo, groups) ?? hint.todo }
  }
  return undefined
}

function nearest(lines: readonly string[], at: number): readonly string[] {
  return [...lines.slice(at, at + BELOW), ...lines.slice(Math.max(0, at - ABOVE), at).toReversed()]
}

function found(patterns: readonly RegExp[], around: readonly string[]): Record<string, string> {
  const groups: Record<string, string> = {}
  for (const pattern of patterns) {
    const line = around.find((each) => pattern.test(each))
    if (line !== undefined) Object.assign(groups, { ...given(pattern.exec(line)), ...groups })
  }
  return groups
}

function given(match: RegExpExecArray | null): Record<string, string> {
  const entries = Object.entries(match?.groups ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined)
  return Object.fromEntries(entries)
}

/** @returns undefined when a group is missing outside of `[[ … ]]` */
function filled(template: string, groups: Readonly<Record<string, string>>): string | undefined {
  const optional = template.replace(/\[\[(.*?)\]\]/g, (_, inner: string) => named(inner, groups) ?? '')
  return named(optional, groups)
}

function named(text: string, groups: Readonly<Record<string, string>>): string | undefined {
  let complete = true
  const result = text.replace(/\{(\w+(?:\|\w+)*)\}/g, (_, names: string) => {
    const name = names.split('|').find((each) => groups[each] !== undefined)
    if (name === undefined) complete = false
    return name === undefined ? '' : (groups[name] ?? '')
  })
  return complete ? result : undefined
}
