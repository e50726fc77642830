import { fileURLToPath } from 'node:url'
import { type Sandbox, startSandbox } from './index.ts'
import type { RunResult } from './runner/runner.ts'
import { type StoryStep, tellStory } from './story.ts'
import { renderForTerminal } from './terminal-markdown.ts'

/**
 * `npm start`: the life of a pull request in one terminal, told by the bundled action itself. Afterwards the sandbox stays
 * up for looking around; with `--exit` it ends at once, with a failure when any step was not as it should be.
 */

const action = fileURLToPath(new URL('..', import.meta.url))
const green = (text: string) => `\u001b[32m${text}\u001b[39m`
const red = (text: string) => `\u001b[31m${text}\u001b[39m`
const bold = (text: string) => `\u001b[1m${text}\u001b[22m`
const dim = (text: string) => `\u001b[2m${text}\u001b[22m`
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

/** The log as the page of a run shows it at first: a closed group is its title, with the last line for its result. */
function foldedLog({ log, main }: RunResult): string[] {
  const lines: string[] = []
  let group: { title: string; last: string } | undefined
  for (const line of log.split('\n')) {
    const [, command, text = ''] = /^##\[(\w+)\](.*)$/.exec(line) ?? []
    if (command === 'group') group = { title: text, last: '' }
    else if (command === 'endgroup') {
      if (group) lines.push(`▸ ${group.title}${group.last ? dim(` · ${group.last}`) : ''}`)
      group = undefined
    } else if (group) group.last = line
    else if (command === 'error') lines.push(red(text))
    else if (line.trim() !== '') lines.push(text || line)
  }
  const result = main.conclusion === 'success' ? green('● run succeeded') : red('● run failed')
  return [result, ...lines].map((line) => `   ${line}`)
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
