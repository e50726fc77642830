/** Shorter pieces of a secret would mask half of a text; a secret that short is left to whoever chose it. */
const shortestPiece = 4
/** From here on a secret is looked for in its encodings too; those of a shorter one turn up in texts by chance. */
const shortestEncoded = 6
const mask = '***'

/**
 * Every form in which a secret may stand in a text as it is: the secret and trimmed, each of its lines, the password of a
 * URL, and all of it in base64, hexadecimal, URL encoding and JSON. For whoever compares texts and no more, as the runner
 * does; {@link createRedactor} also reads what is escaped in other ways. The longest come first, so that a secret which
 * contains another is never left half readable.
 */
export function secretForms(secrets: Iterable<string>): readonly string[] {
  const forms = new Set<string>()
  for (const secret of secrets) {
    for (const form of plainForms(secret)) forms.add(form)
    for (const form of encodedForms(secret)) forms.add(form)
    if (secret.length < shortestEncoded) continue
    // Lone surrogates, which cannot be encoded, become the replacement character, as they do in every UTF-8 output.
    forms.add(encodeURIComponent(Buffer.from(secret).toString()))
    forms.add(JSON.stringify(secret).slice(1, -1))
  }
  return [...forms].filter((form) => form.trim().length >= shortestPiece).sort((a, b) => b.length - a.length)
}

function plainForms(secret: string): readonly string[] {
  const lines = secret.split(/[\r\n]+/).map((line) => line.trim())
  // A form in a URL has a plus for each blank.
  return [secret, secret.trim(), secret.trim().replaceAll(' ', '+'), ...lines, ...passwordsIn(secret)]
}

function encodedForms(secret: string): readonly string[] {
  const texts = new Set([secret, secret.trim(), ...passwordsIn(secret)])
  return [...texts].flatMap((text) => {
    const bytes = Buffer.from(text)
    if (bytes.length < shortestEncoded) return []
    const base64 = [bytes.toString('base64'), ...[0, 1, 2].map((before) => base64Core(bytes, before))]
    const forms = base64.flatMap((form) => [form, ...wrapped(form)])
    const hex = bytes.toString('hex')
    return [...forms, ...forms.map(urlAlphabet), hex, hex.toUpperCase()]
  })
}

/** What the base64 of a text says wherever these bytes stand in it after so many others (modulo three), whatever is around. */
function base64Core(bytes: Buffer, before: number): string {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  // A character holds six bits: those at both ends have some of a neighbour's.
  return encoded.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6))
}

const urlAlphabet = (base64: string) => base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')

/** The lines that `base64` and PEM make of it. */
function wrapped(base64: string): readonly string[] {
  const piece = (width: number) => base64.match(new RegExp(`.{${4 * shortestPiece},${width}}`, 'g')) ?? []
  return base64.length > 64 ? [...piece(64), ...piece(76)] : []
}

/**
 * Returns what masks every form of these secrets in a text, also with invisible characters inside, and escaped for URLs,
 * JSON, HTML and Markdown, or for one within another. Takes time that grows with the text's length, not with the number
 * of secrets.
 */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const forms = new Map<string, string[]>()
  for (const secret of secrets) {
    for (const raw of [...plainForms(secret), ...encodedForms(secret)]) {
      const form = raw.replace(INVISIBLE, '')
      if (form.trim().length < shortestPiece) continue
      const sameStart = forms.get(form.slice(0, shortestPiece)) ?? []
      if (!sameStart.includes(form)) forms.set(form.slice(0, shortestPiece), [...sameStart, form])
    }
  }
  for (const sameStart of forms.values()) sameStart.sort((a, b) => b.length - a.length)
  if (forms.size === 0) return (text) => text
  const begins = new Uint8Array(1 << 16)
  for (const start of forms.keys()) begins[pairAt(start, 0)] = 1
  const wanted = { forms, begins }
  return (text) => {
    // Hardly any text has something to hide, and where what lies in it would be need not be known then.
    const plain = PLAIN.test(text) ? text : text.replace(INVISIBLE, '')
    if (!ESCAPED.test(plain) && nextIn(plain, wanted, 0) === undefined) return text
    const hidden: Range[] = []
    let reading = visible({ text })
    for (let depth = 0; depth <= deepestEscape; depth++) {
      find(reading, wanted, hidden)
      const next = unescaped(reading)
      if (next === undefined) break
      reading = next
    }
    return masked(text, hidden)
  }
}

/** One way to read a text: its characters, and where in the text each begins and ends; undefined where each is its own. */
interface Reading {
  readonly text: string
  readonly starts?: readonly number[] | undefined
  readonly ends?: readonly number[] | undefined
}

type Range = readonly [start: number, end: number]

/** JSON in a URL in JSON; nobody escapes more often by accident. */
const deepestEscape = 3

