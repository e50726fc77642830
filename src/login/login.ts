import { spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import { systemClock, withinTime } from '../core/async.ts'
import { DeployError } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import { type ObtainDeps, obtainKey, type Terminal } from './key.ts'
import {
  type FoundRepository,
  type GitHubCli,
  recommendedWorkflow,
  SECRET_NAME,
  WORKFLOW_PATH,
  type WorkflowFile,
} from './repository.ts'
import { KEY_MAY_REMAIN } from './server.ts'

export interface LoginDeps extends ObtainDeps {
  readonly github: GitHubCli
  /** @throws DeployError when there is no place for a workflow */
  readonly openWorkflowFile: () => WorkflowFile
}

/**
 * Looks around, decides, gets a key if there is a place for one, and puts it there.
 * @throws DeployError, or the reason of the signal as long as nothing has been stored
 */
export async function runLogin(options: LoginOptions, deps: LoginDeps): Promise<void> {
  const { terminal } = deps
  refuseWithoutPlace(options, terminal.interactive)
  const choosing = !isExplicit(options)
  const workflow = await orRefusal(deps.openWorkflowFile)
  const isAsked = options.setSecret || options.writeWorkflow || choosing
  const repository = isAsked ? await orRefusal(() => deps.github.repository()) : new DeployError('gh was not asked')
  const context: LoginContext = { interactive: terminal.interactive, repository, workflow }
  deps.signal.throwIfAborted()
  if (choosing && repository instanceof DeployError) {
    terminal.say(`The key cannot be saved as a secret from here: ${repository.message}.`)
  }
  const intent = await decide(options, context, (question, usual) => askYesNo(terminal, question, usual, deps.signal))
  const hasPlace = intent.secretOf !== undefined || intent.print
  if (hasPlace) await storeKey(await obtainKey(options, deps), intent, deps)
  else if (choosing) terminal.say('No key was asked for, as there is nowhere to put it.')
  if (intent.workflow !== undefined && !(workflow instanceof DeployError)) {
    await workflow.write(intent.workflow)
    const first = intent.secretOf === undefined ? `save a key as the secret ${SECRET_NAME}, then ` : ''
    terminal.say(`Wrote ${WORKFLOW_PATH}. To deploy, ${first}commit and push it.`)
  } else if (!hasPlace && !choosing) {
    terminal.say(`${WORKFLOW_PATH} stays as it is.`)
  }
}

/** What an act yields, or why it cannot be done here. */
async function orRefusal<T>(act: () => T | Promise<T>): Promise<T | DeployError> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
}

async function storeKey(key: Secret, intent: Awaited<ReturnType<typeof decide>>, { github, terminal }: LoginDeps) {
  // First, because the next step can fail and the key must not be lost with it.
  if (intent.print) terminal.print(key.reveal())
  if (intent.secretOf === undefined) return
  try {
    await github.setSecret(intent.secretOf, SECRET_NAME, key)
  } catch (cause) {
    throw new DeployError(`the key could not be saved as a secret of ${intent.secretOf.name}`, {
      cause,
      hint: intent.print
        ? 'Secrets can be set by whoever has write access. The key was printed; save it by hand.'
        : `Secrets can be set by whoever has write access. The key is stored nowhere. ${KEY_MAY_REMAIN} ` +
          'Log in again once that is fixed, or with --print to save the key by hand.',
    })
  }
  terminal.say(`Saved as the secret ${SECRET_NAME} of ${intent.secretOf.name}.`)
}

async function askYesNo(terminal: Terminal, question: string, usual: boolean, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    terminal.say(`${question} ${usual ? '[Y/n]' : '[y/N]'}`)
    const answer = (await terminal.line(signal))?.trim().toLowerCase()
    if (answer === undefined) throw new DeployError('there was no answer', { hint: 'Nothing was stored.' })
    if (answer === '') return usual
    if (/^y(es)?$/.test(answer)) return true
    if (/^no?$/.test(answer)) return false
  }
}

/** How to log in, and what is to become of the key. */
export interface LoginOptions {
  /** The MCP endpoint that the key is for. */
  readonly endpoint: string
  /** Whether to open a browser, or to print the address and wait for what it led to. */
  readonly browser: boolean
  readonly setSecret: boolean
  readonly writeWorkflow: boolean
  readonly print: boolean
}

/** What there is to decide on. */
export interface LoginContext {
  readonly interactive: boolean
  /** The repository that a secret could be set for, or why there is none. */
  readonly repository: FoundRepository | DeployError
  /** What is in the workflow file (undefined: nothing yet), or why there cannot be one. */
  readonly workflow: { readonly content: string | undefined } | DeployError
}

