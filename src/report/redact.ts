/**
 * Replaces secrets in everything that will be published where the runner stars nothing: comment, summary, issue.
 * Walks plain data and leaves its shape as it is. Secrets shorter than four characters would blacken half the text
 * and are left to whoever chose them.
 */
export function redact<T>(value: T, secrets: readonly string[]): T {
  const wanted = secrets
    .flatMap((secret) => [secret, ...secret.split(/\r?\n/)])
    .filter((secret) => secret.trim().length >= 4)
    // The longest first, or a secret that contains another would be left half readable.
    .sort((a, b) => b.length - a.length)
  return wanted.length === 0 ? value : (redactAny(value, wanted) as T)
}

function redactAny(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), value)
  if (Array.isArray(value)) return value.map((item) => redactAny(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, redactAny(item, secrets)]))
}
