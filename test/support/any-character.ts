import fc from 'fast-check'

const [SURROGATES, PAST_THEM] = [0xd800, 0xe000] as const
const ALL = 0x11_0000 - (PAST_THEM - SURROGATES)

/**
 * Any character of Unicode: the unit of texts in which anything may stand. The one that fast-check calls `binary` is the
 * same, and lists all of them first, which takes longer than most tests.
 */
export const anyCharacter: fc.Arbitrary<string> = fc.nat(ALL - 1).map(
  (at) => String.fromCodePoint(at < SURROGATES ? at : at + PAST_THEM - SURROGATES),
  (text) => {
    const point = typeof text === 'string' && [...text].length === 1 ? (text.codePointAt(0) ?? -1) : -1
    return point < SURROGATES ? point : point - (PAST_THEM - SURROGATES)
  },
)
