import { DeployError } from '../core/errors.ts'
import { createRedactor, decoded } from '../core/redact.ts'
import { sanitizePhrase } from '../core/sanitize.ts'

/** What went wrong, for callers that act on it. The text is for people. */
export type SourceErrorCode =
  | 'bad-remote'
  | 'no-git'
  | 'no-commit'
  | 'no-directory'
  | 'no-submodule'
  | 'lfs-missing'
  | 'too-large'
  | 'timed-out'
  | 'branch-conflict'
  | 'denied'
  | 'rejected'
  | 'payment-required'
  | 'unreachable'
  | 'git-failed'

/** A failure of this room. No secrets in it. */
export class SourceError extends DeployError {
  override readonly name = 'SourceError'
  readonly code: SourceErrorCode

  constructor(code: SourceErrorCode, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options)
    this.code = code
  }
}

/**
 * Where a push goes: an address without credentials, and the credentials where neither `JSON.stringify` nor
 * `inspect` nor a log of the object finds them.
 */
export class GitRemote {
  /** Address without credentials. */
  readonly url: string
  /** Whether a stranger named the address: it is asked only where everybody may, and without credentials. */
  readonly untrusted: boolean
  readonly #user: string
  readonly #secret: string | undefined
  #redactor: ((text: string) => string) | undefined

  constructor(url: string, user: string, secret: string | undefined, { untrusted = false } = {}) {
    this.url = url
    this.untrusted = untrusted
    this.#user = user
    this.#secret = secret
  }

