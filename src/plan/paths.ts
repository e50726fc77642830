import { anyText, type Given, type Parsed } from './values.ts'

/*
 * Globs as a workflow's own `paths` has them. Matched by hand, because file names are written by strangers and regular
 * expressions made of globs can take for ever: here the time grows with the length of the glob times that of the path.
 */

/** Globs, one a line; `!` takes back what an earlier line matched. */
export function parseGlobs(text: string): Parsed<readonly string[]> {
  const globs = text.split('\n').flatMap((line) => line.trim() || [])
  const hint = globs.map(betterForm).find((form) => form !== undefined)
  if (hint !== undefined) return { allowed: `globs of files, one a line, such as ${hint}` }
  const good = globs.every((glob) => compile(patternOf(glob))) && globs.some((glob) => glob[0] !== '!')
  return good
    ? { value: globs }
    : { allowed: 'globs relative to the root, one a line, such as src/** or !**/*.md, at least one of them without !' }
}

export const globs = { parse: parseGlobs, schema: { type: 'array', items: anyText } }

/** What was probably meant by a glob that can never match a file. */
function betterForm(glob: string): string | undefined {
  const not = glob.startsWith('!') ? '!' : ''
  const pattern = patternOf(glob)
  if (/^[^{}]*,\s/.test(pattern)) return pattern.split(/,\s*/).map(quoted).join(' and ')
  if (pattern.length > 1 && pattern.endsWith('/')) return quoted(`${not}${pattern}**`)
  return undefined
}

const quoted = (glob: string) => `“${glob}”`

/** The globs that name a directory and so match no file in it, by what lies in the workspace, or else by the name. */
export function folderGlobs(globs: readonly string[], kindOf: (path: string) => 'file' | 'folder' | undefined) {
  return globs.filter((glob) => {
    const pattern = patternOf(glob)
    const kind = kindOf(pattern)
    return kind === 'folder' || (kind === undefined && /^[a-z][a-z0-9_-]*$/.test(pattern))
  })
}

/** Whether a change to any of the files counts, by globs of which the last that matches a file decides. */
export function matchesPaths(globs: readonly string[], files: readonly string[]): boolean {
  const rules = globs.map((glob) => ({ counts: !glob.startsWith('!'), matches: matcherOf(patternOf(glob)) }))
  return files.some((file) => {
    const parts = file.split('/')
    return rules.findLast((rule) => rule.matches(parts))?.counts ?? false
  })
}

/** What counts as a change to a service: what `watch` names, and beside it the file itself and the service's own directory. */
export function watchedPaths(file: string, directory: Given | undefined, watch: Given | undefined, several: boolean) {
  const root = directory?.text.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
  const own = root === undefined || root === '.' ? [] : [`${root}/**`]
  // Of several services each has its own directory; of a single one all else may matter as well.
  if (watch === undefined && (own.length === 0 || !several)) return undefined
  const globs = [file, ...own].map((path) => path.replaceAll(/[?[\]{}!\\]/g, '\\$&'))
  return { text: [...globs, ...(watch ? [watch.text] : [])].join('\n'), label: (watch ?? directory)?.label ?? file }
}

/** The warning about globs that match none of the files: they let every commit be skipped that they were written for. */
export function describeIdleGlobs(globs: readonly string[], files: Iterable<string>): string | undefined {
  const paths = Array.from(files, (file) => file.split('/'))
  const idle = globs.filter((glob) => !paths.some(matcherOf(patternOf(glob))))
  if (idle.length === 0) return undefined
  return `\`watch\` has what matches no file of this commit: ${idle.join(', ')}. Check how it is written; a change to what it is meant for is skipped.`
}

function patternOf(glob: string): string {
  return glob.replace(/^!/, '')
}

/** What one part of a path, or one character of it, has to be; or any number of them. */
type Step<Item> = ((item: Item) => boolean) | 'any'

function matcherOf(pattern: string): (path: readonly string[]) => boolean {
  const alternatives = compile(pattern) ?? []
  return (path) => alternatives.some((parts) => matches(parts, path))
}

