/** One curve: how a cost grows. */
export interface Curve {
  readonly title: string
  readonly x: string
  readonly y: string
  readonly points: readonly (readonly [x: number, y: number])[]
}

const WIDTH = 520
const HEIGHT = 260
const EDGE = { left: 64, right: 20, top: 36, bottom: 44 }

/** A curve as an SVG of its own, both axes logarithmic: a straight line at 45° is a cost that grows with its cause. */
export function plot({ title, x, y, points }: Curve): string {
  const across = scale(
    points.map(([value]) => value),
    EDGE.left,
    WIDTH - EDGE.right,
  )
  const up = scale(
    points.map(([, value]) => value),
    HEIGHT - EDGE.bottom,
    EDGE.top,
  )
  const line = points.map(([a, b]) => `${across.at(a)},${up.at(b)}`).join(' ')
  const dots = points.map(([a, b]) => `<circle cx="${across.at(a)}" cy="${up.at(b)}" r="3" fill="#2563eb"/>`)
  const marksX = across.marks.map(
    (value) =>
      `<text x="${across.at(value)}" y="${HEIGHT - EDGE.bottom + 18}" text-anchor="middle">${short(value)}</text>`,
  )
  const marksY = up.marks.map(
    (value) =>
      `<line x1="${EDGE.left}" x2="${WIDTH - EDGE.right}" y1="${up.at(value)}" y2="${up.at(value)}" stroke="#8884"/>` +
      `<text x="${EDGE.left - 8}" y="${up.at(value) + 4}" text-anchor="end">${short(value)}</text>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" fill="#888">
<title>${title}</title>
<text x="${EDGE.left}" y="20" font-size="14">${title}</text>
${[...marksY, ...marksX].join('\n')}
<polyline points="${line}" fill="none" stroke="#2563eb" stroke-width="2"/>
${dots.join('\n')}
<text x="${WIDTH - EDGE.right}" y="${HEIGHT - 8}" text-anchor="end">${x}</text>
<text x="14" y="${EDGE.top}" transform="rotate(-90 14 ${EDGE.top})" text-anchor="end">${y}</text>
</svg>
`
}

function scale(values: readonly number[], from: number, to: number) {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))))
  const at = (value: number) => Math.round(from + ((Math.log10(value) - low) / (high - low)) * (to - from))
  return { at, marks: Array.from({ length: high - low + 1 }, (_, step) => 10 ** (low + step)) }
}

function short(value: number): string {
  if (value >= 1000) return `${value / 1000}k`
  return String(Number(value.toPrecision(2)))
}