  /** Value of the `Authorization` header, or undefined for an anonymous remote. For the child's environment only. */
  authorization(): string | undefined {
    if (this.#secret === undefined) return undefined
    return `Basic ${Buffer.from(`${this.#user}:${this.#secret}`).toString('base64')}`
  }

  /** Another repository on the same host, with the same credentials. */
  sibling(url: string): GitRemote {
    return new GitRemote(url, this.#user, this.#secret, { untrusted: this.untrusted })
  }

  /** The text with every spelling of the secret replaced. */
  redact(text: string): string {
    if (this.#secret === undefined || this.#secret === '') return text
    this.#redactor ??= createRedactor([this.#secret, `${this.#user}:${this.#secret}`])
    return this.#redactor(text)
  }
}

/**
 * Takes a remote apart which carries its token, as the platform's token tool returns it
 * (`https://x-git-token:…@git.ml.ink/<owner>/<name>.git`).
 * @param mask gets every spelling of the token: it opens the repository for a year and cannot be revoked
 * @throws SourceError when it is not an `http` or `https` address. The message never contains the address.
 */
export function parseRemote(urlWithToken: string, mask?: (secret: string) => void): GitRemote {
  const parsed = URL.canParse(urlWithToken) ? new URL(urlWithToken) : undefined
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) {
    throw new SourceError('bad-remote', 'The git remote that the platform returned is not an http(s) address.', {
      hint: 'Check the input "endpoint". If it is right, the platform has changed: please report this.',
    })
  }
  const { username, password } = parsed
  parsed.username = ''
  parsed.password = ''
  // A lone user name is how some hosts spell a token.
  const token = password || username
  const secret = decoded(token)
  for (const spelling of new Set([token, secret])) mask?.(spelling)
  return new GitRemote(parsed.href, password === '' ? 'x-access-token' : decoded(username), secret || undefined)
}

/** What git wrote when it talked to a server. */
export interface NetworkOutput {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

const transientText =
  /could not resolve|failed to connect|couldn't connect|connection (refused|reset|timed out)|timed out|too slow|unexpected disconnect|early eof|hung up|rpc failed|empty reply|(recv|send) failure|transfer closed|gnutls_handshake|ssl_error_syscall|unexpected eof/i

/**
 * Sorts a failure by what can be done about it, as read off what git and the server wrote. `reason` still may contain the
 * secret: redact before showing.
 */
export function classifyFailure({ stdout, stderr }: NetworkOutput) {
  // "!" TAB <from>:<to> TAB <summary> (<reason>): git-push(1), OUTPUT
  const refused = /^!\t[^\t\n]*\t(.*)$/m.exec(stdout)?.[1]
  const lines = stderr.split(/[\r\n]+/)
  const remoteLines = lines.flatMap((line) =>
    line.startsWith('remote: ') ? [line.slice('remote: '.length).trim()] : [],
  )
  const status = Number(/(?:returned error:|HTTP) (\d{3})/.exec(stderr)?.[1] ?? 0)
  if (status === 401 || status === 403 || /authentication failed|could not read (username|password)/i.test(stderr)) {
    return { kind: 'denied', status: status === 0 ? 401 : status } as const
  }
  const notFound = lines.some((line) => line.includes("repository '") && line.includes("' not found"))
  if (status === 404 || notFound) return { kind: 'denied', status: 404 } as const
  if (status === 413) return { kind: 'too-large' } as const
  if (status === 402) return { kind: 'unpaid', remoteLines } as const
  if (status >= 500 || status === 429 || status === 408) return { kind: 'transient', reason: `HTTP ${status}` } as const
  if (refused?.includes('[remote ')) return { kind: 'rejected', reason: refused, remoteLines } as const
  if (status === 0 && transientText.test(stderr)) return { kind: 'transient', reason: decisiveLine(stderr) } as const
  if (refused !== undefined) return { kind: 'rejected', reason: refused, remoteLines } as const
  return { kind: 'other', reason: decisiveLine(stderr) } as const
}

/** The first line that says what was fatal, harmless to print; git follows it with lines of lesser use. */
export function decisiveLine(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '')
  return sanitizePhrase(lines.find((line) => /^(fatal|error): /.test(line)) ?? lines.at(-1) ?? 'git gave no reason')
}

/**
 * The error for a command that failed.
 * @param what begins the sentence: "The push of ink/…"
 * @param largest what the largest files are, for a push that was too large
 */
export function gitError(what: string, output: NetworkOutput, remote: GitRemote, largest = ''): SourceError {
  const failure = classifyFailure(output)
  const { host } = new URL(remote.url)
  const error = (code: SourceErrorCode, message: string, hint: string) =>
    new SourceError(code, remote.redact(`${what} ${message}`), { hint })
  switch (failure.kind) {
    case 'denied':
      return error(
        'denied',
        `was refused by ${remote.url} (HTTP ${failure.status}).`,
        failure.status === 404
          ? 'The repository is not there, or the token is for another one. Check the inputs "repo" and "project".'
          : 'The git token is not valid for this repository. Run the workflow again: it fetches a fresh token. If that does not help, check that the API key belongs to the account that owns the repository.',
      )
    case 'too-large':
      return error(
        'rejected',
        `was refused by ${remote.url}: too large (HTTP 413).${largest}`,
        'Take large files out of the repository, or deploy a built directory with the input "directory".',
      )
    case 'unpaid':
      return error(
        'payment-required',
        `was answered by ${remote.url} with “payment required” (HTTP 402).${words(failure.remoteLines)}`,
        'The account at ml.ink cannot pay. Top it up, then run the job again.',
      )
    case 'rejected': {
      const remarks = words(failure.remoteLines)
      const [, hint = ''] = rejectionHints.find(([text]) => text.test(`${failure.reason} ${remarks}`)) ?? []
      return error('rejected', `was rejected by ${remote.url}: ${failure.reason}.${remarks}`, hint)
    }
    case 'transient':
      return error(
        'unreachable',
        `failed: ${failure.reason}`,
        `${host} could not be reached, or answered with errors, several times in a row. Try again later; if a proxy is needed, set HTTPS_PROXY.`,
      )
    case 'other':
      return error(
        'git-failed',
        `failed: ${failure.reason}`,
        /certificate/i.test(failure.reason)
          ? `The runner does not trust the certificate of ${host}. Have its authority installed, or name its file in GIT_SSL_CAINFO.`
          : `This is what git said of ${host}. Run the job again; if it stays, look at the server's state.`,
      )
  }
}

function words(remoteLines: readonly string[]): string {
  return remoteLines.length === 0 ? '' : ` The server said: ${sanitizePhrase(remoteLines.slice(0, 20).join(' / '))}`
}

// The first that fits counts.
const rejectionHints: readonly (readonly [RegExp, string])[] = [
  [/shallow/i, 'The server takes no shallow pushes, and none was made: please report this.'],
  [/hook|policy|protected/i, 'A rule on the server forbids it. Change what the server names, or the rule.'],
  [/size|large|quota|space/i, 'Take large files out of the repository, or free space on ml.ink.'],
  [/lock|reference|already exists/i, 'Another run pushed at the same moment. Run the workflow again.'],
  [/^/, 'Nothing was deployed. Fix what the server names, and run the workflow again.'],
]
