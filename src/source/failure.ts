import type { NetworkGitOutput } from './network-git.ts'
import type { GitRemote } from './remote.ts'
import { SourceError } from './source-error.ts'

/** Ways in which a command against a git server fails, read off what git and the server wrote. */
export type NetworkFailure =
  | { readonly kind: 'transient'; readonly reason: string }
  | { readonly kind: 'denied'; readonly status: number }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'unpaid'; readonly remoteLines: readonly string[] }
  | { readonly kind: 'rejected'; readonly reason: string; readonly remoteLines: readonly string[] }
  | { readonly kind: 'other'; readonly reason: string }

const transientText =
  /could not resolve|failed to connect|couldn't connect|connection (refused|reset|timed out)|timed out|too slow|unexpected disconnect|early eof|hung up|rpc failed|empty reply|(recv|send) failure|transfer closed|gnutls_handshake|ssl_error_syscall|unexpected eof/i

/** Sorts a failure by what can be done about it. `reason` still may contain the secret: redact before showing. */
export function classifyFailure(output: NetworkGitOutput): NetworkFailure {
  const { stderr } = output
  // "!" TAB <from>:<to> TAB <summary> (<reason>): git-push(1), OUTPUT
  const refused = /^!\t[^\t]*\t(.*)$/m.exec(output.stdout)?.[1]
  const remoteLines = [...stderr.matchAll(/^remote: (.*?)\s*$/gm)].map((match) => match[1] ?? '')
  const status = Number(/(?:returned error:|HTTP) (\d{3})/.exec(stderr)?.[1] ?? 0)
  if (status === 401 || status === 403 || /authentication failed|could not read (username|password)/i.test(stderr)) {
    return { kind: 'denied', status: status === 0 ? 401 : status }
  }
  if (status === 404 || /repository '.*' not found/.test(stderr)) return { kind: 'denied', status: 404 }
  if (status === 413) return { kind: 'too-large' }
  if (status === 402) return { kind: 'unpaid', remoteLines }
  if (status >= 500 || status === 429 || status === 408) return { kind: 'transient', reason: `HTTP ${status}` }
  const server = refused?.includes('[remote ') === true
  if (server) return { kind: 'rejected', reason: refused, remoteLines }
  if (status === 0 && transientText.test(stderr)) return { kind: 'transient', reason: decisiveLine(stderr) }
  if (refused !== undefined) return { kind: 'rejected', reason: refused, remoteLines }
  return { kind: 'other', reason: decisiveLine(stderr) }
}

/** The first line that says what was fatal; git follows it with lines of lesser use. */
export function decisiveLine(stderr: string): string {
  const lines = stderr.split(/[\r\n]+/).filter((line) => line.trim() !== '')
  return lines.find((line) => /^(fatal|error): /.test(line)) ?? lines.at(-1) ?? 'git gave no reason'
}

/** The error for a failure that no retry mends. `what` begins the sentence: "The push of ink/…". */
export function networkError(what: string, failure: NetworkFailure, remote: GitRemote, largest = ''): SourceError {
  switch (failure.kind) {
    case 'denied':
      return new SourceError('denied', `${what} was refused by ${remote.url} (HTTP ${failure.status}).`, {
        hint:
          failure.status === 404
            ? 'The repository is not there, or the token is for another one. Check the inputs "repo" and "project".'
            : 'The git token is not valid for this repository. Run the workflow again: it fetches a fresh token. If that does not help, check that the API key belongs to the account that owns the repository.',
      })
    case 'too-large':
      return new SourceError('rejected', `${what} was refused by ${remote.url}: too large (HTTP 413).${largest}`, {
        hint: 'Take large files out of the repository, or deploy a built directory with the input "directory".',
      })
    case 'unpaid': {
      const said =
        failure.remoteLines.length === 0 ? '' : ` The server said: ${failure.remoteLines.join(' / ').slice(0, 300)}`
      return new SourceError(
        'payment-required',
        remote.redact(`${what} was answered by ${remote.url} with “payment required” (HTTP 402).${said}`),
        { hint: 'The account at ml.ink cannot pay. Top it up, then run the job again.' },
      )
    }
    case 'rejected': {
      const remarks = failure.remoteLines.length === 0 ? '' : ` The server said: ${failure.remoteLines.join(' / ')}`
      return new SourceError(
        'rejected',
        remote.redact(`${what} was rejected by ${remote.url}: ${failure.reason}.${remarks}`),
        { hint: rejectionHint(`${failure.reason} ${remarks}`) },
      )
    }
    case 'transient':
      return new SourceError('unreachable', remote.redact(`${what} failed: ${failure.reason}`), {
        hint: `${new URL(remote.url).host} could not be reached, or answered with errors, several times in a row. Try again later; if a proxy is needed, set HTTPS_PROXY.`,
      })
    case 'other':
      return new SourceError('git-failed', remote.redact(`${what} failed: ${failure.reason}`))
  }
}

function rejectionHint(text: string): string {
  if (/shallow/i.test(text)) return 'The server takes no shallow pushes, and none was made: please report this.'
  if (/hook|policy|protected/i.test(text))
    return 'A rule on the server forbids it. Change what the server names, or the rule.'
  if (/size|large|quota|space/i.test(text)) return 'Take large files out of the repository, or free space on ml.ink.'
  if (/lock|reference|already exists/i.test(text))
    return 'Another run pushed at the same moment. Run the workflow again.'
  return 'Nothing was deployed. Mend what the server names, and run the workflow again.'
}
