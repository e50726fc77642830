import picomatch from 'picomatch'
import type { Parsed } from './values.ts'

/** Globs, one a line; `!` takes back what an earlier line matched, as in a workflow's own `paths`. */
export function parseGlobs(text: string): Parsed<readonly string[]> {
  const allowed = 'globs relative to the root, one a line, such as src/** or !**/*.md, at least one of them without !'
  const globs = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const good = globs.every(isGlob) && globs.some((glob) => !glob.startsWith('!'))
  return good ? { value: globs } : { allowed }
}

function isGlob(glob: string): boolean {
  const pattern = glob.replace(/^!/, '')
  if (pattern === '' || /^[/!]|^\.\.?\/|(^|\/)\.\.(\/|$)|\\$/.test(pattern)) return false
  try {
    // Without this option an unclosed bracket would silently match nothing.
    picomatch.makeRe(pattern, { strictBrackets: true })
    return true
  } catch {
    return false
  }
}

/** Whether a change to any of the files counts, by globs of which the last that matches a file decides. */
export function matchesPaths(globs: readonly string[], files: readonly string[]): boolean {
  const rules = globs.map((glob) => ({
    counts: !glob.startsWith('!'),
    // Files with a dot in front are files like any other to whoever writes src/**.
    matches: picomatch(glob.replace(/^!/, ''), { dot: true }),
  }))
  return files.some((file) => rules.findLast((rule) => rule.matches(file))?.counts ?? false)
}
