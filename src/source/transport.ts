import type { GitSetting } from './git-environment.ts'
import type { GitRemote } from './remote.ts'

/**
 * Settings with which git authenticates at a remote. The empty entry first drops whatever header for that server was
 * configured before: `actions/checkout` persists one, and servers refuse a request that carries two.
 */
export function credentialSettings(remote: GitRemote): readonly GitSetting[] {
  const key = `http.${remote.url}.extraHeader`
  const authorization = remote.authorization()
  const reset: GitSetting = [key, '']
  return authorization === undefined ? [reset] : [reset, [key, `Authorization: ${authorization}`]]
}

/** The platform's git speaks protocol 0, and its token must not follow a redirect to another host. */
export const platformSettings: readonly GitSetting[] = [
  ['protocol.version', '0'],
  ['http.followRedirects', 'false'],
]
