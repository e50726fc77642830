import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** An environment for a child process. */
export type ChildEnvironment = Readonly<Record<string, string>>

/** One git setting that travels in the child's environment: nobody else can read it there, unlike arguments. */
export type GitSetting = readonly [key: string, value: string]

// Everything else stays behind: the job's secrets are in its environment, and git's own variables would bend the result.
const passedOn = new Set([
  'PATH',
  'PATHEXT',
  'SYSTEMROOT',
  'WINDIR',
  'COMSPEC',
  'LD_LIBRARY_PATH',
  'TEMP',
  'TMP',
  'TMPDIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'ALL_PROXY',
  'NO_PROXY',
  'CURL_CA_BUNDLE',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  // By this the runner finds and ends what a killed job left behind.
  'RUNNER_TRACKING_ID',
])

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
 *
 * @param home an empty directory of ours, the children's `HOME`
 */
export async function prepareEnvironment(
  base: Readonly<Record<string, string | undefined>>,
  home: string,
): Promise<ChildEnvironment> {
  await mkdir(home, { recursive: true })
  const configFile = join(home, 'gitconfig')
  await writeFile(configFile, configuration)
  const kept = Object.entries(base).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && passedOn.has(entry[0].toUpperCase()),
  )
  return {
    ...Object.fromEntries(kept),
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

/** Adds settings to those there are, as `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_<n>` and `GIT_CONFIG_VALUE_<n>` (git-config(1), ENVIRONMENT). */
export function withSettings(environment: ChildEnvironment, settings: readonly GitSetting[]): ChildEnvironment {
  const present = Number(environment.GIT_CONFIG_COUNT ?? 0)
  const entries = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${present + index}`, key],
    [`GIT_CONFIG_VALUE_${present + index}`, value],
  ])
  return { ...environment, GIT_CONFIG_COUNT: String(present + settings.length), ...Object.fromEntries(entries) }
}
