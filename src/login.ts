#!/usr/bin/env node
import { randomBytes } from 'node:crypto'
import { DeployError, errorMessage } from './core/errors.ts'
import { limitAnswers } from './core/http.ts'
import { proxiedFetch } from './core/proxy.ts'
import { readArguments, USAGE } from './login/arguments.ts'
import { openBrowser } from './login/browser.ts'
import { createGitHubCli } from './login/github-cli.ts'
import { KEY_MAY_REMAIN } from './login/leftover.ts'
import { runLogin } from './login/run-login.ts'
import { openTerminal } from './login/terminal.ts'
import { openWorkflowFile } from './login/workflow-file.ts'
import { Cancelled, cancelOnSignals } from './runner/signals.ts'

const PATIENCE_MS = 5 * 60_000

async function main(): Promise<void> {
  const command = readArguments(process.argv.slice(2))
  if (command.kind === 'help') return void process.stdout.write(USAGE)
  using cancelled = cancelOnSignals(process)
  using terminal = openTerminal(process)
  await runLogin(command.options, {
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
}

main().catch((error: unknown) => {
  const cancelled = error instanceof Cancelled
  const hint = error instanceof DeployError && error.hint ? `\n${error.hint}` : ''
  process.stderr.write(
    cancelled ? `Cancelled; nothing was stored. ${KEY_MAY_REMAIN}\n` : `ink-deploy: ${errorMessage(error)}${hint}\n`,
  )
  // What shells expect of a program that was interrupted.
  process.exitCode = cancelled ? 130 : 1
})
