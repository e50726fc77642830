import { tame } from '../watch/tame.ts'

const longest = 300

/** Words of a stranger on one line, not too many, and harmless to a terminal. */
export function foreignWords(text: string): string {
  // White space first: what comes before a carriage return counts as overwritten otherwise.
  return tame(
    text
      .slice(0, longest * 4)
      .replace(/\s+/g, ' ')
      .trim()
      .slice(0, longest),
  )
}
