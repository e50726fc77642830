import { fileURLToPath } from 'node:url'
import { foldedLog } from './folded-log.ts'
import { type Sandbox, startSandbox } from './index.ts'
import { type StoryStep, tellStory } from './story.ts'
import { renderForTerminal } from './terminal-markdown.ts'
import { bold, dim, green, red } from './terminal-style.ts'

/**
 * `npm start`: the life of a pull request in one terminal, told by the bundled action itself. Afterwards the sandbox stays
 * up for looking around; with `--exit` it ends at once, with a failure when any step was not as it should be.
 */

const action = fileURLToPath(new URL('..', import.meta.url))
const say = (...lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`)

async function demo(exitAtOnce: boolean): Promise<boolean> {
  const interrupted = interruption()
  await using sandbox = await startSandbox()
  say(bold('Ink Deploy on the sandbox'), dim(`ml.ink ${sandbox.ink.endpoint} · GitHub ${sandbox.github.serverUrl}`), '')
  const finished = tell(sandbox)
  const well = await Promise.race([finished, interrupted])
  if (well === 'interrupted') return true
  if (exitAtOnce) return well
  say('', `Look around: ${bold(`${sandbox.github.serverUrl}/acme/hello/pull/1`)}`, dim('Ctrl-C ends everything.'))
  await interrupted
  return well
}

async function tell(sandbox: Sandbox): Promise<boolean> {
  const startedAt = Date.now()
  let number = 0
  let well = true
  const run = (options: Parameters<Sandbox['run']>[0]) => sandbox.run({ action, ...options })
  for await (const step of tellStory({ ink: sandbox.ink, github: sandbox.github, run })) {
    number++
    show(number, step)
    well = well && step.checks.every(({ holds }) => holds)
  }
  const seconds = ((Date.now() - startedAt) / 1000).toFixed(1)
  say(
    well
      ? green(bold(`All ${number} steps were as they should be (${seconds} s)`))
      : red(bold('Something was not as it should be; see ✗ above')),
  )
  return well
}

function show(number: number, { title, runs, comment, urls, checks }: StoryStep): void {
  say(bold(`${number}. ${title}`), '')
  for (const run of runs) say(...foldedLog(run), '')
  if (comment)
    say(dim('   comment on the pull request'), ...renderForTerminal(comment).map((line) => `   ┃ ${line}`), '')
  for (const { service, url } of urls) say(`   ${service} → ${url}`)
  for (const { what, holds } of checks) say(`   ${holds ? green('✓') : red('✗')} ${what}`)
  say('')
}

/** Resolves on the first Ctrl-C; a second one ends the process the hard way. */
function interruption(): Promise<'interrupted'> {
  return new Promise((resolve) => {
    const onSignal = () => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      resolve('interrupted')
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

const wentWell = await demo(process.argv.includes('--exit'))
process.exitCode = wentWell ? 0 : 1
