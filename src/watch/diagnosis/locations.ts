/** A place in a source file that a log line names. */
export interface Location {
  /** As the tool wrote it. */
  readonly path: string
  readonly line?: number
  readonly column?: number
  readonly message: string
  /** What the tool calls this kind of error: `TS2304`, `no-undef`. */
  readonly code?: string
  readonly level: 'error' | 'warning'
  /** Index of the line in the log. */
  readonly at: number
}

interface Format {
  /** Groups: `path`, and where told `line`, `column`, `message`, `level`. */
  readonly pattern: RegExp
  /** The message stands on another line than the place; -1 is the line before. */
  readonly messageFrom?: (lines: readonly string[], at: number) => string | undefined
}

const before = (lines: readonly string[], at: number): string | undefined => lines[at - 1]
const after = (lines: readonly string[], at: number): string | undefined => lines[at + 1]

const FORMATS: readonly Format[] = [
  // tsc: src/app.ts(1,7): error TS2322: Type …
  { pattern: /^(?<path>[^\s():][^():]*\.\w+)\((?<line>\d+),(?<column>\d+)\): (?<level>error|warning) (?<message>.+)$/ },
  // tsc --pretty: src/app.ts:1:7 - error TS2322: Type …
  { pattern: /^(?<path>[^\s:][^:]*\.\w+):(?<line>\d+):(?<column>\d+) - (?<level>error|warning) (?<message>.+)$/ },
  // go: ./main.go:6:14: cannot use …; gcc: main.c:3:5: error: …
  {
    pattern:
      /^(?<path>[\w./@-]+\.(?:go|c|cc|cpp|h|hpp)):(?<line>\d+):(?<column>\d+): (?:(?:fatal )?(?<level>error|warning): )?(?<message>.+)$/,
  },
  // go.mod:5: require …
  { pattern: /^(?<path>go\.(?:mod|sum|work)):(?<line>\d+): (?<message>.+)$/ },
  // javac (Gradle glues the task's name to it): src/App.java:5: error: …
  {
    pattern:
      /^(?::\w+(?=\/))?(?<path>[\w./-]+\.(?:java|kt|scala|groovy)):(?<line>\d+): (?<level>error|warning): (?<message>.+)$/,
  },
  // maven: [ERROR] /app/src/App.java:[5,17] …
  { pattern: /^\[(?<level>ERROR|WARNING)\] (?<path>\/[^\s:]+\.\w+):\[(?<line>\d+),(?<column>\d+)\] (?<message>.+)$/ },
  // kotlin: e: file:///app/src/App.kt:5:17 …
  { pattern: /^(?<level>[ew]): (?<path>(?:file:\/\/)?\/[^\s:]+\.kts?):(?<line>\d+):(?<column>\d+) (?<message>.+)$/ },
  // gradle: Build file '/app/build.gradle' line: 1
  {
    pattern: /^(?:Build|Settings) file '(?<path>[^']+)' line: (?<line>\d+)$/,
    messageFrom: (lines, at) =>
      lines
        .slice(at + 1, at + 6)
        .find((line) => line.startsWith('>'))
        ?.slice(2),
  },
  // rustc, after the message:  --> src/main.rs:3:20
  { pattern: /^\s*--> (?<path>[^\s:]+\.rs):(?<line>\d+):(?<column>\d+)$/, messageFrom: before },
  // rolldown and other boxes:  ╭─[ src/main.ts:1:19 ]
  { pattern: /^\s*[╭┌]─+\[ ?(?<path>[^\s:]+):(?<line>\d+):(?<column>\d+) ?\]/, messageFrom: before },
  // rollup: RollupError: src/main.js (1:9): "x" is not exported …
  {
    pattern:
      /(?:RollupError|RolldownError|Error): (?<path>[^\s():]+\.\w+) \((?<line>\d+):(?<column>\d+)\): (?<message>.+)$/,
  },
  // rollup: Could not resolve "./gone.js" from "src/main.js"; vite: failed to resolve import "x" from "src/main.ts"
  {
    pattern: /(?<message>(?:Could not resolve|failed to resolve import) ["'][^"']+["']) from ["'](?<path>[^"']+)["']/i,
  },
  // node: Cannot find package 'express' imported from /app/server.js
  { pattern: /(?<message>Cannot find (?:package|module) '[^']+') imported from (?<path>\/\S+\.\w+)$/ },
  // webpack: ERROR in ./src/index.js 2:11
  {
    pattern: /^(?<level>ERROR|WARNING) in (?<path>\.?\/?[^\s:]+\.\w+)(?: (?<line>\d+):(?<column>\d+)(?:-\d+)?)?$/,
    messageFrom: after,
  },
  // ts-loader: [tsl] ERROR in /app/src/index.ts(1,7)
  { pattern: /^\[tsl\] (?<level>ERROR|WARNING) in (?<path>\S+)\((?<line>\d+),(?<column>\d+)\)$/, messageFrom: after },
  // next: ./app/page.tsx:4:1, the message on the line after
  { pattern: /^(?<path>\.\/[^\s:]+\.\w+):(?<line>\d+):(?<column>\d+)$/, messageFrom: after },
  // bun, after the message:     at /app/index.ts:1:11
  {
    pattern: /^ {4}at (?<path>\/[^\s:()]+\.[cm]?[jt]sx?):(?<line>\d+):(?<column>\d+)$/,
    messageFrom: (lines, at) =>
      lines.slice(Math.max(0, at - 4), at).findLast((line) => /^(?:error|SyntaxError)\b/.test(line)),
  },
  // ruby: app.rb:2: syntax error, unexpected …
  { pattern: /^(?<path>[\w./-]+\.rb):(?<line>\d+): (?<message>(?:syntax error|warning|.*\(SyntaxError\)).*)$/ },
  // php: PHP Parse error:  … in /app/index.php on line 4
  { pattern: /^(?:PHP )?(?:Parse|Fatal) error:\s+(?<message>.+?) in (?<path>\S+\.php)(?: on line |:)(?<line>\d+)$/ },
  // Python compile-all: Sorry: IndentationError: … (main.py, line 2)
  { pattern: /(?<message>(?:Syntax|Indentation|Tab)Error: .+) \((?<path>[^\s,()]+\.py), line (?<line>\d+)\)$/ },
]

