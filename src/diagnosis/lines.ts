/** What lies further back in a line is data, and may be hostile to a search. */
const LONGEST_SEARCHED = 1_600

/** BuildKit numbers its steps, and times their lines. */
export const BUILDKIT = /^#(\d+) (?:\d{1,5}\.\d{1,3}(?: |$))?/
const PREFIXES: readonly RegExp[] = [
  /^\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z| ?[+-]\d\d:?\d\d)?\]? /,
  /^\[?\d\d:\d\d:\d\d(?:[.,]\d{1,6})?\]?(?: [AP]M)?:? (?:\| )?/,
  /^(?:stdout|stderr) [FP] /,
  /^\[(?:inf|err|out|stdout|stderr|app|build)\] {1,2}/i,
  /^remote: {0,8}(?:! {1,8})?/,
  /^[\w.-]{1,60}-\d+ {1,20}\| /,
  /^(?:app|heroku)\[[\w.-]{1,40}\]: /,
  /^\d{1,5}\.\d{1,3} /,
  // Gradle 4 glues the task to the first line of its compiler.
  /^:\w{1,60}(?=\/)/,
  // Turborepo and pnpm put the package and its script before the lines of each.
  /^(?:@[\w.-]{1,60}\/)?[\w.-]{1,60}:(?:build|lint|test|typecheck|type-check|check|compile|generate|start|codegen)[\w:-]{0,30}: /,
  /^[\w@./-]{1,80} (?:(?:pre|post)?(?:build|install|prepare|compile|generate)[\w:-]{0,30}): /,
]

/** A line as the tool wrote it, cut to a sensible length. */
export function withoutPrefix(line: string): string {
  let text = line.length > LONGEST_SEARCHED ? line.slice(0, LONGEST_SEARCHED) : line
  if (text.startsWith('#')) text = text.replace(BUILDKIT, '')
  for (const prefix of PREFIXES) {
    if (prefix.test(text)) text = text.replace(prefix, '')
  }
  return text.trimEnd()
}

const [BEFORE, AFTER] = [4, 9] as const
/** The end of a step; what follows belongs to another one, or to the platform's second try. */
const STEP_END = /did not complete successfully|^npm (?:error|ERR!) A complete log|^Node\.js v\d/
/** Calls inside the language's own code and libraries tell nothing about the application. */
const LIBRARY_CALL = /^\s+at .*(?:node:|\/node_modules\/|ignore-listed frames)/
const TAIL = 50

/** The lines that decide, around the one at `index`: to the end of its step, without calls into libraries and blank ends. */
export function linesAround(lines: readonly string[], index: number): readonly string[] {
  const telling = (from: number, to: number): readonly string[] =>
    lines.slice(Math.max(0, from), to).filter((line) => !LIBRARY_CALL.test(line))
  const after = telling(index, index + 3 * AFTER)
  const end = after.findIndex((line) => STEP_END.test(line))
  return trimBlank([...telling(index - BEFORE, index), ...after.slice(0, Math.min(AFTER, end < 0 ? AFTER : end) + 1)])
}

/** The end of a log. */
export function tailOf(lines: readonly string[]): readonly string[] {
  return trimBlank(lines.slice(-TAIL))
}

function trimBlank(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== '')
  if (first < 0) return []
  const last = lines.findLastIndex((line) => line.trim() !== '')
  return lines.slice(first, last + 1)
}

/**
 * What says that a process was killed for its memory, or ran out of it. Never a bare number 137, nor a SIGKILL that
 * somebody announces or a supervisor sends after a time limit: what is read here makes services larger, which costs money.
 */