const INVISIBLE = /[\x00-\x08\x0e-\x1f\x7f-\x9f]|[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu
const ESCAPED = /[%\\&]/
const ESCAPE =
  /(?:%[89a-f][\da-f])+|%[0-7][\da-f]|\\u[\da-f]{4}|\\x[\da-f]{2}|\\[^\da-z\s]|\\[bfnrt]|&(?:amp|lt|gt|quot|apos);|&#\d{1,6};|&#x[\da-f]{1,5};/gi
const letters: Readonly<Record<string, string>> = {
  '\\b': '\b',
  '\\f': '\f',
  '\\n': '\n',
  '\\r': '\r',
  '\\t': '\t',
  '&amp;': '&',
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
}

/** Nothing invisible is in a text of these alone, as nearly all are; to look for each kind costs many times as much. */
const PLAIN = /^[\t-\r -~]*$/

function visible(reading: Reading): Reading {
  if (PLAIN.test(reading.text)) return reading
  return replaced(reading, INVISIBLE, () => '') ?? reading
}

function unescaped(reading: Reading): Reading | undefined {
  const plain = ESCAPED.test(reading.text) ? replaced(reading, ESCAPE, meaningOf) : undefined
  return plain && visible(plain)
}

function meaningOf(piece: string): string {
  const letter = letters[piece.toLowerCase()]
  if (letter !== undefined) return letter
  if (piece.startsWith('%')) return decoded(piece)
  if (piece.startsWith('&#x')) return String.fromCodePoint(Number.parseInt(piece.slice(3, -1), 16))
  if (piece.startsWith('&#')) return String.fromCodePoint(Number(piece.slice(2, -1)))
  return /^\\[ux]/i.test(piece) ? String.fromCharCode(Number.parseInt(piece.slice(2), 16)) : piece.slice(1)
}

/** A reading in which some pieces stand for others; undefined where there is none of them. */
function replaced(reading: Reading, pieces: RegExp, meaning: (piece: string) => string): Reading | undefined {
  const starts: number[] = []
  const ends: number[] = []
  const parts: string[] = []
  let end = 0
  const keep = (until: number) => {
    parts.push(reading.text.slice(end, until))
    for (let at = end; at < until; at++) {
      starts.push(reading.starts?.[at] ?? at)
      ends.push(reading.ends?.[at] ?? at + 1)
    }
  }
  for (const match of reading.text.matchAll(pieces)) {
    keep(match.index)
    end = match.index + match[0].length
    const meant = meaning(match[0])
    parts.push(meant)
    for (let count = 0; count < meant.length; count++) {
      starts.push(reading.starts?.[match.index] ?? match.index)
      ends.push(reading.ends?.[end - 1] ?? end)
    }
  }
  if (end === 0) return undefined
  keep(reading.text.length)
  return { text: parts.join(''), starts, ends }
}

/** What is looked for. */
interface Wanted {
  /** By its first {@link shortestPiece} characters. */
  readonly forms: ReadonlyMap<string, readonly string[]>
  /** Whether one may begin with the two characters of a hash: a cheap look before the map is asked. */
  readonly begins: Uint8Array
}

function pairAt(text: string, at: number): number {
  return ((text.charCodeAt(at) << 8) ^ text.charCodeAt(at + 1)) & 0xffff
}

/** The first form that begins at this place or after it. */
function nextIn(text: string, { forms, begins }: Wanted, from: number): Range | undefined {
  for (let at = from; at <= text.length - shortestPiece; at++) {
    if (begins[pairAt(text, at)] === 0) continue
    const form = forms.get(text.slice(at, at + shortestPiece))?.find((one) => text.startsWith(one, at))
    if (form !== undefined) return [at, at + form.length]
  }
  return undefined
}

function find({ text, starts, ends }: Reading, wanted: Wanted, found: Range[]): void {
  for (let one = nextIn(text, wanted, 0); one !== undefined; one = nextIn(text, wanted, one[0] + 1)) {
    const [at, end] = one
    found.push([starts?.[at] ?? at, ends?.[end - 1] ?? end])
  }
}

function masked(text: string, hidden: Range[]): string {
  if (hidden.length === 0) return text
  hidden.sort(([a], [b]) => a - b)
  const parts: string[] = []
  let end = 0
  for (const [start, stop] of hidden) {
    if (start >= end) parts.push(text.slice(end, start), mask)
    end = Math.max(end, stop)
  }
  return parts.join('') + text.slice(end)
}

/**
 * Masks secrets in every text of a plain value and leaves its shape as it is: for what leaves the run's own log.
 * `spared` names the properties whose texts stay, at any depth.
 */
export function redactValue<T>(value: T, redact: (text: string) => string, spared: ReadonlySet<string> = new Set()): T {
  const inside = (part: unknown): unknown => {
    if (typeof part === 'string') return redact(part)
    if (Array.isArray(part)) return part.map(inside)
    if (typeof part !== 'object' || part === null) return part
    return Object.fromEntries(Object.entries(part).map(([key, item]) => [key, spared.has(key) ? item : inside(item)]))
  }
  return inside(value) as T
}

/** The password of a URL, which drivers print on its own when they fail to connect. */
export function passwordsIn(secret: string): string[] {
  const password = URL.canParse(secret) ? new URL(secret).password : ''
  return [password, decoded(password)].filter((text) => text.length >= shortestPiece)
}

/** A part of a URL without its escapes. */
export function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign: then it is what it is.
    return text
  }
}