/** @param usual the answer of somebody who just presses Enter */
type Ask = (question: string, usual: boolean) => Promise<boolean>

type Wishes = Pick<LoginOptions, 'setSecret' | 'print' | 'writeWorkflow'>

/**
 * Refuses what can have no result, before anybody is asked for anything.
 * @throws DeployError
 */
export function refuseWithoutPlace(wishes: Wishes, interactive: boolean): void {
  if (isExplicit(wishes) || interactive) return
  throw new DeployError('there is nowhere to put the key, and nobody to ask', {
    hint: 'Say --set-secret to save it as the repository secret, or --print to print it; --write-workflow alone needs no key. Or run this in a terminal.',
  })
}

/**
 * Decides what is to be done, before a key is asked for: what the options say, or else what somebody answers.
 * @throws DeployError when something was asked for that cannot be done
 */
export async function decide(wishes: Wishes, context: LoginContext, ask: Ask) {
  const { repository } = context
  const found = repository instanceof DeployError ? undefined : repository
  let { setSecret, print } = wishes
  if (!isExplicit(wishes)) {
    setSecret = found !== undefined && (await ask(`Save the key as the secret ${SECRET_NAME} of ${found.name}?`, true))
    print = !setSecret && (await ask('Print the key here, for you to save?', false))
  }
  if (setSecret && found === undefined) throw repository
  const workflow = await chooseWorkflow(wishes, context, ask)
  return { secretOf: setSecret ? found : undefined, print, workflow }
}

/** Whether the options say what to do, so that nobody is asked. */
function isExplicit({ setSecret, print, writeWorkflow }: Wishes): boolean {
  return setSecret || print || writeWorkflow
}

/** What is to be written into the workflow file, if anything. */
async function chooseWorkflow(wishes: Wishes, { interactive, repository, workflow }: LoginContext, ask: Ask) {
  const { writeWorkflow: wanted } = wishes
  if (!wanted && isExplicit(wishes)) return undefined
  if (workflow instanceof DeployError && wanted) throw workflow
  if (workflow instanceof DeployError) return undefined
  const branch = repository instanceof DeployError ? undefined : repository.defaultBranch
  const text = recommendedWorkflow(branch)
  if (workflow.content === text) return undefined
  if (workflow.content === undefined) {
    return wanted || (await ask(`Write ${WORKFLOW_PATH}?`, true)) ? text : undefined
  }
  // Whoever has one and did not ask for another keeps it.
  if (!wanted) return undefined
  if (!interactive) {
    throw new DeployError(`${WORKFLOW_PATH} is there already, and is not the one that would be written`, {
      hint: 'Leave --write-workflow out to keep it, move it away to replace it, or run this in a terminal.',
    })
  }
  return (await ask(`${WORKFLOW_PATH} is there already. Replace it?`, false)) ? text : undefined
}

/** The program that opens an address in the browser of whoever sits at this machine. None of them is a shell. */
export function browserCommand(
  platform: NodeJS.Platform,
  address: string,
): { readonly program: string; readonly args: readonly string[] } {
  if (platform === 'darwin') return { program: 'open', args: [address] }
  // `start` is a word of the shell, which would take the ampersands in an address for its own.
  if (platform === 'win32') return { program: 'rundll32', args: ['url.dll,FileProtocolHandler', address] }
  return { program: 'xdg-open', args: [address] }
}

/**
 * Opens an address in the browser. Nobody waits for it: some of these programs end with the browser only.
 * @param onFailure called when it could not be opened
 */
export function openBrowser(platform: NodeJS.Platform, address: string, onFailure: () => void): void {
  const { program, args } = browserCommand(platform, address)
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.on('error', onFailure)
  child.on('exit', (code) => code !== 0 && onFailure())
  child.unref()
}

interface Streams {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
}

export function openTerminal({ stdin, stdout, stderr }: Streams): Terminal {
  let reading: Interface | undefined
  let lines: AsyncIterator<string> | undefined
  return {
    interactive: stdin.isTTY === true && stderr.isTTY === true,
    say: (text) => void stderr.write(`${text}\n`),
    print: (text) => void stdout.write(`${text}\n`),
    async line(signal) {
      signal.throwIfAborted()
      // Opened only now: an input that nobody asks for is left alone. And not as a terminal of its own, which would
      // keep Ctrl-C to itself.
      reading ??= createInterface({ input: stdin, terminal: false })
      lines ??= reading[Symbol.asyncIterator]()
      const next = lines.next()
      const { done, value } = await withinTime(systemClock, Number.POSITIVE_INFINITY, signal, () => next)
      return done ? undefined : value
    },
    [Symbol.dispose]: () => reading?.close(),
  }
}