const OUT_OF_MEMORY: readonly RegExp[] = [
  /\bJavaScript heap out of memory\b|\bFatal process out of memory\b/,
  /\bjava\.lang\.OutOfMemoryError\b/,
  /\bOOM-?Killed\b|\boom-kill:|\bMemory cgroup out of memory\b|\bOut of memory: Killed process\b/i,
  /^Killed$|: line \d+: +\d+ Killed\b|\b(?:signal:? (?:9|killed)\b|Killed signal terminated program\b)/,
  /^npm (?:error|ERR!) signal SIGKILL$/,
  /\bexit(?:ed|s)?(?: with)?(?: (?:code|status))?[:=]? ?\(?137\)?(?![\w%]|\.\d| (?:ms|s|sec\w*|min\w*|[KMG]i?B|lines?|files?|items?)\b)/i,
  /^MemoryError\b|\bruntime: out of memory\b|\bmemory allocation of \d+ bytes failed\b|\bvirtual memory exhausted\b|\bstd::bad_alloc\b/,
  /\bcannot allocate memory\b|\bexceed(?:s|ed) (?:its |the )?memory limit\b|\bmemory limit (?:was )?(?:reached|exceeded)\b/i,
]

/** Whether a line, without prefixes, says that memory ran out. */
export function isOutOfMemory(line: string): boolean {
  return OUT_OF_MEMORY.some((pattern) => pattern.test(line))
}

/** The stack that V8 and the JVM write below the reason, with its heading: it can be longer than all else. */
const STACK_LINE = /^(?: *\d{1,3}: (?:0x)?[0-9a-f]{4,16}\b.*|\s+at .*|-+ Native stack trace -+|\s*)$/

/** What a process said last of all, so many lines of it, without the stack below its reason. */
export function lastWordsOf(log: readonly string[], lines: number): readonly string[] {
  return log.filter((line) => !STACK_LINE.test(withoutPrefix(line))).slice(-lines)
}

/** The last line of a log by which a process was killed for its memory, or ran out of it. */
export function memoryDeath(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => isOutOfMemory(withoutPrefix(line)))
}

/** A line that may be the reason, with how much speaks for it. */
export interface Ranked {
  /** Index in the section. */
  readonly at: number
  readonly score: number
}

/** Below this a line only mentions a failure. */
export const TELLING = 20

