import { delimiter, join } from 'node:path'

/** What builds may need from this machine to reach package registries behind a proxy; none of these is a secret. */
const PASSED_ON = [
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'npm_config_registry',
  'GOPROXY',
]

/**
 * The environment that every build and app starts from: where the tools are, and nothing else of this machine's.
 *
 * @param machine - this process's environment
 * @param cacheFolder - where package managers keep what they have downloaded
 */
export function appEnvironment(
  machine: Readonly<Record<string, string | undefined>>,
  cacheFolder: string,
): Record<string, string> & { readonly PATH: string } {
  const passed = PASSED_ON.flatMap((name) => {
    const value = machine[name]
    // A proxy or registry address may hold a password, which no app is to see.
    return value === undefined || /\/\/[^/]*@/.test(value) ? [] : [[name, value] as const]
  })
  return {
    ...Object.fromEntries(passed),
    PATH: withoutProjectFolders(machine.PATH ?? '/usr/local/bin:/usr/bin:/bin'),
    LANG: 'C.UTF-8',
    NODE_ENV: 'production',
    npm_config_cache: join(cacheFolder, 'npm'),
    npm_config_update_notifier: 'false',
    npm_config_production: 'false',
    PIP_CACHE_DIR: join(cacheFolder, 'pip'),
    GOCACHE: machine.GOCACHE ?? join(goCacheParent(machine) ?? cacheFolder, 'go-build'),
    GOMODCACHE: machine.GOMODCACHE ?? join(cacheFolder, 'go-mod'),
    GOFLAGS: '-modcacherw',
  }
}

/**
 * Where Go looks for what this machine has compiled already, without which the first program takes half a minute and more.
 * Source: Go's `os.UserCacheDir`.
 */
function goCacheParent({ HOME, XDG_CACHE_HOME }: Readonly<Record<string, string | undefined>>): string | undefined {
  if (HOME === undefined) return undefined
  return process.platform === 'darwin' ? join(HOME, 'Library/Caches') : XDG_CACHE_HOME || join(HOME, '.cache')
}

/** npm puts the folders of this project's own commands into PATH; an app must not find those. */
function withoutProjectFolders(path: string): string {
  const folders = path
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'))
  return folders.join(delimiter)
}
