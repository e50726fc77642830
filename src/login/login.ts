import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { Command } from '../cli/command.ts'
import { DeployError, errorMessage } from '../core/errors.ts'
import { limitAnswers } from '../core/http.ts'
import { proxiedFetch } from '../core/proxy.ts'
import type { Secret } from '../core/secret.ts'
import { settingTable } from '../plan/setting-table.ts'
import { parseEndpoint } from '../plan/values.ts'
import { Cancelled, cancelOnSignals } from '../runner/cancellation.ts'
import { decide, type Intent, isTold, refuseWithoutPlace, type Surroundings } from './decide.ts'
import { type ObtainDeps, obtainKey } from './key.ts'
import { openBrowser } from './loopback.ts'
import {
  createGitHubCli,
  type FoundRepository,
  type GitHubCli,
  openWorkflowFile,
  SECRET_NAME,
  WORKFLOW_PATH,
  type WorkflowFile,
} from './repository.ts'
import { KEY_MAY_REMAIN } from './server.ts'
import { openTerminal, type Terminal } from './terminal.ts'

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

const USAGE = `Usage: ink-deploy login [options]

Gets an API key of ml.ink through the browser, without copying it. Stores nothing unless told: without options it
asks what to do; otherwise it does what the options say.

  --set-secret       save the key as the repository secret INK_API_KEY, with the GitHub CLI (gh)
  --write-workflow   write .github/workflows/deploy.yml; alone, it asks for no key
  --print            print the key, and nothing else, to standard output
  --no-browser       print the address to open, and read the address (or the code) that it led to
  --endpoint URL     MCP endpoint of ml.ink (default: ${settingTable.endpoint.fallback})
  --help             show this
`

/**
 * @param args what stands behind `ink-deploy login`
 * @returns undefined when help is asked for
 * @throws DeployError that names the option, the value and what is allowed
 */
export function readArguments(args: readonly string[]): LoginOptions | undefined {
  const { values } = parsed(args)
  if (values.help) return undefined
  const endpoint = parseEndpoint(values.endpoint)
  if ('allowed' in endpoint) {
    throw wrong(`--endpoint: must be ${endpoint.allowed}, not ${JSON.stringify(values.endpoint)}`)
  }
  return {
    endpoint: endpoint.value,
    browser: !values['no-browser'],
    setSecret: values['set-secret'],
    writeWorkflow: values['write-workflow'],
    print: values.print,
  }
}

function parsed(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      args: [...args],
      options: {
        endpoint: { type: 'string', default: settingTable.endpoint.fallback },
        'no-browser': flag,
        'set-secret': flag,
        'write-workflow': flag,
        print: flag,
        help: { ...flag, short: 'h' },
      },
    })
  } catch (error) {
    throw wrong(errorMessage(error))
  }
}

function wrong(what: string): DeployError {
  return new DeployError(what, { hint: 'See: ink-deploy login --help' })
}

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
  const choosing = !isTold(options)
  const file = attempt(deps.openWorkflowFile)
  const surroundings: Surroundings = {
    interactive: terminal.interactive,
    repository: await findRepository(deps.github, options.setSecret || options.writeWorkflow || choosing),
    workflow: file,
  }
  deps.signal.throwIfAborted()
  if (choosing && surroundings.repository instanceof DeployError) {
    terminal.say(`The key cannot be saved as a secret from here: ${surroundings.repository.message}.`)
  }
  const intent = await decide(options, surroundings, (question, usual) => askOn(terminal, question, usual, deps.signal))
  const hasPlace = intent.secretOf !== undefined || intent.print
  if (hasPlace) await putKey(await obtainKey(options, deps), intent, deps)
  else if (choosing) terminal.say('No key was asked for, as there is nowhere to put it.')
  if (intent.workflow !== undefined && !(file instanceof DeployError)) {
    await file.write(intent.workflow)
    const first = intent.secretOf === undefined ? `save a key as the secret ${SECRET_NAME}, then ` : ''
    terminal.say(`Wrote ${WORKFLOW_PATH}. To deploy, ${first}commit and push it.`)
  } else if (!hasPlace && !choosing) {
    terminal.say(`${WORKFLOW_PATH} stays as it is.`)
  }
}

async function findRepository(github: GitHubCli, needed: boolean): Promise<FoundRepository | DeployError> {
  if (!needed) return new DeployError('gh was not asked')
  try {
    return await github.repository()
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
}

function attempt(open: () => WorkflowFile): WorkflowFile | DeployError {
  try {
    return open()
  } catch (error) {
    if (error instanceof DeployError) return error
    throw error
  }
}

async function putKey(key: Secret, intent: Intent, { github, terminal }: LoginDeps): Promise<void> {
  // First, because the next step can fail and the key must not be lost with it.
  if (intent.print) terminal.hand(key.reveal())
  if (intent.secretOf === undefined) return
  try {
    await github.setSecret(intent.secretOf, SECRET_NAME, key)
  } catch (cause) {
    throw new DeployError(`the key could not be saved as a secret of ${intent.secretOf.name}`, {
      cause,
      hint: intent.print
        ? 'Secrets can be set by whoever has write access. The key was printed; save it by hand.'
        : `Secrets can be set by whoever has write access. The key is stored nowhere. ${KEY_MAY_REMAIN} ` +
          'Log in again once that is mended, or with --print to save the key by hand.',
    })
  }
  terminal.say(`Saved as the secret ${SECRET_NAME} of ${intent.secretOf.name}.`)
}

async function askOn(terminal: Terminal, question: string, usual: boolean, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    terminal.say(`${question} ${usual ? '[Y/n]' : '[y/N]'}`)
    const answer = (await terminal.line(signal))?.trim().toLowerCase()
    if (answer === undefined) throw new DeployError('there was no answer', { hint: 'Nothing was stored.' })
    if (answer === '') return usual
    if (/^y(es)?$/.test(answer)) return true
    if (/^no?$/.test(answer)) return false
  }
}

const PATIENCE_MS = 5 * 60_000

/** `ink-deploy login`. */
export const loginCommand: Command = {
  summary: 'get an API key of ml.ink through the browser',
  async run(args, process) {
    const options = readArguments(args)
    if (options === undefined) return void process.stdout.write(USAGE)
    using cancelled = cancelOnSignals(process)
    using terminal = openTerminal(process)
    try {
      await runLogin(options, {
        fetch: limitAnswers(proxiedFetch(process.env)),
        terminal,
        openBrowser: (address, onFailure) => openBrowser(process.platform, address, onFailure),
        newState: () => randomBytes(32).toString('base64url'),
        patienceMs: PATIENCE_MS,
        now: Date.now,
        signal: cancelled.signal,
        github: createGitHubCli(process.cwd(), process.env),
        openWorkflowFile: () => openWorkflowFile(process.cwd()),
      })
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error
      process.stderr.write(`Cancelled; nothing was stored. ${KEY_MAY_REMAIN}\n`)
      // What shells expect of a program that was interrupted.
      process.exitCode = 130
    }
  },
}
