import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type JobEnvironment, readProxies } from '../core/http.ts'
import { type ChildEnvironment, type GitSetting, openRepository, unlessGitFails } from './git.ts'
import { SourceError } from './remote.ts'

// Everything else stays behind: the job's secrets are in its environment, and git's own variables would bend the result.
const passedOn = named(
  'PATH PATHEXT SYSTEMROOT WINDIR COMSPEC LD_LIBRARY_PATH TEMP TMP TMPDIR',
  'HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY',
  'CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR GIT_SSL_CAINFO GIT_SSL_CAPATH',
  // By this the runner finds and ends what a killed job left behind.
  'RUNNER_TRACKING_ID',
)

/** Picks variables by name, whatever its case. */
function named(...lists: readonly string[]) {
  const names = new Set(lists.flatMap((list) => list.split(' ')))
  return (environment: JobEnvironment): ChildEnvironment => {
    const picked = Object.entries(environment).filter(([name]) => names.has(name.toUpperCase()))
    return Object.fromEntries(picked.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
  }
}

// Read in place of the user's and the system's files, so that the same commit gives the same snapshot everywhere.
// noop: the temporary repositories share objects with a shallow checkout; promising its history to the origin would be a lie.
// lowSpeed: a server that unpacks sends one keep-alive packet of five bytes every five seconds, so the limit is one.
const configuration = `
[core] hooksPath = /dev/null
[core] attributesFile = /dev/null
[core] excludesFile = /dev/null
[core] autocrlf = false
[core] fileMode = true
[core] fsmonitor = false
[core] protectNTFS = false
[core] protectHFS = false
[credential] helper =
[fetch] negotiationAlgorithm = noop
[fetch] writeCommitGraph = false
[gc] auto = 0
[http] lowSpeedLimit = 1
[http] lowSpeedTime = 120
[maintenance] auto = false
[protocol] allow = never
[protocol "http"] allow = always
[protocol "https"] allow = always
[safe] directory = *
[submodule] recurse = false
`

/**
 * The environment of every git child: what it needs to find programs and to cross proxies, and git settings of our own.
 * @param home an empty directory of ours, the children's `HOME`
 */
export async function prepareEnvironment(base: JobEnvironment, home: string): Promise<ChildEnvironment> {
  await mkdir(home, { recursive: true })
  const configFile = join(home, 'gitconfig')
  await writeFile(configFile, configuration)
  return {
    ...passedOn(base),
    HOME: home,
    // The messages are parsed.
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: configFile,
    GIT_ATTR_NOSYSTEM: '1',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_NO_LAZY_FETCH: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
  }
}

// How to cross a proxy, and whom to trust. Headers are not among them: those are credentials of others.
const networkKeys =
  '^http\\.(.*\\.)?(proxy|proxyauthmethod|proxysslcainfo|sslbackend|sslcainfo|sslcapath|sslcert|sslkey|sslverify)$'

const whereConfigured = named('PATH HOME XDG_CONFIG_HOME USERPROFILE HOMEDRIVE HOMEPATH PROGRAMDATA')

/**
 * What the machine's and the user's git configuration say about proxies and certificates: runners behind a company's
 * proxy reach nothing without. They are handed on in the environment, as a proxy's address may hold a password.
 * @param environment the job's own, with its `HOME`
 * @param cwd any folder
 */
export async function readNetworkSettings(environment: JobEnvironment, cwd: string): Promise<readonly GitSetting[]> {
  // With no repository to be in, its settings do not count, whatever folder this is.
  const nowhere = { ...whereConfigured(environment), GIT_DIR: join(cwd, 'no-repository') }
  const git = openRepository(cwd, nowhere, startupLimit())
  const listing = git.run(['config', '--includes', '--null', '--get-regexp', networkKeys])
  // No such setting, or a file that git cannot read: then nothing is handed on.
  const records = (await unlessGitFails(listing))?.toString().split('\0') ?? []
  return records.flatMap((record): GitSetting[] => {
    // <key> LF <value>; a key without a value stands for true.
    const [, key, value = 'true'] = /^([^\n]+)(?:\n(.*))?$/s.exec(record) ?? []
    return key === undefined ? [] : [[key, value]]
  })
}

/**
 * The proxy for an address, for what is asked beside git: the one that git itself would take. Its settings stand above the
 * variables, the one for the longest part of an address above the others, and an empty one says that there is none
 * (git-config(1), `http.proxy`, `http.<url>.*`).
 * @throws SourceError `unreachable` at an address whose proxy is of a kind that only git can cross
 */
function proxiesOfGit(settings: readonly GitSetting[], environment: JobEnvironment): Proxies {
  const configured = settings
    .flatMap(([key, value]) => {
      const [match, url = ''] = /^http\.(?:(.+?)\/?\.)?proxy$/i.exec(key) ?? []
      return match === undefined ? [] : [{ url, value }]
    })
    .sort((a, b) => b.url.length - a.url.length)
  const fromVariables = readProxies(environment)
  const opened = new Map<string, Proxies>()
  return (target) => {
    const { origin, pathname } = target
    const fitting = configured.filter(({ url }) => url === '' || `${origin}${pathname}/`.startsWith(`${url}/`))
    // Of equal ones the last counts.
    const chosen = fitting.findLast(({ url }) => url === fitting[0]?.url)
    if (chosen === undefined) return fromVariables(target)
    if (chosen.value === '') return undefined
    const proxyFor = opened.get(chosen.value) ?? proxyAt(chosen.value, environment)
    opened.set(chosen.value, proxyFor)
    return proxyFor(target)
  }
}

type Proxies = ReturnType<typeof readProxies>

/** git takes a proxy without a scheme for http. */
function proxyAt(value: string, { NO_PROXY, no_proxy }: JobEnvironment): Proxies {
  const address = value.includes('://') ? value : `http://${value}`
  try {
    return readProxies({ HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY, no_proxy })
  } catch (cause) {
    const what = 'the proxy that git is configured with (http.proxy) is none that LFS contents can be fetched through'
    const hint = 'Name a proxy with http:// in HTTPS_PROXY, or in git’s http.proxy; or check out with `lfs: true`.'
    throw new SourceError('unreachable', what, { hint, cause })
  }
}

/** Whether git reaches servers through a proxy. */
function isProxied(environment: ChildEnvironment, settings: readonly GitSetting[]): boolean {
  const variables = Object.entries(environment).filter(([name]) => /^(?:https|all)_proxy$/i.test(name))
  const configured = settings.filter(([key]) => /\.proxy$/i.test(key))
  return [...variables, ...configured].some(([, value]) => value !== '')
}

// 2.32 brought GIT_CONFIG_GLOBAL, which shuts the machine's settings out (June 2021).
const oldest = [2, 32] as const

/**
 * Makes sure that there is a git, and that it is new enough.
 * @param cwd any folder
 * @throws SourceError `no-git`
 */
export async function requireGit(environment: ChildEnvironment, cwd: string): Promise<void> {
  const hint = `Use a runner with git ${oldest.join('.')} or newer. In a container job, install it in the image.`
  let answer: string
  try {
    answer = (await openRepository(cwd, environment, startupLimit()).run(['version'])).toString()
  } catch (error) {
    throw new SourceError('no-git', 'git cannot be started on this runner.', { hint, cause: error })
  }
  const [, major = 0, minor = 0] = (/git version (\d+)\.(\d+)/.exec(answer) ?? []).map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return
  throw new SourceError('no-git', `This runner's git is too old: ${answer.trim()}.`, { hint })
}

// Both ask git about itself, which takes milliseconds; what hangs for so long is a broken runner.
function startupLimit(): AbortSignal {
  return AbortSignal.timeout(60_000)
}

/** Remembers by the environment of a job, in which machines stay as they are, what was found out once. */
function oncePerJob<T>(find: (job: JobEnvironment, environment: ChildEnvironment, directory: string) => Promise<T>) {
  const found = new WeakMap<JobEnvironment, Promise<T>>()
  return (job: JobEnvironment, environment: ChildEnvironment, directory: string): Promise<T> => {
    const known = found.get(job) ?? find(job, environment, directory)
    found.set(job, known)
    known.catch(() => found.delete(job))
    return known
  }
}

/** Whether the machine has a git that will do. @throws SourceError `no-git` */
export const requireGitOnce = oncePerJob((_job, environment, directory) => requireGit(environment, directory))

/** How servers are reached from this machine. */
export const networkOfMachine = oncePerJob(async (job, environment, directory) => {
  const settings = await readNetworkSettings(job, directory)
  return {
    settings,
    /** Whether git reaches servers through a proxy. */
    proxied: isProxied(environment, settings),
    /** The proxy for what is asked without git. */
    proxyFor: proxiesOfGit(settings, job),
  }
})
