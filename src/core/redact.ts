import { inspect } from 'node:util'

/** Shorter pieces of a secret would star out half of a text; a secret that short is left to whoever chose it. */
const shortestPiece = 4
const mask = '***'

/**
 * Every form in which a secret may turn up in a text: as it is and trimmed, each of its lines, the password of a URL, and
 * all of it in base64, URL encoding and JSON. The longest come first, so that a secret which contains another is never
 * left half readable.
 */
export function secretForms(secrets: Iterable<string>): readonly string[] {
  const forms = new Set<string>()
  for (const secret of secrets) for (const form of formsOf(secret)) forms.add(form)
  return [...forms].filter((form) => form.trim().length >= shortestPiece).sort((a, b) => b.length - a.length)
}

function formsOf(secret: string): readonly string[] {
  const lines = secret.split(/[\r\n]+/).map((line) => line.trim())
  const plain = [secret, secret.trim(), ...lines, ...passwordsIn(secret)]
  if (secret.length < 2 * shortestPiece) return plain
  return [
    ...plain,
    Buffer.from(secret).toString('base64'),
    Buffer.from(secret.trim()).toString('base64'),
    encodeURIComponent(wellFormed(secret)),
    JSON.stringify(secret).slice(1, -1),
  ]
}

/** Returns what stars every form of these secrets in a text. */
export function createRedactor(secrets: Iterable<string>): (text: string) => string {
  const forms = secretForms(secrets)
  return (text) => {
    let redacted = text
    for (const form of forms) if (redacted.includes(form)) redacted = redacted.replaceAll(form, mask)
    return redacted
  }
}

/** Stars secrets in every text of a plain value and leaves its shape as it is: for what leaves the run's own log. */
export function redactValue<T>(value: T, secrets: Iterable<string>): T {
  return redactAny(value, createRedactor(secrets)) as T
}

function redactAny(value: unknown, redact: (text: string) => string): unknown {
  if (typeof value === 'string') return redact(value)
  if (Array.isArray(value)) return value.map((item) => redactAny(item, redact))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactAny(item, redact)]))
}

/** Lone surrogates, which cannot be encoded, become the replacement character, as they do in every UTF-8 output. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString()
}

/** The password of a URL, which drivers print on its own when they fail to connect. */
export function passwordsIn(secret: string): string[] {
  const password = URL.canParse(secret) ? new URL(secret).password : ''
  return [password, decoded(password)].filter((text) => text.length >= shortestPiece)
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign: then the password is what it is.
    return text
  }
}

const hidden = '[secret]'

/** A value that shows itself only when asked by name: printing, dumping or serialising its owner gives it away nowhere. */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value. Whoever calls this answers for where it goes. */
  reveal(): string {
    return this.#value
  }

  toString(): string {
    return hidden
  }

  toJSON(): string {
    return hidden
  }

  [inspect.custom](): string {
    return hidden
  }
}

/**
 * Whether an environment value has to be starred in the log. The runner drops every output that contains a starred
 * value, so plain values are left alone even under a telling name: `production` or `3000` would take the URL with them.
 */
export function looksSecret(name: string, value: string): boolean {
  if (isPlain(value)) return false
  return isNamedSecret(name, value) || knownForms.some((form) => form.test(value)) || looksRandom(value)
}

/** Whether a variable of this name holds a secret as a rule, whatever its value. */
export function hasSecretName(name: string): boolean {
  return secretAddress.test(name) || (secretName.test(name) && !aboutSecrets.test(name))
}

function isNamedSecret(name: string, value: string): boolean {
  return hasSecretName(name) && (secretAddress.test(name) || !isPublicUrl(value))
}

const secretName =
  /secret|token|passw(or)?d|passphrase|pwd|credential|private|signing|encryption|api_?key|access_?key|cookie|salt|pepper|(basic|http)_?auth|(^|_)(key|pat|pass|cert|pin|otp|jwt|license)(_|$)/i

/** Addresses that let in whoever knows them. */
const secretAddress =
  /webhook|dsn|connection_?(string|url)|(database|db|redis|mongo(db)?|postgres(ql)?|mysql|amqp)_ur[il]$/i

/** `TOKEN_ISSUER` or `SECRET_NAME` speak about a secret and hold none. */
const aboutSecrets =
  /_(name|type|kind|provider|policy|path|file|dir|ttl|expiry|expires(_in)?|timeout|length|size|count|enabled|disabled|required|issuer|audience|algorithm|alg|header|prefix|region|host|port|user(name)?|mode|version)$/i

/** A page's address, such as `TOKEN_URL=https://login.example.com/oauth`: neither credentials nor a query in it. */
function isPublicUrl(value: string): boolean {
  return /^https?:\/\/[^@?#]+$/.test(value)
}

const shortestSecret = 6

function isPlain(value: string): boolean {
  const text = value.trim()
  if (text.length < shortestSecret) return true
  if (/^[+-]?\d{1,9}([.,]\d+)?\s?[a-z%]{0,3}$/i.test(text)) return true
  return /^v?\d+(\.\d+){1,3}$/.test(text) || plainWords.has(text.toLowerCase())
}

const plainWords = new Set([
  'production',
  'preview',
  'staging',
  'development',
  'testing',
  'master',
  'default',
  'enabled',
  'disabled',
  'warning',
  'verbose',
  'localhost',
  'required',
  'optional',
  'secret',
  'password',
  'nobody',
  'postgres',
  'undefined',
])

const knownForms = [
  /^(gh[pousr]_|github_pat_|glpat-|npm_|pypi-)\w/,
  /^(dk|sk|rk|whsec|mlg|key|pk)(_live|_test)?[_-]\w{16,}/,
  /^xox[abeprs]-/,
  /^(AKIA|ASIA)[A-Z0-9]{16}$/,
  /^AIza[\w-]{30,}$/,
  /^SG\.[\w-]{16,}\./,
  /^eyJ[\w-]{8,}\.[\w-]+\./,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----/,
  /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i,
  /^https:\/\/(hooks\.slack\.com|discord(app)?\.com\/api\/webhooks)\//,
]

/**
 * Mixed characters without order, as generated tokens have. Commits, digests and UUIDs are told apart by being pure
 * hexadecimal: they are public far more often than not.
 */
function looksRandom(value: string): boolean {
  if (!/^[A-Za-z0-9+/_=-]{24,}$/.test(value) || /^[0-9a-f-]+$/i.test(value)) return false
  return /[a-z]/.test(value) && /[A-Z]/.test(value) && /\d/.test(value) && bitsPerCharacter(value) > 3.9
}

function bitsPerCharacter(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((bits, count) => bits - (count / text.length) * Math.log2(count / text.length), 0)
}
