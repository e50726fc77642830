/** How many lines before and behind a reason are looked at. */
const [ABOVE, BELOW] = [25, 30] as const

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
  /** A better sentence than the reason itself: `{name}` and `{this|orThat}` are groups, `[[ … ]]` falls away without them; `{reason}` is the reason. */
  readonly cause?: string
  /** The app has nothing that starts it: whoever knows its files may know better what to do. */
  readonly lacksStart?: boolean
  /** What to do, in the same form. */
  readonly todo: string
}

/** What a hint gives for a reason. */
export interface Advice {
  readonly cause: string | undefined
  readonly todo: string
  readonly lacksStart: boolean
  /** Indices of the lines that went into the sentence. */
  readonly from: readonly number[]
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
    const isNear = (pattern: RegExp): boolean => around.some((each) => pattern.test(lines[each] ?? ''))
    if (hint.near !== undefined && !isNear(hint.near)) continue
    if (hint.without !== undefined && isNear(hint.without)) continue
    const { groups, from } = found(hint.with ?? [], lines, around)
    const all = { reason, ...groups, ...given(match) }
    const cause = hint.cause === undefined ? undefined : filled(hint.cause, all)
    const { lacksStart = false } = hint
    return { cause, todo: filled(hint.todo, all) ?? hint.todo, lacksStart, from: [at, ...from] }
  }
  return undefined
}

/** Indices of the lines near one, the nearest below first. */
function nearest(lines: readonly string[], at: number): readonly number[] {
  const below = Array.from({ length: Math.min(BELOW, lines.length - at) }, (_, index) => at + index)
  const above = Array.from({ length: Math.min(ABOVE, at) }, (_, index) => at - 1 - index)
  return [...below, ...above]
}

function found(patterns: readonly RegExp[], lines: readonly string[], around: readonly number[]) {
  const groups: Record<string, string> = {}
  const from: number[] = []
  for (const pattern of patterns) {
    const at = around.find((each) => pattern.test(lines[each] ?? ''))
    if (at === undefined) continue
    from.push(at)
    Object.assign(groups, { ...given(pattern.exec(lines[at] ?? '')), ...groups })
  }
  return { groups, from }
}

function given(match: RegExpExecArray | null): Record<string, string> {
  return Object.fromEntries(Object.entries(match?.groups ?? {}).filter(([, text]) => text !== undefined))
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
