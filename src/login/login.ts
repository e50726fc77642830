import { DeployError } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import { decide, isTold, type LoginContext, type LoginIntent, type LoginOptions, refuseWithoutPlace } from './decide.ts'
import { type ObtainDeps, obtainKey } from './key.ts'
import { type FoundRepository, type GitHubCli, SECRET_NAME, WORKFLOW_PATH, type WorkflowFile } from './repository.ts'
import { KEY_MAY_REMAIN } from './server.ts'
import type { Terminal } from './terminal.ts'

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
  const context: LoginContext = {
    interactive: terminal.interactive,
    repository: await findRepository(deps.github, options.setSecret || options.writeWorkflow || choosing),
    workflow: file,
  }
  deps.signal.throwIfAborted()
  if (choosing && context.repository instanceof DeployError) {
    terminal.say(`The key cannot be saved as a secret from here: ${context.repository.message}.`)
  }
  const intent = await decide(options, context, (question, usual) => askOn(terminal, question, usual, deps.signal))
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

async function putKey(key: Secret, intent: LoginIntent, { github, terminal }: LoginDeps): Promise<void> {
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
          'Log in again once that is fixed, or with --print to save the key by hand.',
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
