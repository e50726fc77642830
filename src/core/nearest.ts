import damerauLevenshtein from 'damerau-levenshtein'

// No name of ours is longer, and the time grows with the product of both lengths.
const longest = 60

/**
 * The word among `known` that somebody who wrote `word` most likely meant; undefined when none is near. Case, hyphens,
 * underscores and dots are not counted.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const plain = (text: string) =>
    text
      .slice(0, longest)
      .toLowerCase()
      .replaceAll(/[-_. ]/g, '')
  const mostSteps = word.length < 4 ? 1 : word.length < 8 ? 2 : 3
  const near = known
    .map((other) => ({ other, steps: damerauLevenshtein(plain(word), plain(other)).steps }))
    .filter(({ steps }) => steps <= mostSteps && steps < word.length)
  return near.sort((a, b) => a.steps - b.steps)[0]?.other
}
