import { spawn } from 'node:child_process'
import { platform } from 'node:os'
import { simpleGit } from 'simple-git'
import { DeployError, errorCode, errorMessage } from '../core/errors.ts'
import { decisiveLine, type GitRemote, type NetworkOutput } from './remote.ts'

export type ChildEnvironment = Readonly<Record<string, string>>

/** One git setting that travels in the child's environment: nobody else can read it there, unlike arguments. */
export type GitSetting = readonly [key: string, value: string]

interface LocalCall {
  readonly input?: Buffer | string | undefined
  readonly variables?: ChildEnvironment
  /** git is ended when it writes more. */
  readonly mostBytes?: number
}

interface NetworkCall {
  readonly input?: string | undefined
  readonly settings?: readonly GitSetting[]
  readonly onMessage?: MessageHandler | undefined
}

/** Called for each line or progress update that git writes to its standard error. */
export type MessageHandler = (line: string) => void

/** What commands that talk to a server need beside the environment. */
interface NetworkAccess {
  readonly settings: () => Promise<readonly GitSetting[]>
  /** Kills all processes of the group that this one leads (`process.kill` with a negative number). */
  readonly killGroup?: ((leader: number) => void) | undefined
}

/** git answered with a status other than zero. */
export class GitFailure extends DeployError {
  override readonly name = 'GitFailure'
  readonly exitCode: number
  readonly stderr: string

  constructor(command: string, exitCode: number, stderr: string) {
    super(`git ${command} failed (status ${exitCode}): ${decisiveLine(stderr)}`)
    this.exitCode = exitCode
    this.stderr = stderr
  }
}

/** git wrote more than whoever asked can take, and was ended. */
export class OutputTooLarge extends GitFailure {
  constructor(command: string, mostBytes: number) {
    super(command, -1, `it wrote more than ${mostBytes} bytes`)
  }
}

// Far above what is asked for in earnest; repositories and servers are written by strangers.
const mostOutputBytes = 512_000_000
const mostNetworkBytes = 64_000_000
/** What is kept of git's messages, from their end. */
const keptMessageCharacters = 200_000
const longestProgressLine = 1_000

/** What a command yields, or undefined when git fails. */
export async function unlessGitFails<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof GitFailure) return undefined
    throw error
  }
}

/** git in one directory, with one environment, until one signal ends it. */
export type GitRepository = ReturnType<typeof openRepository>

/**
 * @param environment all that the children get. With `GIT_DIR` it names the repository; without, git looks for one.
 * @param network for commands that talk to a server
 */
export function openRepository(
  directory: string,
  environment: ChildEnvironment,
  signal: AbortSignal,
  network: NetworkAccess = { settings: async () => [] },
) {
  /**
   * Runs git and answers what it wrote, byte by byte: paths need not be UTF-8.
   * @throws GitFailure when git fails
   */
  const run = async (args: readonly string[], call: LocalCall = {}): Promise<Buffer> => {
    signal.throwIfAborted()
    const { variables, mostBytes = mostOutputBytes, input } = call
    const [command = ''] = args
    const env = { ...environment, ...variables }
    const tooMuch = new AbortController()
    const output = collecting(mostBytes, () => tooMuch.abort())
    let failure: GitFailure | undefined
    const git = simpleGit({
      baseDir: directory,
      abort: AbortSignal.any([signal, tooMuch.signal]),
      allowEnvironment: Object.keys(env),
      // The file is our own: it shuts the machine's settings out.
      unsafe: { allowUnsafeConfigPaths: true },
      completion: { onClose: true, onExit: false },
      ...(input !== undefined && { input: () => input }),
      errors: (error, { exitCode, stdErr }) => {
        if (exitCode === 0) return undefined
        // Kept here, as simple-git passes on no more than an error's text.
        failure = new GitFailure(command, exitCode, Buffer.concat(stdErr).toString())
        return error ?? failure
      },
    })
    git.env(env)
    git.outputHandler((_command, stdout) => {
      // simple-git decodes its own answer as UTF-8.
      stdout.on('data', output.add)
      // Where git wrote nothing simple-git waits another 50 ms for output, of which none can come after the end of the stream.
      stdout.once('end', () => stdout.emit('data', Buffer.alloc(0)))
    })
    try {
      await git.raw([...args])
    } catch (error) {
      signal.throwIfAborted()
      if (output.isTooLarge()) throw new OutputTooLarge(command, mostBytes)
      throw failure ?? new GitFailure(command, -1, errorMessage(error))
    }
    return output.content()
  }
  return {
    directory,
    run,
    /** As `run`, for answers that are one line of ASCII. */
    line: async (args: readonly string[], call?: LocalCall) => (await run(args, call)).toString('latin1').trim(),
    /** Runs a command that talks to that server, with its credentials. Does not throw when the command fails. */
    runRemote: async (remote: GitRemote, args: readonly string[], call: NetworkCall = {}): Promise<NetworkOutput> => {
      signal.throwIfAborted()
      const all = [...(await network.settings()), ...(call.settings ?? []), ...credentialSettings(remote)]
      const env = withSettings(environment, all)
      return runOnNetwork(args, { cwd: directory, env, signal, killGroup: network.killGroup }, call)
    },
  }
}

