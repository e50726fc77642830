import { always, type Recogniser } from '../recogniser.ts'

const BOTH = ['runtime', 'build'] as const
const HINT = always('Mend the code at the place named; the stack trace is below.')

/** The application ended with an error of its own. */
export const CRASH_RECOGNISERS: readonly Recogniser[] = [
  {
    name: 'crash/next-prerender',
    tool: 'Next.js',
    in: ['build'],
    pattern: /Error occurred prerendering page "(?<page>[^"]+)"/,
    cause: ({ groups, find }) => {
      const error = find(/^\s*(?:\[?\w*Error\]?): (?<message>.+)$/, 5)?.message
      return `Next.js fails to prerender the page ${groups.page}${error === undefined ? '' : `: ${error}`}`
    },
    hint: always(
      'Mend the page, or render it on request (`export const dynamic = "force-dynamic"`). Variables it needs at build time go into the `env` input.',
    ),
  },
  {
    name: 'crash/go-panic',
    tool: 'Go',
    in: BOTH,
    pattern: /^(?:panic|fatal error): (?<message>.+)$/,
    cause: ({ groups }) => `Go panic: ${groups.message}`,
    hint: HINT,
  },
  {
    name: 'crash/rust-panic',
    tool: 'Rust',
    in: BOTH,
    pattern: /^thread '[^']+' (?:\(\d+\) )?panicked at (?:'(?<old>[^']+)', )?(?<place>[^\s:]+:\d+)/,
    cause: ({ groups, text }) => {
      const message = groups.old ?? /panicked at \S+ (?<message>.+)$/.exec(text(2))?.groups?.message
      return `Rust panic in ${groups.place}${message === undefined ? '' : `: ${message}`}`
    },
    hint: HINT,
  },
  {
    name: 'crash/java-exception',
    tool: 'Java',
    in: BOTH,
    pattern: /^Exception in thread "[^"]+" (?<message>\S.+)$|^Caused by: (?<cause>\S.+)$/,
    cause: ({ groups }) => `Java exception: ${groups.message ?? groups.cause}`,
    hint: HINT,
  },
  {
    name: 'crash/php-error',
    tool: 'PHP',
    in: BOTH,
    pattern: /^(?:PHP )?Fatal error:\s+(?:Uncaught )?(?<message>.+?)(?: in \S+)?$/,
    cause: ({ groups }) => `PHP error: ${groups.message}`,
    hint: HINT,
  },
  {
    name: 'crash/ruby-error',
    tool: 'Ruby',
    in: BOTH,
    pattern: /^(?<path>[\w./-]+\.rb):(?<line>\d+):in [`'].+?': (?<message>.+) \((?<class>[\w:]+)\)$/,
    cause: ({ groups }) => `Ruby ${groups.class} in ${groups.path}, line ${groups.line}: ${groups.message}`,
    hint: HINT,
  },
  {
    name: 'crash/python-exception',
    tool: 'Python',
    in: BOTH,
    pattern: /^(?<class>(?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit))(?:: (?<message>.+))?$/,
    near: { pattern: /^Traceback |^\s*File "/, above: 6 },
    last: true,
    cause: ({ groups }) => `Python ${groups.class}${groups.message === undefined ? '' : `: ${groups.message}`}`,
    hint: HINT,
  },
  {
    name: 'crash/node-error',
    tool: 'Node.js',
    in: BOTH,
    pattern: /^(?:Uncaught )?(?<class>(?:[A-Z]\w*)?(?:Error|Exception))(?: \[\w+\])?: (?<message>.+)$/,
    cause: ({ groups }) => `The application ended with ${groups.class}: ${groups.message}`,
    hint: HINT,
  },
]
