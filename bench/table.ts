/** One measure: what it is, what was reached, and what it was meant to be. Ratios and counts, as no two machines are alike. */
export interface Row {
  readonly what: string
  readonly figure: string
  readonly goal?: string
  readonly reached?: boolean
  /** Whose figure it is, or what it is held against. */
  readonly against?: string
}

/** A benchmark prints what it sees while it goes on, and ends with its rows of the one table. */
export type Bench = (print: (line: string) => void) => Promise<readonly Row[]>

/** A figure that is to be at most so much. */
export function atMost(what: string, figure: number, goal: number, unit: string, against?: string): Row {
  const show = (value: number) => `${Number(value.toPrecision(3))} ${unit}`.trimEnd()
  const row = { what, figure: show(figure), goal: `≤ ${show(goal)}`, reached: figure <= goal }
  return against === undefined ? row : { ...row, against }
}

/** The table as Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ what, figure, goal = '', reached, against = '' }) => {
    const met = reached === undefined ? '' : reached ? ' ✓' : ' ✗'
    return `| ${what} | ${figure} | ${goal}${met} | ${against} |`
  })
  return ['| measure | figure | goal | held against |', '| --- | --- | --- | --- |', ...lines].join('\n')
}
