/**
 * Replaces secrets by `***` wherever they stand, as the runner does: the value itself, each of its lines, and what
 * common encoders make of it (base64 at all three alignments, JSON, URI, XML, expression and shell escapes).
 * Source: actions/runner, `ValueEncoders` and `SecretMasker`.
 */
export class Masker {
  readonly #given: string[] = []
  readonly #needles = new Set<string>()

  /** The values as they were registered, in order. */
  get values(): readonly string[] {
    return this.#given
  }

  /** Registers a value. An empty one is ignored; several lines are registered one by one as well. */
  add(value: string): void {
    if (value === '') return
    this.#given.push(value)
    this.#addEncodings(value)
    const lines = value.split(/[\r\n]+/).filter((line) => line !== '')
    if (lines.length > 1 || lines[0] !== value) for (const line of lines) this.#addEncodings(line)
  }

  mask(text: string): string {
    const found: { start: number; end: number }[] = []
    for (const needle of this.#needles) {
      for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) {
        found.push({ start: at, end: at + needle.length })
      }
    }
    if (found.length === 0) return text
    found.sort((a, b) => a.start - b.start)
    let result = ''
    let end = -1
    for (const range of found) {
      // Ranges that touch or overlap become one `***`.
      if (range.start > end) result += `${text.slice(Math.max(end, 0), range.start)}***`
      end = Math.max(end, range.end)
    }
    return result + text.slice(end)
  }

  #addEncodings(value: string): void {
    for (const encode of ENCODERS) {
      const encoded = encode(value)
      if (encoded !== '') this.#needles.add(encoded)
    }
  }
}

const ENCODERS: readonly ((value: string) => string)[] = [
  (value) => value,
  (value) => base64From(value, 0),
  (value) => base64From(value, 1),
  (value) => base64From(value, 2),
  (value) => value.replaceAll('"', '\\"'),
  (value) => value.replaceAll("'", "''"),
  (value) => JSON.stringify(value).slice(1, -1),
  (value) => encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\uFFFD')),
  (value) =>
    value
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      .replaceAll("'", '&apos;'),
  (value) => (value.length > 8 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : ''),
]

/** Base64 of a value that begins in the middle of a group of three bytes. */
function base64From(value: string, skip: number): string {
  const bytes = Buffer.from(value, 'utf8')
  return (bytes.length > skip ? bytes.subarray(skip) : bytes).toString('base64')
}
