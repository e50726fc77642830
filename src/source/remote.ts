import { SourceError } from './source-error.ts'

/**
 * Where a push goes: an address without credentials, and the credentials where neither `JSON.stringify` nor
 * `inspect` nor a log of the object finds them.
 */
export class GitRemote {
  /** Address without credentials. */
  readonly url: string
  readonly #user: string
  readonly #secret: string | undefined

  constructor(url: string, user: string, secret: string | undefined) {
    this.url = url
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
    return new GitRemote(url, this.#user, this.#secret)
  }

  /** The text with every spelling of the secret replaced. */
  redact(text: string): string {
    if (this.#secret === undefined || this.#secret === '') return text
    const spellings = [
      Buffer.from(`${this.#user}:${this.#secret}`).toString('base64'),
      Buffer.from(this.#secret).toString('base64'),
      encodeURIComponent(this.#secret),
      this.#secret,
    ]
    return spellings.reduce((redacted, spelling) => redacted.replaceAll(spelling, '***'), text)
  }
}

/**
 * Takes a remote apart which carries its token, as the platform's token tool returns it
 * (`https://x-git-token:…@git.ml.ink/<owner>/<name>.git`).
 *
 * @throws SourceError when it is not an `http` or `https` address. The message never contains the address.
 */
export function parseRemote(urlWithToken: string): GitRemote {
  const parsed = URL.canParse(urlWithToken) ? new URL(urlWithToken) : undefined
  if (parsed === undefined || (parsed.protocol !== 'https:' && parsed.protocol !== 'http:')) {
    throw new SourceError('bad-remote', 'The git remote that the platform returned is not an http(s) address.', {
      hint: 'Check the input "endpoint". If it is right, the platform has changed: please report this.',
    })
  }
  const user = decodeURIComponent(parsed.username)
  const password = decodeURIComponent(parsed.password)
  parsed.username = ''
  parsed.password = ''
  // A lone user name is how some hosts spell a token.
  return password === ''
    ? new GitRemote(parsed.href, 'x-access-token', user === '' ? undefined : user)
    : new GitRemote(parsed.href, user, password)
}