/** Collects what a child writes. @param onExcess called when it is more than that */
function collecting(mostBytes: number, onExcess: () => void) {
  const chunks: Buffer[] = []
  let bytes = 0
  return {
    add: (chunk: Buffer): void => {
      bytes += chunk.length
      if (bytes <= mostBytes) chunks.push(chunk)
      else onExcess()
    },
    isTooLarge: () => bytes > mostBytes,
    content: () => Buffer.concat(chunks),
  }
}

/**
 * Settings with which git authenticates at a remote. The empty entry first drops whatever header for that server was
 * configured before: `actions/checkout` persists one, and servers refuse a request that carries two.
 */
function credentialSettings(remote: GitRemote): readonly GitSetting[] {
  const key = `http.${remote.url}.extraHeader`
  const authorization = remote.authorization()
  const reset: GitSetting = [key, '']
  return authorization === undefined ? [reset] : [reset, [key, `Authorization: ${authorization}`]]
}

/** Adds settings to those there are, as `GIT_CONFIG_COUNT`, `GIT_CONFIG_KEY_<n>` and `GIT_CONFIG_VALUE_<n>` (git-config(1), ENVIRONMENT). */
function withSettings(environment: ChildEnvironment, settings: readonly GitSetting[]): ChildEnvironment {
  const present = Number(environment.GIT_CONFIG_COUNT ?? 0)
  const entries = settings.flatMap(([key, value], index) => [
    [`GIT_CONFIG_KEY_${present + index}`, key],
    [`GIT_CONFIG_VALUE_${present + index}`, value],
  ])
  return { ...environment, GIT_CONFIG_COUNT: String(present + settings.length), ...Object.fromEntries(entries) }
}

interface Child extends Pick<NetworkAccess, 'killGroup'> {
  readonly cwd: string
  readonly env: ChildEnvironment
  readonly signal: AbortSignal
}

/**
 * This does not go through simple-git for one reason: on abort simple-git signals git alone, and git's transport helper,
 * which waits for the server with the token in its environment, lives on. Here git leads a process group of its own, and
 * all of it is ended.
 */
async function runOnNetwork(
  args: readonly string[],
  { cwd, env, signal, killGroup }: Child,
  { input, onMessage }: NetworkCall,
): Promise<NetworkOutput> {
  const [command = ''] = args
  const grouped = killGroup !== undefined && platform() !== 'win32'
  const child = spawn('git', args, { cwd, env, detached: grouped, windowsHide: true })
  const end = () => {
    if (child.pid === undefined || !grouped) return void child.kill('SIGKILL')
    try {
      killGroup(child.pid)
    } catch (error) {
      // ESRCH: all of it ended in the meantime.
      if (errorCode(error) !== 'ESRCH') throw error
    }
  }
  signal.addEventListener('abort', end, { once: true })
  const stdout = collecting(mostNetworkBytes, end)
  let stderr = ''
  let unfinishedLine = ''
  child.stdout.on('data', stdout.add)
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr = (stderr + chunk).slice(-keptMessageCharacters)
    const lines = (unfinishedLine + chunk).split(/[\r\n]/)
    unfinishedLine = (lines.pop() ?? '').slice(-longestProgressLine)
    for (const line of lines) if (line !== '') onMessage?.(line)
  })
  // git may end without reading its input; its own message says why.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input ?? '')
  try {
    const exitCode = await new Promise<number>((resolve, reject) => {
      child.on('error', (error) => reject(new GitFailure(command, -1, errorMessage(error))))
      child.on('close', (code) => resolve(code ?? -1))
    })
    signal.throwIfAborted()
    if (stdout.isTooLarge()) throw new OutputTooLarge(command, mostNetworkBytes)
    return { stdout: stdout.content().toString(), stderr, exitCode }
  } finally {
    signal.removeEventListener('abort', end)
  }
}
