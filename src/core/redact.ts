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
