#!/usr/bin/env node
import { type Command, commandIn, usage } from './cli/command.ts'
import { explainCommand } from './cli/explain.ts'
import { initCommand } from './cli/init.ts'
import { loginCommand } from './cli/login.ts'
import { DeployError, errorMessage } from './core/errors.ts'

const COMMANDS: Readonly<Record<string, Command>> = {
  init: initCommand,
  login: loginCommand,
  explain: explainCommand,
}

async function main(): Promise<void> {
  const asked = commandIn(process.argv.slice(2), COMMANDS)
  if (asked === undefined) return void process.stdout.write(usage(COMMANDS))
  await asked.command.run(asked.args, process)
}

main().catch((error: unknown) => {
  const hint = error instanceof DeployError && error.hint ? `\n${error.hint}` : ''
  process.stderr.write(`ink-deploy: ${errorMessage(error)}${hint}\n`)
  process.exitCode = 1
})