/** Keeps the set of places in the pattern that what was read so far may have led to. */
function matches<Item>(pattern: readonly Step<Item>[], input: readonly Item[]): boolean {
  /** Any number may be none. */
  const skipping = (places: Iterable<number>) => {
    const all = new Set<number>()
    for (let place of places) for (all.add(place); pattern[place] === 'any'; place++) all.add(place + 1)
    return all
  }
  let places = skipping([0])
  for (const item of input) {
    const next: number[] = []
    for (const place of places) {
      const step = pattern[place]
      if (step === 'any') next.push(place)
      else if (step?.(item)) next.push(place + 1)
    }
    places = skipping(next)
    if (places.size === 0) return false
  }
  return places.has(pattern.length)
}

const mostAlternatives = 64
const longest = 1000

/** The parts of each alternative that a glob stands for; undefined when it is not a valid glob, or matches outside of the root. */
function compile(pattern: string): Step<string>[][] | undefined {
  const isForeign = /^[/!]|^\.\.?\/|(^|\/)\.\.(\/|$)|[@!+*?]\(/.test(pattern)
  if (pattern === '' || pattern.length > longest || isForeign || !isBalanced(pattern)) return undefined
  const compiled = expandBraces(pattern)?.map((one) =>
    one
      .split('/')
      // `**` twice in a row says what once does, and costs more.
      .filter((part, index, all) => part !== '**' || all[index - 1] !== '**')
      .map((part) => (part === '**' ? 'any' : partOf(part))),
  )
  return compiled?.every((parts) => parts.every((part) => part !== undefined))
    ? (compiled as Step<string>[][])
    : undefined
}

/** What one part of a path has to be; undefined when a bracket is not closed. */
function partOf(part: string): Step<string> | undefined {
  const steps = stepsOf(part)
  return steps && ((name) => matches(steps, [...name]))
}

function isBalanced(pattern: string): boolean {
  let depth = 0
  for (const character of pattern) {
    if (character === '(') depth++
    if (character === ')' && --depth < 0) return false
  }
  return depth === 0
}

/** `a{b,c}` as `ab` and `ac`, however deep; undefined when a brace is not closed, or there are too many. */
function expandBraces(pattern: string): string[] | undefined {
  const [head = ''] = /^(?:\\[\s\S]|[^\\{])*/.exec(pattern) ?? []
  if (pattern[head.length] !== '{') return [pattern]
  const inner = bracedParts(pattern, head.length)
  const options = inner?.parts.map(expandBraces)
  const tails = inner && expandBraces(pattern.slice(inner.end + 1))
  if (!tails || !options?.every((one) => one !== undefined)) return undefined
  const middles = options.flat()
  if (middles.length * tails.length > mostAlternatives) return undefined
  return middles.flatMap((middle) => tails.map((tail) => head + middle + tail))
}

function bracedParts(pattern: string, open: number): { parts: string[]; end: number } | undefined {
  const parts: string[] = []
  let depth = 0
  let from = open + 1
  for (let at = open; at < pattern.length; at++) {
    const character = pattern[at]
    if (character === '\\') at++
    else if (character === '{') depth++
    else if (character === '}') depth--
    if ((character === ',' && depth === 1) || (character === '}' && depth === 0)) {
      parts.push(pattern.slice(from, at))
      from = at + 1
    }
    if (depth === 0) return { parts, end: at }
  }
  return undefined
}

function stepsOf(part: string): Step<string>[] | undefined {
  const steps: Step<string>[] = []
  const characters = [...part]
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at] ?? ''
    if (character === '*') {
      if (steps.at(-1) !== 'any') steps.push('any')
    } else if (character === '?') steps.push(() => true)
    else if (character === '[') {
      const close = characters.indexOf(']', at + 2)
      if (close === -1) return undefined
      steps.push(setOf(characters.slice(at + 1, close)))
      at = close
    } else {
      const literal = character === '\\' ? characters[++at] : character
      if (literal === undefined) return undefined
      steps.push((other) => other === literal)
    }
  }
  return steps
}

/** `[abc]`, `[a-z]`, and with `!` or `^` in front all others. */
function setOf(content: readonly string[]): (character: string) => boolean {
  const negated = content[0] === '!' || content[0] === '^'
  const members = negated ? content.slice(1) : content
  const ranges: [string, string][] = []
  for (let at = 0; at < members.length; at++) {
    const from = members[at] ?? ''
    const to = members[at + 1] === '-' ? members[at + 2] : undefined
    ranges.push([from, to ?? from])
    if (to !== undefined) at += 2
  }
  return (character) => ranges.some(([from, to]) => from <= character && character <= to) !== negated
}
