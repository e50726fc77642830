import { parseArgs } from 'node:util'
import { DeployError, errorMessage } from '../core/errors.ts'
import { defaultEndpoint, parseEndpoint } from '../plan/values.ts'

/** What was asked for on the command line. */
export type Command = { readonly kind: 'help' } | { readonly kind: 'login'; readonly options: LoginOptions }

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

export const USAGE = `Usage: ink-deploy login [options]

Gets an API key of ml.ink through the browser, without copying it. Stores nothing unless told: without options it
asks what to do; otherwise it does what the options say.

  --set-secret       save the key as the repository secret INK_API_KEY, with the GitHub CLI (gh)
  --write-workflow   write .github/workflows/deploy.yml; alone, it asks for no key
  --print            print the key, and nothing else, to standard output
  --no-browser       print the address to open, and read the address (or the code) that it led to
  --endpoint URL     MCP endpoint of ml.ink (default: ${defaultEndpoint})
  --help             show this
`

/** @throws DeployError that names the option, the value and what is allowed */
export function readArguments(args: readonly string[]): Command {
  const { values, positionals } = parsed(args)
  if (values.help || args.length === 0) return { kind: 'help' }
  const [command, ...others] = positionals
  if (command !== 'login' || others.length > 0) {
    throw wrong(`there is one command, login, not ${JSON.stringify(positionals.join(' '))}`)
  }
  const endpoint = parseEndpoint(values.endpoint)
  if ('allowed' in endpoint) {
    throw wrong(`--endpoint: must be ${endpoint.allowed}, not ${JSON.stringify(values.endpoint)}`)
  }
  return {
    kind: 'login',
    options: {
      endpoint: endpoint.value,
      browser: !values['no-browser'],
      setSecret: values['set-secret'],
      writeWorkflow: values['write-workflow'],
      print: values.print,
    },
  }
}

function parsed(args: readonly string[]) {
  const flag = { type: 'boolean', default: false } as const
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        endpoint: { type: 'string', default: defaultEndpoint },
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
  return new DeployError(what, { hint: 'See: ink-deploy --help' })
}
