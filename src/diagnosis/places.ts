import { posix } from 'node:path'
import type { Annotation } from '../core/errors.ts'

/** A place in a file of the repository that a log names. The message is what the tool says of it. */
export interface SourcePlace extends Omit<Annotation, 'title'> {
  readonly file: string
  /** Index of the line in the section. */
  readonly at: number
}

/** Ends of paths: an extension, or a file that has none. */
const END = String.raw`(?:\.[A-Za-z][A-Za-z0-9]{0,9}|\b(?:Dockerfile|Makefile|Gemfile|Rakefile|Procfile|Caddyfile|Justfile))`
/** How tools write the position behind a path: `:1:2`, `:[1,2]`, `(1,2)`, ` (1:2)`, `, line 1`, `' line: 1`, ` 1:2`. */
const POSITION = String.raw`["'\x60]?(?::(\d{1,6})(?:[:.](\d{1,5}))?(?![\w.])|:\[(\d{1,6}),(\d{1,5})\]| ?\((\d{1,6})(?:[,:] ?(\d{1,5}))?\)|,? (?:on |at |in )?line:? (\d{1,6})(?:,? col(?:umn)?:? (\d{1,5}))?| (\d{1,6}):(\d{1,5})(?:-\d+)?(?=$|[\s)]))`
const PLACED = new RegExp(`${END}(?=${POSITION})`, 'g')
const BARE = new RegExp(`${END}(?![\\w.])`, 'g')
const POSITION_HERE = new RegExp(POSITION, 'y')

/** A file alone on its line; its findings follow, each with its position only (ESLint, next lint). */
const HEADER =
  /^\s{0,4}(?:[-✖×]\s)?(?:Error: |ERROR in )?(?<path>\S(?:.{0,198}\S)?\.[A-Za-z][A-Za-z0-9]{0,9})(?: \(\d{1,3} \w{1,12}\))?:?$/
const FINDING = /^\s{0,8}(?<line>\d{1,6}):(?<column>\d{1,5})(?:$|[\s:])(?<message>.*)$/
/** A JVM frame names the class and the file, not the folder: `at com.acme.App.main(App.java:4)`. */
const JVM_FRAME =
  /^\s*at (?:app\/\/)?(?<class>[\w.$]{1,200})\.[\w$<>]{1,100}\((?<file>\w{1,100}\.(?:java|kt|scala|groovy)):(?<line>\d{1,6})\)/
