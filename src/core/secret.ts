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

  // What `util.inspect` looks for, without loading all of `util` for it (nodejs.org/api/util.html, utilinspectcustom).
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return hidden
  }
}

/**
 * Whether an environment value has to be masked in the log. The runner drops every output that contains a masked
 * value, so plain values are left alone even under a telling name: `production` or `3000` would take the URL with them.
 */
export function looksSecret(name: string, value: string): boolean {
  if (isPlain(value)) return false
  // A page's address is none, such as `TOKEN_URL=https://login.example.com/oauth`: neither credentials nor a query in it.
  const isPublicUrl = /^https?:\/\/[^@?#]+$/.test(value)
  if (secretAddress.test(name) || (hasSecretName(name) && !isPublicUrl)) return true
  return knownForms.some((form) => form.test(value)) || looksRandom(value)
}

/** Whether a variable of this name holds a secret as a rule, whatever its value. */
export function hasSecretName(name: string): boolean {
  return secretAddress.test(name) || (secretName.test(name) && !aboutSecrets.test(name))
}

const secretName =
  /secret|token|passw(or)?d|passphrase|pwd|credential|private|signing|encryption|api_?key|access_?key|cookie|salt|pepper|(basic|http)_?auth|(^|_)(key|pat|pass|cert|pin|otp|jwt|license)(_|$)/i

/** Addresses that let in whoever knows them. */
const secretAddress =
  /webhook|dsn|connection_?(string|url)|(database|db|redis|mongo(db)?|postgres(ql)?|mysql|amqp)_ur[il]$/i

/** `TOKEN_ISSUER` or `SECRET_NAME` speak about a secret and hold none. */
const aboutSecrets =
  /_(name|type|kind|provider|policy|path|file|dir|ttl|expiry|expires(_in)?|timeout|length|size|count|enabled|disabled|required|issuer|audience|algorithm|alg|header|prefix|region|host|port|user(name)?|mode|version)$/i

const shortestSecret = 6

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/))
}

function isPlain(value: string): boolean {
  const text = value.trim()
  if (text.length < shortestSecret) return true
  if (/^[+-]?\d{1,9}([.,]\d+)?\s?[a-z%]{0,3}$/i.test(text)) return true
  return /^v?\d+(\.\d+){1,3}$/.test(text) || plainWords.has(text.toLowerCase())
}

const plainWords = wordsOf(`
  production preview staging development testing master default enabled disabled warning verbose
  localhost required optional secret password nobody postgres undefined
`)

/**
 * Whether a value that was given to a service gives nothing away wherever it turns up: settings that half of all services
 * have in common. Every other value may be somebody's secret under a plain name.
 */
export function isHarmless(value: string): boolean {
  const text = value.trim()
  if (text.length < shortestSecret || commonWords.has(text.toLowerCase())) return true
  return (isPlain(text) && !/\d{6}/.test(text)) || commonForms.some((form) => form.test(text))
}

const commonWords = wordsOf(`
  silent notice critical standard memory sqlite sqlite3 postgresql mongodb public private automatic
  strict utf8mb4 main.js server.js index.js app.py
`)

const commonForms = [
  // A round number, as sizes and limits are.
  /^\d{1,12}000$/,
  // A region, a time zone, a locale.
  /^(us|eu|ap|sa|ca|me|af|il|asia|europe)(-gov)?-[a-z]{2,12}-?\d[a-z]?$/,
  /^(Africa|America|Antarctica|Asia|Atlantic|Australia|Etc|Europe|Indian|Pacific)\/[\w/+-]+$/,
  /^[a-z]{2}[_-][A-Z]{2}(\.UTF-8)?$/i,
  // Where a process listens on its own machine.
  /^(https?:\/\/)?(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(:\d{1,5})?\/?$/,
]

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