/** ESLint names the file once, above its findings. */
const ESLINT_FILE = /^(?<path>\/?[\w@./-]+\.(?:[cm]?[jt]sx?|vue|svelte|astro))$/
const ESLINT_FINDING =
  /^ +(?<line>\d+):(?<column>\d+) +(?<level>error|warning) +(?<message>.+?)(?: {2,}(?<code>[\w@/-]+))?$/

/** tsc: `TS2304: …`; rustc: `error[E0425]: …`. */
const CODE_FIRST = /^(?:error\[)?(?<code>TS\d+|E\d{4})\]?: (?<rest>.+)$/

/** All places that the lines name, in their order. */
export function locationsIn(lines: readonly string[]): readonly Location[] {
  const found: Location[] = []
  let eslintFile: string | undefined
  for (const [at, line] of lines.entries()) {
    const file = ESLINT_FILE.exec(line)?.groups?.path
    if (file !== undefined) eslintFile = file
    const finding = eslintFile === undefined ? null : ESLINT_FINDING.exec(line)
    if (finding?.groups !== undefined && eslintFile !== undefined) {
      found.push(located({ ...finding.groups, path: eslintFile }, at, undefined))
      continue
    }
    const format = FORMATS.find((each) => each.pattern.test(line))
    const groups = format?.pattern.exec(line)?.groups
    if (format !== undefined && groups !== undefined) found.push(located(groups, at, format.messageFrom?.(lines, at)))
  }
  return found
}

function located(
  groups: Readonly<Record<string, string | undefined>>,
  at: number,
  elsewhere: string | undefined,
): Location {
  const { path = '', line, column, message, level } = groups
  const said = (message ?? elsewhere ?? 'the build failed here').trim().replace(/\s{2,}/g, ' ')
  const coded = CODE_FIRST.exec(said)?.groups
  const code = groups.code ?? coded?.code
  return {
    path,
    ...(line === undefined ? {} : { line: Number(line) }),
    ...(column === undefined ? {} : { column: Math.max(1, Number(column)) }),
    message: coded?.rest ?? said,
    ...(code === undefined ? {} : { code }),
    level: /^w/i.test(level ?? '') ? 'warning' : 'error',
    at,
  }
}
