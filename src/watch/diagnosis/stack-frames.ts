/** One call in a stack trace. */
export interface Frame {
  readonly path: string
  readonly line: number
  readonly column?: number
  /** Index of the line in the log. */
  readonly at: number
}

const FRAMES: readonly RegExp[] = [
  // Node: at load (/app/server.js:2:26) · at file:///app/server.js:5:1 · at <unknown> (app/page.tsx:3:19)
  /^\s*at (?:.*\()?(?<path>(?:file:\/\/)?[^\s():]*[\w\]]\.[cm]?[jt]sx?):(?<line>\d+):(?<column>\d+)\)?$/,
  // Node prints the place of an uncaught error above it: /app/server.js:2
  /^(?<path>(?:file:\/\/)?\/[^\s():]+\.[cm]?[jt]sx?):(?<line>\d+)$/,
  // Go:     /app/main.go:5 +0x28
  /^\s+(?<path>\/[^\s:]+\.go):(?<line>\d+)(?: \+0x[0-9a-f]+)?$/,
  // Rust: thread 'main' panicked at src/main.rs:3:26:
  /panicked at (?<path>[^\s:]+\.rs):(?<line>\d+):(?<column>\d+):?$/,
  // Ruby: app.rb:2:in `fetch': … ·  from app.rb:5:in '<main>'
  /^\s*(?:from )?(?<path>[\w./-]+\.rb):(?<line>\d+):in /,
  // PHP: #0 /app/index.php(3): intdiv() ·  thrown in /app/index.php on line 3
  /^#\d+ (?<path>\/[^\s()]+\.php)\((?<line>\d+)\)/,
  /thrown in (?<path>\/\S+\.php) on line (?<line>\d+)$/,
  // Java: at com.acme.App.main(App.java:4)
  /^\s*at (?<class>[\w.$]+)\.[\w$<>]+\((?<path>\w+\.(?:java|kt|scala)):(?<line>\d+)\)$/,
]
const PYTHON = /^\s*File "(?<path>[^"]+\.py)", line (?<line>\d+)/
const JVM_SOURCES: readonly string[] = ['src/main/java/', 'src/main/kotlin/', 'src/main/scala/', 'src/', '']

/**
 * The calls near `from`, the innermost first, whatever the order the language prints them in; each with the paths it may
 * stand for (a JVM frame names the class, not the file).
 */
export function framesAround(
  lines: readonly string[],
  from: number,
): readonly (Frame & { readonly paths: readonly string[] })[] {
  const start = Math.max(0, from - 20)
  const frames = lines.slice(start, from + 40).flatMap((line, index) => frameIn(line, start + index) ?? [])
  const python = frames.some((frame) => frame.path.endsWith('.py'))
  // Node names the place twice, the second time with the column.
  const exact = frames.map(
    (frame) => frames.find((each) => samePlace(each, frame) && each.column !== undefined) ?? frame,
  )
  return python ? exact.toReversed() : exact
}

function samePlace(a: Frame, b: Frame): boolean {
  return a.path === b.path && a.line === b.line
}

function frameIn(line: string, at: number): (Frame & { paths: readonly string[] }) | undefined {
  const groups = (PYTHON.exec(line) ?? FRAMES.map((each) => each.exec(line)).find((match) => match !== null))?.groups
  const path = groups?.path
  if (groups === undefined || path === undefined) return undefined
  const column = groups.column
  return {
    path,
    paths: pathsOf(path, groups.class),
    line: Number(groups.line),
    ...(column === undefined ? {} : { column: Number(column) }),
    at,
  }
}

function pathsOf(path: string, className: string | undefined): readonly string[] {
  if (className === undefined) return [path]
  const folder = className.split('.').slice(0, -1).join('/')
  return JVM_SOURCES.map((sources) => `${sources}${folder === '' ? '' : `${folder}/`}${path}`)
}
