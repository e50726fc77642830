import { always, andMore, type Recogniser, shownPath } from '../recogniser.ts'

const BUILD = ['build'] as const
const BOTH = ['build', 'runtime'] as const
const MEND = always('Mend the code at the places named, and run the same build locally before pushing.')

/** Types and syntax: tsc, Next.js, ESLint, rustc, Go, javac, Maven, Gradle, Python, Ruby, PHP, Node.js. */
export const COMPILER_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'typescript/error',
    tool: 'TypeScript',
    in: BUILD,
    pattern: /^(?<path>[^\s():][^():]*\.\w+)(?:\(\d+,\d+\):|:\d+:\d+ -) error (?<code>TS\d+)/,
    cause: (match) => `TypeScript error ${match.groups.code} in ${match.groups.path}${andMore(match)}`,
    hint: ({ groups }) =>
      groups.code === 'TS2307' || groups.code === 'TS7016'
        ? 'Check the path and its case, and that the package and its types are in package.json (also when devDependencies are left out).'
        : MEND(),
  },
  {
    name: 'typescript/project',
    tool: 'TypeScript',
    in: BUILD,
    pattern: /^error (?<code>TS\d+): (?<message>.+)$/,
    cause: ({ groups }) => `TypeScript error ${groups.code}: ${groups.message}`,
    hint: always('Mend tsconfig.json, or point `root-directory` at the folder that it is meant for.'),
  },
  {
    name: 'eslint/problems',
    tool: 'ESLint',
    in: BUILD,
    pattern: /^✖ \d+ problems? \((?<errors>[1-9]\d*) errors?/,
    cause: ({ groups }) => `ESLint found ${groups.errors} ${groups.errors === '1' ? 'error' : 'errors'}`,
    hint: always('Mend them, or keep the linter out of the build command and run it in a job of its own.'),
  },
  {
    name: 'next/no-app',
    tool: 'Next.js',
    in: BUILD,
    pattern: /Couldn't find any `pages` or `app` directory/,
    cause: always('Next.js found neither an app nor a pages directory'),
    hint: always('Point `root-directory` at the Next.js application.'),
  },
  {
    name: 'rust/error',
    tool: 'Rust',
    in: BUILD,
    pattern: /^error(?:\[(?<code>E\d+)\])?: (?!could not compile|aborting due)(?<message>.+)$/,
    near: { pattern: /^\s*--> /, below: 3 },
    cause: (match) => {
      const place = match.find(/^\s*--> (?<path>[^\s:]+\.rs):(?<line>\d+)/, 3)
      const code = match.groups.code === undefined ? '' : ` ${match.groups.code}`
      return `Rust error${code}${place === undefined ? '' : ` in ${place.path}, line ${place.line}`}: ${match.groups.message}`
    },
    hint: MEND,
  },
  {
    name: 'go/compile',
    tool: 'Go',
    in: BUILD,
    pattern: /^(?:\.\/)?(?<path>[\w./-]+\.go):(?<line>\d+)(?::\d+)?: (?<message>.+)$/,
    cause: (match) =>
      `Go error in ${match.groups.path}, line ${match.groups.line}: ${match.groups.message}${andMore(match)}`,
    hint: MEND,
  },
  {
    name: 'go/no-files',
    tool: 'Go',
    in: BUILD,
    pattern: /^(?:package .+: )?no Go files in (?<path>\S+)/,
    cause: always('There are no Go files in the folder that was built'),
    hint: always(
      'Point `root-directory` at the main package, or name it in `build-command` (`go build -o app ./cmd/server`).',
    ),
  },
  {
    name: 'java/compile',
    tool: 'Java',
    in: BUILD,
    pattern:
      /^(?::\w+(?=\/))?(?<path>[\w./-]+\.(?:java|kt|scala)):(?<line>\d+): error: (?<message>.+)$|^\[ERROR\] (?<mavenPath>\/[^\s:]+\.\w+):\[(?<mavenLine>\d+),\d+\] (?<mavenMessage>.+)$|^e: (?:file:\/\/)?(?<ktPath>[^\s:]+\.kts?):(?<ktLine>\d+):\d+ (?<ktMessage>.+)$/,
    cause: ({ groups }) => {
      const path = groups.path ?? groups.mavenPath ?? groups.ktPath ?? ''
      const line = groups.line ?? groups.mavenLine ?? groups.ktLine
      const message = groups.message ?? groups.mavenMessage ?? groups.ktMessage
      return `Java error in ${shownPath(path)}, line ${line}: ${message}`
    },
    hint: MEND,
  },
  {
    name: 'node/syntax',
    tool: 'Node.js',
    in: BOTH,
    pattern:
      /SyntaxError: (?<message>(?:Unexpected (?:token|identifier|end|reserved|strict|string|number|eval)|Invalid or unexpected|missing |Identifier '|await is only|The requested module|Illegal |Invalid (?:regular|left|destructuring|shorthand)|Missing (?:initializer|catch)|Unterminated|Named export).*)$/,
    cause: ({ groups }) => `JavaScript syntax error: ${groups.message}`,
    hint: MEND,
  },
  {
    name: 'python/syntax',
    tool: 'Python',
    in: BOTH,
    pattern: /^(?:Sorry: )?(?<kind>SyntaxError|IndentationError|TabError): (?<message>.+)$/,
    near: { pattern: /^\s*File "|^Sorry: /, above: 5 },
    last: true,
    cause: ({ groups }) => `Python ${groups.kind}: ${groups.message}`,
    hint: MEND,
  },
  {
    name: 'php/syntax',
    tool: 'PHP',
    in: BOTH,
    pattern: /^(?:PHP )?Parse error:\s+(?<message>.+) in (?<path>\S+) on line (?<line>\d+)/,
    cause: ({ groups }) => `PHP syntax error in ${shownPath(groups.path)}, line ${groups.line}: ${groups.message}`,
    hint: MEND,
  },
  {
    name: 'ruby/syntax',
    tool: 'Ruby',
    in: BOTH,
    pattern: /^(?<path>[\w./-]+\.rb):(?<line>\d+): (?<message>syntax error.*|.*\(SyntaxError\))/,
    cause: ({ groups }) => `Ruby syntax error in ${groups.path}, line ${groups.line}: ${groups.message}`,
    hint: MEND,
  },
]
