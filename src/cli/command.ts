import { type ParseArgsConfig, parseArgs } from 'node:util'
import { DeployError, errorMessage } from '../core/errors.ts'

/** A command of `ink-deploy`. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string
  /**
   * @param args what stands behind the command's name
   * @param host the process that it runs in
   */
  run(args: readonly string[], host: NodeJS.Process): Promise<void>
}

/** The list of commands, for `ink-deploy --help`. */
export function usage(commands: Readonly<Record<string, Command>>): string {
  const names = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}\n`)
  return `Usage: ink-deploy COMMAND [options]\n\n${names.join('')}\nink-deploy COMMAND --help tells more of one.\n`
}

/**
 * The command that is asked for.
 * @returns undefined when help is asked for
 * @throws DeployError that names the commands there are
 */
export function commandIn(
  args: readonly string[],
  commands: Readonly<Record<string, Command>>,
): { readonly command: Command; readonly args: readonly string[] } | undefined {
  const [name, ...rest] = args
  if (name === undefined || name === '--help' || name === '-h') return undefined
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command !== undefined) return { command, args: rest }
  const known = Object.keys(commands).join(', ')
  throw new DeployError(`there is no command ${JSON.stringify(name)}; the commands are ${known}`, {
    hint: 'See: ink-deploy --help',
  })
}

/** An option that is given or not. */
export const onOff = { type: 'boolean', default: false } as const

/**
 * What stands behind a command's name.
 * @param operand what may stand there beside options, once
 * @throws DeployError that names what there is not
 */
export function readOptions<O extends NonNullable<ParseArgsConfig['options']>>(
  args: readonly string[],
  { command, options, operand }: { readonly command: string; readonly options: O; readonly operand?: string },
) {
  const read = () => {
    try {
      const all = { ...options, help: { ...onOff, short: 'h' } as const }
      return parseArgs({ args: [...args], allowPositionals: operand !== undefined, options: all })
    } catch (error) {
      throw wrongUse(command, errorMessage(error))
    }
  }
  const { values, positionals } = read()
  if (positionals.length > 1)
    throw wrongUse(command, `there is one ${operand}, not ${JSON.stringify(positionals.join(' '))}`)
  return { values, operand: positionals[0] }
}

export function wrongUse(command: string, what: string): DeployError {
  return new DeployError(what, { hint: `See: ink-deploy ${command} --help` })
}