/** One cheap look at every line; only what passes is weighed. */
const WORTH_A_LOOK =
  /err|fail|fatal|panic|exce|emerg|crit|cannot|can't|can’t|could|unable|unknown|not |n't |n’t |no such|missing|denied|refused|invalid|unsupp|incompat|require|expected|undefined|unresolved|abort|killed|conflict|mismatch|timed? ?out|exceed|space|memory|137|too |\bno |chang| but |unbound|:\d+:\d+: |(?:\.|^)[A-Z]\w+: |must|E[A-Z]{4,}|TS\d{4}|✘|✖|✗|⨯|×|\*\* \(|Caused|only|already|outdated|unauth|forbid|illegal|doesn|does/i

const CERTAIN: readonly RegExp[] = [
  /(?:^|[\s:\])])(?:fatal )?error[ :](?: ?[A-Z]{1,6}-?\d{2,6}|\[\w{1,40}\]|\((?:ts|TS)?\d{4}\)): \S/i,
  // TypeError: …, java.lang.IllegalStateException: …, Prisma.ClientError [CODE]: …, ActiveRecord::ConnectionBad: …
  /(?:^|[\s(])(?:[A-Za-z_][\w$]{0,60}(?:\.|::|\/|\\)){0,10}[A-Z][\w$]{0,60}(?:Error|Exception|Failure|Panic|NotFound|Rejection|Bad|Server|Interrupt)\b(?: ?\[[\w: -]{1,40}\]| \(\w{1,40}\))?:? \S/,
  /^\*\* \(\w[\w.]{0,60}\) \S/,
  /^\[\w{1,20}\] \d+#\d+: |\[emerg\]/,
  /^(?:thread '.{1,60}' (?:\(\d+\) )?panicked at|panic: )/,
  /^\s*\d+:\d+\s+error\b|^\s*\d+:\d+\s+Error:/,
  // django.core.exceptions.ImproperlyConfigured: …
  /^(?:[a-z_]\w{0,40}\.){1,8}[A-Z]\w{2,60}: \S/,
  /(?:^|[\s\])>])(?:PHP )?(?:fatal|parse|syntax|compilation|compile|type|link(?:er)?|runtime|build|internal|validation) error\b:? \S/i,
  /^Caused by: \S/,
]
const CLEAR: readonly RegExp[] = [
  /^TS\d+ \[ERROR\]: |^not ok \d+ |^\s*--- FAIL: |^FAIL\s+\S+\.\w+|^\s*●\s.{1,80} › /,
  /^(?:npm (?:error|ERR!)\s+)?(?:\W{0,6})(?:error|fatal|ERR|FATAL|ERROR|E|CRITICAL|critical|err!|Failure|Problem|Sorry|failed|aborted)\]?(?: \(\w+\))?[:!] {0,4}\S/i,
  /\b(?:level|severity|lvl)["']?[=:] ?["']?(?:error|fatal|panic|critical)\b/i,
  /^(?:\W{0,3})?\[(?:ERROR|FATAL|error|fatal|CRITICAL|SEVERE|builder|vite|plugin [\w:@/ -]{1,60})\] {0,4}:? {0,4}\S/,
  /^\W{0,4}(?:ERR_[A-Z_]{3,60}|ERROR|FATAL|error|SEVERE|Error)\s{1,4}(?!found|in\b)\S/,
  / (?:ERROR|FATAL|CRITICAL|SEVERE) (?:\d+ )?[-[(:\w]/,
  /^(?:git )?clone failed: (?!.*\bexit status \d+$)\S/,
]
const PLACED: readonly RegExp[] = [
  /^\s*(?:\W{0,3} )?(?:[\w@+.()[\]/-]{1,200}\.\w{1,8}|Dockerfile|Makefile):\[?\d{1,6}(?:[:,]\d{1,5}\]?)?:? \S/,
  /^\s*[✘✖✗⨯×❌] ?\S/,
]
const OF_PACKAGE_MANAGERS: readonly RegExp[] = [/^npm (?:error|ERR!) \S|^gyp ERR! \S/, /^➤ YN(?!0000)\d{4}: │/]

/** How compilers and linters list errors: with a place, with a code, under a file. */
const LISTED: readonly RegExp[] = [
  /^\s*\d+:\d+\s+(?:error\b|Error:)/,
  /^\s*(?:\[\w+\] )?[\w@+.()[\]/-]{1,200}\.\w{1,8}(?::\[?\d{1,6}|\(\d{1,6}[,:)]).{0,12}:? /,
  /^error(?:\[\w{1,20}\])?: /,
]

/** Whether a line is one of those that a compiler lists, which speak for themselves. */
export function isListed(line: string): boolean {
  return matches(LISTED, line)
}

const DECISIVE: readonly RegExp[] = [
  /\b(?:heap out of memory|no space left on device|out of memory|disk quota exceeded|exec format error|OOMKilled)\b/i,
]
const REASONS: readonly RegExp[] = [
  /\b(?:(?:could|can|can'?|is|was|were|are|do(?:es)?) ?n[o'’]t (?:be )?(?:find|found|resolve[d]?|read|open|load(?:ed)?|locate[d]?|exist|defined|installed|set|supported|match|satisf\w+|compatible|connect|reach(?:ed)?|determine|import(?:ed)?|parse[d]?|assign\w*|execute|exported|provided|specified|recogni[sz]ed|up to date|in this registry|contain|included?|started?|listed|valid)|cannot|can’t|can't)\b/i,
  /\b(?:not found|no such|no (?:\w{1,20} files|module|package|matching|versions?|installation|candidates?|provider|database|implementation|application|rule|such|start command|build plan|encryption)\b|unable to|could not|missing|undefined|unresolved|unknown|undeclared|(?:was|has) not been|does not|doesn't|only supports?|must (?:be|have|not|contain|specify)|required|requires|needs|can only|is (?:required|empty|missing|invalid|incompatible|too|only|already|outdated|not)|not (?:set|defined|supported|allowed|installed|permitted|empty|satisfy|a valid|a function|satisfied|available|valid))/i,
  /\b(?:denied|refused|reset by peer|timed? ?out|unreachable|unauthori[sz]ed|forbidden|handshake|name resolution|getaddrinfo|certificate|expired)\b/i,
  /\b(?:unsupported|incompatible|invalid|unexpected|illegal|mismatch(?:ed)?|conflict(?:s|ing)?|not match|outdated|unterminated|duplicate|malformed|corrupt(?:ed)?|broken|unrecogni[sz]ed|ambiguous|expected|exceed(?:s|ed)|changed significantly|gemfile changed|changing your Gemfile|unbound variable|parameter not set)\b|\bbut\b.{0,60}\b(?:specified|requires?|found|got|given|expected|has|was)\b/i,
]
const VAGUE: readonly RegExp[] = [
  /\b(?:failed to|fails to|failure|failed)\b/i,
  /\b(?:E(?:NOENT|ACCES|PERM|CONN\w{2,12}|NOSPC|RESOLVE|AI_AGAIN|NOTFOUND|TIMEDOUT|TARGET|BADENGINE|INTEGRITY|USAGE|404|40[13])|P\d{4}|TS\d{4,5}|CS\d{4}|E\d{4}|NU\d{4}|SQLSTATE)\b/,
]

/** What only says that something ran and failed. */
const WRAPPERS: readonly RegExp[] = [
  /\b(?:command|process|script|task|step|job|subprocess|goal|recipe|hook|workspace|worker|shell)\b.{0,120}\b(?:failed|exited|ended|terminated|returned|errored|fail to)\b(?!\S*: .{24}).{0,60}$/i,
  // Only the file: what is wrong in it stands on the next line.
  /^\W*error(?: in)?:? \.{0,2}\/\S+(?: \d+:\d+(?:-\d+)?)?$/i,
  /^\W*(?:error |ERROR )?[A-Z]\w+ing [\w ]{0,60} failed\W*$| --- \[[^\]]{0,60}\] \S{1,200} {0,60}:\s*$/,
  /\bELIFECYCLE\b|\bexit (?:code|status):? ?\d|\bexit(?:ed|s)?(?: with)?(?: code| status| error)?:? \(?\d+\)?|non-?zero|returned exit|didn't exit successfully|did not (?:run|exit|complete) successfully/i,
  /^\W*(?:(?:error|err!|fatal|npm err!|npm error|failed|failure)\W*)?(?:the )?(?:build|compil\w+|command|deploy\w*|install\w*|bundling|linting|typecheck\w*|tests?|runner)(?: \w+){0,2} (?:has )?(?:failed|errors?)\b[\W\d]*(?:(?:in [\d.]+ ?m?s?|with \d+ errors?|due to .{0,80}|because of .{0,40}|; see .{0,60}|with an exception\.?)\W*)?$/i,
  /\bfailed to compile\W*$|\bfor more info(?:rmation)? here\b|\bsee more info\b|error during build:?$|aborting due to|^error: could not compile|\bmake(?:\[\d+\])?: \*\*\*.*Error \d|build stopped|subprocess-exited|metadata-generation-failed|issue with the package mentioned|A complete log|rails aborted|^Traceback|\bcompilation failure$|BUILD FAILED|APPLICATION FAILED|^error: build failed|Execution failed for task|Import trace|Could not create Makefile|extconf\.rb failed|Failed building wheel|prerendering page|export encountered|build optimization failed|Error: Command failed|Failed to collect page data|Failed to build \S+$|occurred while running|Build error occurred|Could not read from remote repository|Please make sure you have the correct access|^ERROR: Failed to build|could not read \d+ project|has \d+ error|problems were encountered|Failed with errors|Cannot continue|Fatal: Application|test failed, to rerun|[Cc]ould not compile dependency|Could not compile with "|Encountered error while|Push rejected|Type checking failed|Stopping at filesystem|Unhandled 'error' event|terminated by (?:other|signal)/i,
  /^npm (?:error|ERR!) (?:errno|syscall|path|cwd|command|signal|workspace|location|Exit status|This is probably|There is likely|dest|file)\b|^npm (?:error|ERR!) code (?:\d|E[A-Z0-9]+$)|^npm (?:error|ERR!) \S{1,100}: `/,
  /\b(?:[1-9]\d*|found \d+) (?:problems?|errors?|warnings?|failures?)\b(?!.{0,40}for )|\berrors? (?:in|found)\b.{0,40}$/i,
]

/** Warnings, announcements of what goes away, and lines that only sound like a failure. */
const HARMLESS: readonly RegExp[] = [
  /^(?:npm|yarn|pnpm|bun) (?:warn|notice|WARN)\b|^\W{0,8}warn(?:ing)?\b|\bWARN(?:ING)?\b|^\s*\d+:\d+\s+warning\b|^\s*\d+:\d+\s+Warning:|: warning\b|\bwarning [A-Z]+\d+:|\[warn\w*\]|⚠|^W: |^➤ YN00(?:0[267]|13|19|32|6[0-9]|76|86): |\bdeprecat|ExperimentalWarning|\blevel["']?[=:] ?"?warn/i,
  /\b(?:0|no|zero|without) (?:errors?|failures?|problems?|vulnerabilities|warnings?)\b|\b(?:errors?|failures?|failed): 0\b|\b0 (?:failed|Error\(s\))/i,
  /^\s*(?:at |from |File ")|^\s+\^+|^\s*[~^-]+\s*$|^\s*\d+ {0,3}[|│]|^\s*>? ?\d+ {0,3}[|│]|^\s*[|│] |^\s*\S{1,80}:\d+:in [`'][^`']{1,120}'\s*$/,
  /^\s*(?:Compiling|Downloading|Downloaded|Fetching|Fetched|Installing|Using|Unpacking|Setting up|Selecting|Preparing|Get:|Hit:|Collecting|Requirement already|Adding|Resolving|Building|Copying|Checking|Linking|Progress|Extracting|Cloning|remote|Receiving|transferring|create mode|Removing|Creating|INFO|DEBUG|info|debug|\[INFO\]|\[DEBUG\]|Caching|inflating)\b(?!.{0,120}\b(?:error|failed|cannot|could not)\b)/,
  /^debconf:|\bdebconf\b|\bdelaying package|vulnerabilit|^\s*added \d+|packages? (?:are|is) looking|npm fund|npm audit|falling back|fallback|\bretry(?:ing)?\b|\bskipp(?:ed|ing)\b|ignored?\b.{0,20}$|\boptional\b.{0,40}(?:skipped|failed)|running as root|telemetry|update available|core dumped/i,
  /\b(?:error|exception|failure)[-_.](?:[a-z]{2,20}|handler|boundary|page|chain|stack)\b(?!.{0,200}: )|\b(?:handler|boundary)\w{0,10}\.\w{2,4}\b.{0,30}\d+(?:\.\d+)? ?k?B\b/i,
  /\d ?[kM]i?B\b.{0,40}(?:gzip|│|\|)|^[\s│├└┌┬─○●ƒλ]*\/\S{0,80}\s+\d/i,
  /^\s{2,}[[\w'"-]{1,40}['"\]]?: (?:['"\w[{].{0,60}|-?\d+),?$/,
  /^\s*default: |^\s+\w+: \|-?$/,
  /^\s*(?:✓|✔|√|ok\b|PASS|passed|success)/i,
]

/** Advice stands beside the reason, and is worded like one. */
const ADVICE =
  /^\W{0,10}(?:try|note|hint|help|tip|suggestion|action|solution|possible|run (?:with|`|npm|the)|re-?run|please|see|you (?:can|may|might|should|need|must)|to (?:fix|resolve|solve|accept|generate|see|address)|if (?:you|the|this|set)|for (?:more|example)|consider|make sure|ensure|learn more|did you|perhaps|maybe|this (?:is|usually|error|command|may|can|typically)|note that|read more|visit|check|more info|possible solutions?|in most cases|or )\b|^\W*(?:\w\S* (?:\S+ ){0,3})?https?:\/\/\S+(?:\s\W*)?$|^npm (?:error|ERR!) (?:404 |notarget )?(?:note that|in most cases|it was specified|tarball|this is|please|fix the|to accept|if you|if set|and is|node-gyp should|you can|for )/i

/** A heading under which the reason stands. */
const HEADING =
  /^\W{0,8}(?:what went wrong|reason|description|failure reason|caused by|problem(?: \d+)?|details?|error|exception|cause|message|Following errors|errors?|fatal|sorry|stderr|\[stderr\]|root cause)\W*$/i

/** How a line begins that tells an error, with how much that speaks for it. */
const LEADERS = [
  [50, CERTAIN],
  [40, CLEAR],
  [28, PLACED],
  [8, OF_PACKAGE_MANAGERS],
] as const

/** Whatever else is printed by a process that ran out of memory follows from it. */
const LEAST_OF_MEMORY = 90

/** How much speaks for a line, by itself. */
export function scoreOf(line: string): number {
  if (line.length < 4 || !WORTH_A_LOOK.test(line)) return 0
  const leader = LEADERS.find(([, patterns]) => matches(patterns, line))?.[0] ?? 0
  // What is said twice is not twice as certain.
  const found = REASONS.filter((pattern) => pattern.test(line)).length
  const reasons = found === 0 ? (matches(VAGUE, line) ? 14 : 0) : 14 + 8 * found
  const decisive = matches(DECISIVE, line) ? 60 : 0
  let score = leader + decisive + reasons
  if (/["'`“‘].{1,200}["'`”’]|\b[A-Z][A-Z0-9]+_[A-Z0-9_]{2,}\b/.test(line)) score += 4
  if (matches(WRAPPERS, line)) score = Math.min(score * 0.25, TELLING - 4)
  if (matches(HARMLESS, line)) score *= 0.2
  if (ADVICE.test(line)) score *= 0.4
  return isOutOfMemory(line) ? Math.max(score, LEAST_OF_MEMORY) : score
}

function matches(patterns: readonly RegExp[], line: string): boolean {
  return patterns.some((pattern) => pattern.test(line))
}

/** The most lines that are compared with one another. */
const MOST = 400

/**
 * The lines that may be the reason, the best first; what a tool says twice counts once. The first of equals wins in a
 * build, whose later errors follow from it, and the last one of a running application, which ended with it.
 */
export function rank(lines: readonly string[], ended: 'build' | 'run'): readonly Ranked[] {
  const seen = new Map<string, Ranked>()
  let heading = -10
  for (const [at, line] of lines.entries()) {
    const own = scoreOf(line)
    if (own === 0 && at - heading > 3) {
      if (HEADING.test(line)) heading = at
      continue
    }
    const under = at - heading <= 2 && line.trim() !== '' && !/^\s*at /.test(line) ? 18 : 0
    if (HEADING.test(line)) heading = at
    else if (under > 0 && own > 0) heading = -10
    const score = own + (own > 0 ? under : under / 2)
    const key = line.trim()
    if (score <= 0 || (ended === 'build' && seen.has(key))) continue
    seen.delete(key)
    seen.set(key, { at, score })
    if (seen.size > 2 * MOST) prune(seen)
  }
  const late = ended === 'run' ? 12 / Math.max(1, lines.length) : 0
  const ranked = [...seen.values()]
    .map(({ at, score }) => ({ at, score: score + late * at }))
    .toSorted((a, b) => b.score - a.score || (ended === 'run' ? b.at - a.at : a.at - b.at))
    .slice(0, MOST)
  return ended === 'build' ? firstOfItsKind(lines, ranked) : ranked
}

/** How much less may speak for the first error that a compiler lists than for the best one. */
const FIRST = 36

/** The errors that a compiler lists look alike; the first of them is what the others follow from. */
function firstOfItsKind(lines: readonly string[], ranked: readonly Ranked[]): readonly Ranked[] {
  const [best] = ranked
  const kind = best && LISTED.findIndex((pattern) => pattern.test(lines[best.at] ?? ''))
  if (best === undefined || kind === undefined || kind < 0) return ranked
  const alike = ranked.filter(
    ({ at, score }) =>
      at < best.at && score >= Math.max(TELLING, best.score - FIRST) && LISTED[kind]?.test(lines[at] ?? ''),
  )
  const first = alike.toSorted((a, b) => a.at - b.at)[0]
  return first === undefined
    ? ranked
    : [{ at: first.at, score: best.score }, ...ranked.filter((each) => each.at !== first.at)]
}

/** Keeps the best; of equals those that come first in the order of the map. */
function prune(seen: Map<string, Ranked>): void {
  const scores = [...seen.values()].map(({ score }) => score).toSorted((a, b) => b - a)
  const least = scores[MOST] ?? 0
  let equals = MOST - scores.filter((score) => score > least).length
  for (const [key, { score }] of seen) {
    if (score > least || (score === least && equals-- > 0)) continue
    seen.delete(key)
  }
}
