/** What reached the platform, in order, for assertions and for looking around. Secrets are redacted. */

export interface JournalEntry {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly kind: 'tool' | 'git' | 'http'
  /** Tool name, git service (`git-receive-pack`) or method and path. */
  readonly name: string
  readonly arguments?: unknown
  readonly ok: boolean
  /** Error text of a tool, HTTP status of a request, moved references of a push. */
  readonly detail?: unknown
}

export interface Journal {
  readonly entries: readonly JournalEntry[]
  add(entry: Omit<JournalEntry, 'at'>): void
}

const SECRETS = /\b(?:dk_(?:test|live)_[0-9a-f]{6,}|mlg_[A-Za-z0-9_-]{20,})/g

/** Replaces API keys and git tokens in any text. */
export function redactSecrets(text: string): string {
  return text.replaceAll(SECRETS, (secret) => `${secret.slice(0, secret.indexOf('_') + 1)}***`)
}

/**
 * @param nowMs - the clock
 * @param log - receives one line per entry
 */
export function createJournal(nowMs: () => number, log: (line: string) => void): Journal {
  const entries: JournalEntry[] = []
  return {
    entries,
    add(entry) {
      const redacted = JSON.parse(redactSecrets(JSON.stringify(entry))) as Omit<JournalEntry, 'at'>
      entries.push({ at: nowMs(), ...redacted })
      log(
        `${entry.ok ? ' ' : '!'} ${entry.kind} ${redacted.name}${entry.ok ? '' : ` ${JSON.stringify(redacted.detail ?? '')}`}`,
      )
    },
  }
}
