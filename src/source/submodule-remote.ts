import { GitRemote } from './remote.ts'

/**
 * The address at which a submodule can be fetched with a token. `.gitmodules` is a stranger's text: the token goes to the
 * parent's own host alone, and nothing but HTTP is spoken.
 *
 * @param url as in `.gitmodules`: absolute, relative to the parent (`../lib.git`), or for SSH (`git@host:owner/lib.git`)
 * @returns undefined when it cannot be fetched over HTTPS (or over HTTP from the parent's host)
 */
export function submoduleRemote(url: string, parent: GitRemote | undefined): GitRemote | undefined {
  const resolved = resolve(url, parent)
  if (resolved === undefined) return undefined
  // Credentials in a file that everybody reads are not used.
  resolved.username = ''
  resolved.password = ''
  if (parent !== undefined && resolved.host === new URL(parent.url).host) return parent.sibling(resolved.href)
  return resolved.protocol === 'https:' ? new GitRemote(resolved.href, '', undefined) : undefined
}

function resolve(url: string, parent: GitRemote | undefined): URL | undefined {
  if (url.startsWith('./') || url.startsWith('../')) {
    return parent === undefined ? undefined : new URL(url, `${parent.url.replace(/\/$/, '')}/`)
  }
  const [, host, path] = /^(?:ssh:\/\/)?(?:[^@/]+@)([^:/]+)(?::\d+\/|[:/])(.+)$/.exec(url) ?? []
  if (host !== undefined && path !== undefined && !url.startsWith('http')) {
    const home = parent === undefined ? undefined : new URL(parent.url)
    return new URL(`/${path}`, home?.hostname === host ? home : `https://${host}`)
  }
  if (!URL.canParse(url)) return undefined
  const parsed = new URL(url)
  return parsed.protocol === 'https:' || parsed.protocol === 'http:' ? parsed : undefined
}
