import { randomBytes } from 'node:crypto'
import { fetchNamedBy } from '../core/addresses.ts'
import { limitAnswers } from '../core/http.ts'
import type { LoginOptions } from '../login/login.ts'
import { openBrowser, openTerminal, runLogin } from '../login/login.ts'
import { createGitHubCli, openWorkflowFile } from '../login/repository.ts'
import { KEY_MAY_REMAIN } from '../login/server.ts'
import { defaultEndpoint, endpoint as endpointType } from '../plan/values.ts'
import { Cancelled, cancelOnSignals } from '../runner/cancellation.ts'
import type { Command } from './command.ts'
import { onOff, readOptions, wrongUse } from './command.ts'

const USAGE = `Usage: ink-deploy login [options]

Gets an API key of ml.ink through the browser, without copying it. Stores nothing unless told: without options it
asks what to do; otherwise it does what the options say.

  --set-secret       save the key as the repository secret INK_API_KEY, with the GitHub CLI (gh)
  --write-workflow   write .github/workflows/deploy.yml; alone, it asks for no key
  --print            print the key, and nothing else, to standard output
  --no-browser       print the address to open, and read the address (or the code) that it led to
  --endpoint URL     MCP endpoint of ml.ink (default: ${defaultEndpoint})
  --help             show this
`

/**
 * @param args what stands behind `ink-deploy login`
 * @returns undefined when help is asked for
 * @throws DeployError that names the option, the value and what is allowed
 */
export function readArguments(args: readonly string[]): LoginOptions | undefined {
  const options = {
    endpoint: { type: 'string', default: defaultEndpoint },
    'no-browser': onOff,
    'set-secret': onOff,
    'write-workflow': onOff,
    print: onOff,
  } as const
  const { values } = readOptions(args, { command: 'login', options })
  if (values.help) return undefined
  const endpoint = endpointType.parse(values.endpoint)
  if ('allowed' in endpoint) {
    throw wrongUse('login', `--endpoint: must be ${endpoint.allowed}, not ${JSON.stringify(values.endpoint)}`)
  }
  return {
    endpoint: endpoint.value,
    browser: !values['no-browser'],
    setSecret: values['set-secret'],
    writeWorkflow: values['write-workflow'],
    print: values.print,
  }
}

const PATIENCE_MS = 5 * 60_000

/** `ink-deploy login`. */
export const loginCommand: Command = {
  summary: 'get an API key of ml.ink through the browser',
  async run(args, host) {
    const options = readArguments(args)
    if (options === undefined) return void host.stdout.write(USAGE)
    using cancelled = cancelOnSignals(host)
    using terminal = openTerminal(host)
    try {
      await runLogin(options, {
        fetch: limitAnswers(fetchNamedBy(options.endpoint, host.env)),
        terminal,
        openBrowser: (address, onFailure) => openBrowser(host.platform, address, onFailure),
        newState: () => randomBytes(32).toString('base64url'),
        patienceMs: PATIENCE_MS,
        now: Date.now,
        signal: cancelled.signal,
        github: createGitHubCli(host.cwd(), host.env),
        openWorkflowFile: () => openWorkflowFile(host.cwd()),
      })
    } catch (error) {
      if (!(error instanceof Cancelled)) throw error
      host.stderr.write(`Cancelled; nothing was stored. ${KEY_MAY_REMAIN}\n`)
      // What shells expect of a program that was interrupted.
      host.exitCode = 130
    }
  },
}
