import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { readProxies } from '../core/http.ts'
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
  return (environment: JobEnvironment): ChildEnvironment =>
    Object.fromEntries(
      Object.entries(environment).filter(
        (entry): entry is [string, string] => entry[1] !== undefined && names.has(entry[0].toUpperCase()),
      ),
    )
}

type JobEnvironment = Readonly<Record<string, string | undefined>>

// Read in place of the user's and the system's files, so that the same commit gives the same snapshot everywhere.
// noop: the temporary repositories share objects with a shallow checkout; promising its history to the origin would be a lie.
// lowSpeed: a server that unpacks sends one keep-alive packet of five bytes every five seconds, so the limit is one.
const configuration = `[core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	autocrlf = false
	fileMode = true
	fsmonitor = false
	protectNTFS = false
	protectHFS = false
[credential]
	helper =
[fetch]
	negotiationAlgorithm = noop
	writeCommitGraph = false
[gc]
	auto = 0
[http]
	lowSpeedLimit = 1
	lowSpeedTime = 120
[maintenance]
	auto = false
[protocol]
	allow = never
[protocol "http"]
	allow = always
[protocol "https"]
	allow = always
[safe]
	directory = *
[submodule]
	recurse = false
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
  const git = openRepository(cwd, whereConfigured(environment), startupLimit())
  const read = async (scope: string): Promise<readonly GitSetting[]> => {
    const listing = git.run(['config', scope, '--includes', '--null', '--get-regexp', networkKeys])
    // No such setting, or no such file, or one that git cannot read: then nothing is handed on.
    const records = (await unlessGitFails(listing))?.toString().split('\0') ?? []
    return records.flatMap((record): GitSetting[] => {
      // <key> LF <value>; a key without a value stands for true.
      const [, key, value = 'true'] = /^([^\n]+)(?:\n(.*))?$/s.exec(record) ?? []
      return key === undefined ? [] : [[key, value]]
    })
  }
  return (await Promise.all(['--system', '--global'].map(read))).flat()
}

/**
 * The proxy for an address, for what is asked beside git: the one that git itself would take. Its settings stand above the
 * variables, the one for the longest part of an address above the others, and an empty one says that there is none
 * (git-config(1), `http.proxy`, `http.<url>.*`).
 * @throws SourceError `unreachable` at an address whose proxy is of a kind that only git can cross
 */
export function proxiesOfGit(
  settings: readonly GitSetting[],
  environment: JobEnvironment,
): ReturnType<typeof readProxies> {
  const configured = settings
    .map(([key, value]) => ({ match: /^http\.(?:(.+?)\/?\.)?proxy$/i.exec(key), value }))
    .flatMap(({ match, value }) => (match ? [{ url: match[1] ?? '', value }] : []))
    .sort((a, b) => b.url.length - a.url.length)
  const fromVariables = readProxies(environment)
  const opened = new Map<string, ReturnType<typeof readProxies>>()
  return (target) => {
    // Of equal ones the last counts.
    const fitting = configured.filter(({ url }) => url === '' || isBelow(target, url))
    const chosen = fitting.findLast(({ url }) => url === fitting[0]?.url)
    if (chosen === undefined) return fromVariables(target)
    if (chosen.value === '') return undefined
    const proxyFor = opened.get(chosen.value) ?? proxyAt(chosen.value, environment)
    opened.set(chosen.value, proxyFor)
    return proxyFor(target)
  }
}

function isBelow({ origin, pathname }: URL, url: string): boolean {
  return `${origin}${pathname}/`.startsWith(`${url}/`)
}

/** git takes a proxy without a scheme for http. */
function proxyAt(value: string, { NO_PROXY, no_proxy }: JobEnvironment): ReturnType<typeof readProxies> {
  const address = value.includes('://') ? value : `http://${value}`
  try {
    return readProxies({ HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY, no_proxy })
  } catch (cause) {
    const what = 'the proxy that git is configured with (http.proxy) is none that LFS contents can be fetched through'
    const hint = 'Name a proxy with http:// in HTTPS_PROXY, or in git’s http.proxy; or check out with `lfs: true`.'
    throw new SourceError('unreachable', what, { hint, cause })
  }
}

// 2.32 brought GIT_CONFIG_GLOBAL, which shuts the machine's settings out (June 2021).
const oldest = { major: 2, minor: 32 }

/**
 * Makes sure that there is a git, and that it is new enough.
 * @param cwd any folder
 * @throws SourceError `no-git`
 */
export async function requireGit(environment: ChildEnvironment, cwd: string): Promise<void> {
  const hint = `Use a runner with git ${oldest.major}.${oldest.minor} or newer. In a container job, install it in the image.`
  let answer: string
  try {
    answer = (await openRepository(cwd, environment, startupLimit()).run(['version'])).toString()
  } catch (error) {
    throw new SourceError('no-git', 'git cannot be started on this runner.', { hint, cause: error })
  }
  const [, major = 0, minor = 0] = (/git version (\d+)\.(\d+)/.exec(answer) ?? []).map(Number)
  if (major > oldest.major || (major === oldest.major && minor >= oldest.minor)) return
  throw new SourceError('no-git', `This runner's git is too old: ${answer.trim()}.`, { hint })
}

// Both ask git about itself, which takes milliseconds; what hangs for so long is a broken runner.
function startupLimit(): AbortSignal {
  return AbortSignal.timeout(60_000)
}

/** By the environment of a job, in which they stay as they are. */
const machines = new WeakMap<JobEnvironment, ReturnType<typeof readNetworkSettings>>()

/** How the machine reaches servers, asked once, with whether it has a git that will do. */
export function settingsOfMachine(job: JobEnvironment, environment: ChildEnvironment, directory: string) {
  const known = machines.get(job)
  if (known) return known
  const read = async () => {
    const [settings] = await Promise.all([readNetworkSettings(job, directory), requireGit(environment, directory)])
    return settings
  }
  const asked = read()
  machines.set(job, asked)
  asked.catch(() => machines.delete(job))
  return asked
}

/** Whether git reaches servers through a proxy. */
export function isProxied(environment: ChildEnvironment, settings: readonly GitSetting[]): boolean {
  const variables = Object.entries(environment).filter(([name]) => /^(?:https|all)_proxy$/i.test(name))
  const named = settings.filter(([key]) => /\.proxy$/i.test(key))
  return [...variables, ...named].some(([, value]) => value !== '')
}
