import fc from 'fast-check'
import { anyCharacter } from './any-character.ts'

const host = fc.oneof(
  fc.stringMatching(/^[a-z\d]([a-z\d-]{0,8}[a-z\d])?(\.[a-z\d]{1,6}){0,2}\.[a-z]{2,6}$/),
  fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'xn--bcher-kva.example'),
)
const written = fc.oneof(
  fc.constantFrom(..."-._~!$&'()*+,;=:@/?#"),
  fc.stringMatching(/^[a-zA-Z\d]{1,4}$/),
  anyCharacter.map((character) => encodeURIComponent(character)),
)

/**
 * An address of the web with whatever may stand behind a host. That of fast-check lists all of Unicode first, which takes
 * longer than most tests.
 */
export const anyAddress: fc.Arbitrary<string> = fc
  .tuple(
    fc.constantFrom('http', 'https'),
    host,
    fc.constantFrom('', '', ':8080'),
    fc.constantFrom('/', '?', '#'),
    fc.array(written, { maxLength: 12 }),
  )
  .map(([scheme, name, port, first, rest]) => `${scheme}://${name}${port}${first}${rest.join('')}`)