const WARNING = /\bwarn(?:ing)?\b|⚠/i
/** Looked at before anything else, as it costs little. */
const MAY_NAME_ONE = /\.[A-Za-z]\w{0,9}|file\b/
/** Where a path may begin: after these, or at the start of the line. */
const BOUNDARY = /[\s"'`([{<=,;:|]/
const LONGEST_PATH = 200
const MOST_STARTS = 12

/**
 * All places of a stretch of lines, in their order.
 * @param from index of the first line
 */
export function placesIn(
  lines: readonly string[],
  from: number,
  to: number,
  paths: RepositoryPaths,
): readonly SourcePlace[] {
  const found: SourcePlace[] = []
  let header: string | undefined
  for (let at = Math.max(0, from); at < Math.min(to, lines.length); at += 1) {
    const line = lines[at] ?? ''
    const finding = header === undefined ? undefined : FINDING.exec(line)?.groups
    if (header !== undefined && finding !== undefined) {
      const message = finding.message?.trim() || lines[at + 1]?.trim() || ''
      found.push(
        place(header, [finding.line, finding.column], { message, at, warning: WARNING.test(line.slice(0, 60)) }),
      )
      continue
    }
    if (line.trim() === '') header = undefined
    // Composer and other consoles name the file of their own that threw.
    if (!MAY_NAME_ONE.test(line) || /^In \S+ line \d+:$/.test(line)) continue
    header = fileAlone(line, paths) ?? (line.startsWith(' ') ? header : undefined)
    found.push(...placesOnLine(lines, at, paths))
  }
  return found
}

function fileAlone(line: string, paths: RepositoryPaths): string | undefined {
  const path = HEADER.exec(line)?.groups?.path
  return path === undefined || (!paths.known && /\s/.test(path)) ? undefined : paths.resolve(path)
}

function placesOnLine(lines: readonly string[], at: number, paths: RepositoryPaths): SourcePlace[] {
  const line = lines[at] ?? ''
  const jvm = JVM_FRAME.exec(line)?.groups
  if (jvm !== undefined) {
    const file = jvmFile(jvm.class ?? '', jvm.file ?? '', paths)
    return file === undefined ? [] : [place(file, [jvm.line], { message: '', at, warning: false })]
  }
  const found: SourcePlace[] = []
  for (const match of line.matchAll(PLACED)) {
    const end = match.index + match[0].length
    const file = fileEndingAt(line, end, paths)
    if (file === undefined || (!paths.known && !SOURCE.test(file) && /\.(?!json|mod|sum|work|xml)/.test(file))) continue
    POSITION_HERE.lastIndex = end
    const [all = '', ...numbers] = POSITION_HERE.exec(line) ?? []
    const position = numbers.filter((number) => number !== undefined)
    const about = messageOf(lines, at, end + all.length)
    found.push(place(file, position, { message: about, at, warning: WARNING.test(line.slice(0, end + 40)) }))
  }
  return found
}

/** What else a line tells, or the line beside it where the place stands alone. */
function messageOf(lines: readonly string[], at: number, end: number): string {
  const line = lines[at] ?? ''
  const behind = line
    .slice(end)
    .replace(/^[\s:)\]'"`,-]+/, '')
    .trim()
  if (/^\s*(?:-->|[╭┌,]-?─*\[?)/.test(line)) return lines[at - 1]?.trim() ?? ''
  if (/[a-z]{3}/i.test(behind)) return behind
  const before = line.slice(0, end).match(/^(.{8,}?)(?: in| at| from)? \S+$/)?.[1]
  if (before !== undefined) return before.trim()
  // A line of the source, with a mark below it, says nothing about what is wrong with it.
  return /^\s*[~^]+\s*$/.test(lines[at + 2] ?? '') ? '' : (lines[at + 1]?.trim() ?? '')
}

function place(
  file: string,
  [line, column]: readonly (string | undefined)[],
  { message, at, warning }: { readonly message: string; readonly at: number; readonly warning: boolean },
): SourcePlace {
  const fromOne = (number: string | undefined) => (number === undefined ? undefined : Math.max(1, Number(number)))
  return { file, line: fromOne(line), column: fromOne(column), message, level: warning ? 'warning' : 'error', at }
}

/** The file whose path ends here: of all places where it could begin, the first that gives a deployed file. */
function fileEndingAt(line: string, end: number, paths: RepositoryPaths): string | undefined {
  const starts: number[] = []
  const furthest = Math.max(0, end - LONGEST_PATH)
  for (let start = end - 1; start >= furthest && starts.length < MOST_STARTS; start -= 1) {
    if (start === 0 || BOUNDARY.test(line[start - 1] ?? '')) starts.push(start)
  }
  if (/(?:ext|node|https?|deno):\/{0,2}[\w./@-]{0,200}$/.test(line.slice(furthest, end))) return undefined
  if (paths.known) {
    for (const start of starts.toReversed()) {
      const file = paths.resolve(line.slice(start, end))
      if (file !== undefined) return file
    }
    return undefined
  }
  // Nothing tells which beginning is right: the nearest one that leaves no bracket open.
  const start = starts.find((each) => isWhole(line.slice(each, end)) && !/[([\w]/.test(line[each - 1] ?? ' '))
  const nearest = start ?? starts.find((each) => isWhole(line.slice(each, end)))
  return nearest === undefined ? undefined : paths.resolve(line.slice(nearest, end))
}

/** Whether a text can be a path: brackets closed, and no word of a sentence. */
function isWhole(text: string): boolean {
  const open = (text.match(/[([]/g) ?? []).length
  return open === (text.match(/[)\]]/g) ?? []).length && /^[\w./@~<\\[(-]/.test(text) && !/\s/.test(text)
}

function jvmFile(className: string, file: string, paths: RepositoryPaths): string | undefined {
  const folder = className.split('.').slice(0, -1).join('/')
  const inside = folder === '' ? file : `${folder}/${file}`
  return paths.resolve(paths.known ? inside : `src/main/java/${inside}`)
}

/** The file that stands alone above a line: bundlers name it so, with the message below. */
export function fileAbove(lines: readonly string[], at: number, paths: RepositoryPaths): readonly SourcePlace[] {
  for (let above = at - 1; above >= Math.max(0, at - 2); above -= 1) {
    const file = fileAlone(lines[above] ?? '', paths)
    if (file !== undefined && SOURCE.test(file)) {
      return [place(file, [], { message: lines[at]?.trim() ?? '', at: above, warning: false })]
    }
  }
  return []
}

/** Files that a cause may be in; a lock file or a manifest is named beside many causes. */
const SOURCE =
  /\.(?:[cm]?[jt]sx?|vue|svelte|astro|mdx?|py|rb|go|rs|java|kt|scala|cs|fs|php|exs?|erl|c|cc|cpp|h|hpp|css|s[ac]ss|less|html?|ya?ml|toml|gradle|kts|prisma|graphql|proto|sql|sh|conf|ini|ejs|hbs|blade\.php)$/
const LOCK = /(?:^|\/)(?:[\w-]+-lock\.\w+|[\w-]+\.lock|pnpm-workspace\.yaml|pyproject\.toml|Cargo\.toml)$/

/** The files that a line names without a position, for causes that have none. */
export function filesNamedOn(line: string, at: number, paths: RepositoryPaths): readonly SourcePlace[] {
  const found: SourcePlace[] = []
  for (const match of line.matchAll(BARE)) {
    const end = match.index + match[0].length
    const start = fileEndingAt(line, end, paths)
    if (start === undefined || !SOURCE.test(start) || LOCK.test(start)) continue
    // Without the list of files only what is said to be in or imported by a file is one.
    if (
      !paths.known &&
      !/(?:imported (?:from|by)|\bfrom|\bin(?: file)?|ERROR in) ["'`]?\S{0,200}$/i.test(line.slice(0, end))
    )
      continue
    found.push(place(start, [], { message: line.trim(), at, warning: false }))
  }
  return found
}

/** Turns a path from a log into one of the repository. */
export interface RepositoryPaths {
  /** Whether the deployed files are known; otherwise plausible paths are believed. */
  readonly known: boolean
  /** @returns a relative path with forward slashes inside the repository; `undefined` when it lies elsewhere */
  resolve(path: string): string | undefined
}

// Where images keep the application: railpack and most Dockerfiles use /app.
const CONTAINER_ROOTS =
  /^\/(?:app|usr\/src\/app|usr\/app|src\/app|workspaces?|workdir|code|srv\/app|opt\/app|home\/(?:app|node)(?:\/app)?|var\/www\/html|build|src|repo|tmp\/build\/src|vercel\/path0|opt\/build\/repo)\//
const OUTSIDE_REPOSITORY =
  /(?:^|\/)(?:node_modules|site-packages|dist-packages|\.venv|venv|\.cargo|\.rustup|\.npm|\.pnpm|\.yarn|\.next|\.git|vendor\/bundle|deps|__pycache__)\/|^\/(?:usr\/(?:lib|local|share|include)|root|opt\/hostedtoolcache|proc|etc|lib|rustc|go\/pkg|nix)\/|^(?:node|internal|webpack-internal|https?|ext|deno):/
const DECORATION =
  /^(?:file:\/\/|webpack:\/\/(?:\/|[\w.@-]{0,60}\/)?|rsc:\/\/React\/Server\/|\[project\]\/|<ROOT>\/|~\/|\.\/)+/

/** No path of a container hides more folders in front of the repository's own. */
const DEEPEST_ROOT = 6

/**
 * @param rootDirectory the folder of the repository that was built, relative; empty for the whole repository
 * @param files those that were deployed; without them, plausible paths are believed
 */
export function repositoryPaths(rootDirectory: string, files?: ReadonlySet<string>): RepositoryPaths {
  const root = normalised(rootDirectory) ?? ''
  const byName = files === undefined ? undefined : namesOf(files)
  return {
    known: files !== undefined,
    resolve(path) {
      const raw = path
        .replaceAll('\\', '/')
        .replace(DECORATION, '')
        .replace(/^\/{2,}/, '/')
        .replace(/[?#].*$/, '')
      if (raw === '' || OUTSIDE_REPOSITORY.test(raw)) return undefined
      if (files === undefined || byName === undefined) return plausible(raw, root)
      return deployed(raw, root, files) ?? onlyOneEndingWith(raw, byName)
    },
  }
}

function plausible(path: string, root: string): string | undefined {
  const inside = CONTAINER_ROOTS.test(path) ? path.replace(CONTAINER_ROOTS, '') : path
  return inside.startsWith('/') ? undefined : normalised(posix.join(root, inside))
}

/** The file of the repository when folders of the container are taken off, one after another. */
function deployed(path: string, root: string, files: ReadonlySet<string>): string | undefined {
  let rest = posix.normalize(path).replace(/^(?:\.\.\/)+/, '')
  for (let taken = 0; taken <= DEEPEST_ROOT; taken += 1) {
    const found = [posix.join(root, rest), rest]
      .flatMap((each) => normalised(each) ?? [])
      .find((each) => files.has(each))
    if (found !== undefined) return found
    const next = rest.replace(/^\/?[^/]+\//, '')
    if (next === rest) return undefined
    // A relative path is one already; only the folder that the tool names it from may be too many.
    if (!path.startsWith('/') && (taken >= 1 || !next.includes('/'))) return undefined
    rest = next
  }
  return undefined
}

/** Tools that run in a package of a monorepo name its files without its folder. */
function onlyOneEndingWith(path: string, byName: ReadonlyMap<string, readonly string[]>): string | undefined {
  const wanted = normalised(path)
  if (wanted === undefined || path.startsWith('/')) return undefined
  const ending = byName.get(posix.basename(wanted))?.filter((file) => file.endsWith(`/${wanted}`)) ?? []
  return ending.length === 1 ? ending[0] : undefined
}

function namesOf(files: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>()
  for (const file of files) {
    const name = posix.basename(file)
    const same = names.get(name)
    if (same === undefined) names.set(name, [file])
    else same.push(file)
  }
  return names
}

/** A relative path without detours; `undefined` when it leaves the repository. */
function normalised(path: string): string | undefined {
  const plain = posix.normalize(path.replace(/^\.?\/+/, '')).replace(/\/$/, '')
  if (plain === '..' || plain.startsWith('../') || plain.startsWith('/')) return undefined
  return plain === '.' ? '' : plain
}
