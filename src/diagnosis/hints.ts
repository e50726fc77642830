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

/** A lock file that does not match what it locks; `what` may name the difference. */
function lock(file: string, manifest: string, command: string, at: RegExp, what?: RegExp): Hint {
  return {
    at,
    ...(what === undefined ? {} : { with: [what] }),
    cause: `${file} does not match ${manifest}[[: {what}]]`,
    todo: `Run \`${command}\` and commit ${file}.`,
  }
}

/** Lock files that do not match what they lock, or are not there. */
export const LOCK_HINTS: readonly Hint[] = [
  lock(
    'package-lock.json',
    'package.json',
    'npm install',
    /package\.json and package-lock\.json.*in sync|lock file's .* does not satisfy|(?:Missing|Invalid): .* lock file/,
    /(?:Missing|Invalid): (?<what>.+?)(?: from lock file|$)/,
  ),
  lock(
    'pnpm-lock.yaml',
    'package.json',
    'pnpm install',
    /ERR_PNPM_(?:OUTDATED_LOCKFILE|LOCKFILE_\w+|BROKEN_LOCKFILE)|specifiers in the lockfile/,
    /^\s*- (?<what>\S+ \(lockfile: .*)/,
  ),
  lock('yarn.lock', 'package.json', 'yarn install', /lockfile (?:needs to be|would have been)|YN0028|in your lockfile/),
  lock('bun.lock', 'package.json', 'bun install', /lockfile had changes, but lockfile is frozen/),
  lock('poetry.lock', 'pyproject.toml', 'poetry lock', /since poetry\.lock was|poetry\.lock is not up to date/),
  lock('uv.lock', 'pyproject.toml', 'uv lock', /uv\.lock.*(?:needs to be updated|not up to date|outdated)/),
  lock('Cargo.lock', 'Cargo.toml', 'cargo build', /Cargo\.lock.*to be updated|cannot update the lock file/i),
  lock('Gemfile.lock', 'the Gemfile', 'bundle install', /mode after changing|gemfile changed|Gemfile\.lock.*frozen/i),
  {
    at: /can only install with an existing package-lock\.json|ERR_PNPM_NO_LOCKFILE|Unable to find lockfile/,
    todo: 'Install (or lock) on your machine and commit the lock file; look whether .gitignore excludes it.',
  },
]

const SET_IT = 'Set it with the `env` input (a secret from `secrets`), for the environment that failed.'

/** An application that was started, and what can happen both there and in a build: missing variables, programs, modules. */
export const RUN_HINTS: readonly Hint[] = [
  {
    at: /exec format error/i,
    cause: 'The program in the image is built for another processor architecture (exec format error)',
    todo: 'Build for linux/amd64 (`--platform=linux/amd64`, `GOARCH=amd64`); a script needs `#!` in its first line.',
  },
  {
    at: /exec "?(?<file>\/\S{1,200}?\.\w{1,9})"?: no such file or directory|(?<!\S)(?<file2>\S{1,200}\.sh): (?:not found|no such file or directory)|exec user process caused: no such file|env: [‘'`]?(?<shell>\w+)\\r/i,
    cause:
      '{file|file2|shell} cannot be executed: it is missing in the image, or its first line ends with a Windows line ending (CRLF)',
    todo: 'Save the script with LF line ends (`*.sh text eol=lf` in .gitattributes), and check that its first line names a shell that the image has.',
  },
  {
    at: /exec: "(?<file>[^"]+)": permission denied|(?<!\S)(?<file2>\S{1,200}): [Pp]ermission denied/,
    near: /exec|runc|OCI|entrypoint|^(?:\/bin\/)?(?:ba)?sh:|\.sh\b/i,
    without: /EACCES|mkdir|open\(|bind\(/,
    cause: '{file|file2} may not be executed (permission denied)',
    todo: 'Make it executable: `git update-index --chmod=+x FILE`, or `RUN chmod +x` in the Dockerfile.',
  },
  {
    at: /exec: "(?<program>[^"]+)": (?:executable file not found|stat)|(?:^|: )(?:line )?(?:\d+: )?(?<program2>[\w@./-]+): (?:command )?not found$|: (?<program3>[\w@./-]+): not found$|command not found: (?<program4>\S+)|spawn (?<program5>[\w./-]+) ENOENT|unknown command:? (?<program6>\S+)/,
    cause: 'The command “{program|program2|program3|program4|program5|program6}” does not exist in the image',
    todo: 'Install what provides it (a package in dependencies rather than devDependencies, a system package in the image), or correct the command.',
  },
  {
    at: /Executable doesn't exist at|browserType\.launch|Could not find (?:Chrome|Chromium|browser)/i,
    cause: "The browser that Playwright or Puppeteer wants is not installed in the image (Executable doesn't exist)",
    todo: 'Install it while building: `npx playwright install --with-deps chromium`, or use an image that has it.',
  },
  {
    at: /(?:(?:environment|env)(?:ironment)? ?var(?:iable)?s?:? |[Vv]ariable |[Mm]issing (?:required )?(?:environment |env )?(?:variables?|vars?)?:? ?)["'`“]?(?<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+|[A-Z]{4,})["'`”]?/,
    near: /missing|not set|unset|required|not defined|undefined|not found|must|empty|please set|not present|not provided/i,
    without: /gyp|find Python|rerun-if-env/,
    cause: 'The environment variable {name} is missing',
    todo: SET_IT,
  },
  {
    at: /["'`“]?\b(?<name>[A-Z][A-Z0-9]*_[A-Z0-9_]+)\b["'`”]?(?: setting| environment variable| env(?:ironment)? var(?:iable)?)?(?: is| was| must be| are| must not be)? (?:missing|not set|unset|required|undefined|not defined|not found|set\b(?! to)|empty|not provided|not configured|mandatory)/,
    without: /gyp|rerun-if-env|ERR_|npm ERR/,
    cause: 'The environment variable {name} is missing',
    todo: SET_IT,
  },
  {
    at: /\b(?<name4>[A-Z][A-Z0-9_]{2,60}): (?:unbound variable|parameter (?:null or )?not set)|KeyError: '(?<name>[A-Z][A-Z0-9_]{2,})'|key not found: "(?<name2>[A-Z][A-Z0-9_]{2,})"|placeholder '(?<name3>[\w.-]+)'/,
    cause: 'The environment variable {name|name2|name3|name4} is missing',
    todo: SET_IT,
  },
  {
    at: /validation errors? for (?<class>\w+)/,
    near: /field required|Field required|type=missing|value_error\.missing/,
    with: [/^(?<name>[A-Za-z_]\w*)$/],
    cause: 'Settings are missing: {class} requires the environment variable {name}',
    todo: 'Set the variables that the lines below name with the `env` input.',
  },
  {
    at: /ZodError/,
    with: [/^\s*"(?<name>[A-Z][A-Z0-9_]{2,})"\s*$/, /"path": ?\["(?<name2>[A-Z][A-Z0-9_]{2,})"/],
    cause: 'The environment variable {name|name2} is missing or not as the schema (zod) requires',
    todo: SET_IT,
  },
  {
    at: /\b\w{1,60}(?:Url|Key|URL|Secret|Token) is required|SECRET_KEY|APP_KEY|application encryption key|secret_key_base|environment variable not found|NotPresent|ZodError|Invalid environment variables/i,
    todo: 'Set the variables that the lines below name with the `env` input.',
  },
  {
    at: /(?:ECONNREFUSED|[Cc]onnection refused|connect refused|actively refused).*?(?<host>(?:\d{1,3}\.){3}\d{1,3}|localhost|::1|\[::1\])?[: ]*(?<port>\d{2,5})?\b/,
    with: [
      /ECONNREFUSED (?<host2>[\w.:]+?):(?<port2>\d{2,5})\b/,
      /at "?(?<host3>[\w.]+)"?(?: \([\d.:]+\))?, port (?<port3>\d+)/,
      /(?<database>Mongo|Postgres|MySQL|Redis|psycopg|Sequelize|amqp|Kafka|Elastic)/i,
    ],
    without: /registry|npm ERR/,
    when: 'run',
    cause: 'Connection refused: nothing answers[[ at {host2|host3|host}]][[:{port2|port3|port}]][[ ({database})]]',
    todo: 'Give the app the address of its database or service in the variable it reads; localhost is the container itself.',
  },
  {
    at: /getaddrinfo (?:ENOTFOUND|EAI_AGAIN) (?<host>[\w.-]+)|could not translate host name "(?<host2>[^"]+)"|Name or service not known|no such host|nodename nor servname/,
    when: 'run',
    todo: 'The name of that host is unknown here: names of a docker-compose file do not exist; give the app the address that the platform told.',
  },
  {
    at: /P100[01]|Can't reach database|password authentication failed|Access denied for user|WRONGPASS|NOAUTH|DataSource|suitable driver class/,
    todo: 'Check the address, user name and password of the database in the variables that the app is given; localhost is the container itself.',
  },
  {
    at: /Cannot find module '(?:\/app|\/usr\/src\/app|\/workspace|\/srv)?\/(?<file>(?!node_modules)[^']+)'/,
    without: /imported from|^Require stack:\s*- (?!.*internal)/,
    when: 'run',
    cause: 'The start command runs {file}, which does not exist (Cannot find module)',
    todo: 'Build it first, or start the file that the build writes; look at `outDir` of the compiler and at `start` in ink.yml.',
  },
  {
    at: /Cannot find (?:module|package) '|ERR_MODULE_NOT_FOUND|No module named|ModuleNotFoundError|cannot load such file/,
    todo: 'A package: add it to the dependencies (not to those for development) and commit the lock file; pkg_resources comes with setuptools before version 81. A file: check its path, letter case included, and that it is committed and built.',
  },
  {
    at: /require\(\) of ES Module|ERR_REQUIRE_ESM|require is not defined in ES module|Cannot use import statement outside/,
    cause: 'CommonJS and ES modules are mixed',
    todo: 'Set `"type"` in package.json as the code is written, or name the file .cjs or .mjs.',
  },
  {
    at: /EADDRINUSE.*?:(?<port>\d+)|address already in use|\bport (?<port2>\d+) (?:is|was) (?:already )?in use/i,
    cause: 'The port[[ {port|port2}]] is in use already',
    todo: 'Start one server only, on the port in the PORT environment variable.',
  },
  {
    at: /^(?:\W{0,3}\[?\w*Error\b|TypeError|ReferenceError|Error:)/,
    near: /prerendering page "/,
    with: [/prerendering page "(?<page>[^"]+)"/],
    cause: 'Next.js fails to prerender the page {page}: {reason}',
    todo: 'Pages are rendered while the app is built: what they read (variables, a database, an API) must be there, or the page must be dynamic.',
  },
]
