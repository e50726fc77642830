import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { foldedLog } from './folded-log.ts'
import type { Sandbox } from './index.ts'
import { assertGit, explain, interruption } from './process.ts'
import type { StoryStep } from './story.ts'
import { renderForTerminal } from './terminal-markdown.ts'
import { bold, dim, green, isTerminal, red } from './terminal-style.ts'

/**
 * `npm start`: the life of a pull request in one terminal, told by the bundled action itself. While the preview is live it
 * waits for Enter, and afterwards the sandbox stays up for looking around; with `--exit` it does neither, and fails when any
 * step was not as it should be.
 */

const USAGE = `Usage: npm start -- [--exit]

  --exit  ends when the story is told, with exit code 1 when something was not as it should be`

const action = fileURLToPath(new URL('..', import.meta.url))
const say = (...lines: readonly string[]) => process.stdout.write(`${lines.join('\n')}\n`)

async function demo(exitAtOnce: boolean, interrupted: AbortSignal): Promise<boolean> {
  // Not before it is sure that there is something to start: it takes a second.
  const { startSandbox } = await import('./index.ts')
  await using sandbox = await startSandbox()
  say(bold('Ink Deploy on the sandbox'), dim(`ml.ink ${sandbox.ink.endpoint} · GitHub ${sandbox.github.serverUrl}`), '')
  const ending = once(interrupted, 'abort').then(() => 'interrupted' as const)
  const pause = exitAtOnce || !process.stdin.isTTY ? undefined : enter
  const well = await Promise.race([tell(sandbox, pause), ending])
  if (well === 'interrupted') return true
  if (exitAtOnce) return well
  say('', `Look around: ${bold(pullUrl(sandbox))}`, dim('Ctrl-C ends everything.'))
  await ending
  return well
}

const pullUrl = (sandbox: Sandbox) => `${sandbox.github.serverUrl}/acme/hello/pull/1`

/** Resolves when somebody presses Enter. */
async function enter(): Promise<void> {
  process.stdin.resume()
  await once(process.stdin, 'data')
  process.stdin.pause()
}

async function tell(sandbox: Sandbox, pause: (() => Promise<void>) | undefined): Promise<boolean> {
  const { tellStory } = await import('./story.ts')
  let told = 0
  let spentMs = 0
  let well = true
  const run = async (options: Parameters<Sandbox['run']>[0]) => {
    const line = progressLine(options.event.name)
    return sandbox.run({ action, onLine: line.hear, ...options }).finally(line.clear)
  }
  let startedAt = Date.now()
  for await (const step of tellStory({ ink: sandbox.ink, github: sandbox.github, run })) {
    told++
    spentMs += Date.now() - startedAt
    show(told, step)
    well = well && step.checks.every(({ holds }) => holds)
    if (step.lookAround && pause !== undefined) {
      say(
        `All of it is live now: ${bold(pullUrl(sandbox))}`,
        dim('Enter merges the pull request, which takes the preview away.'),
      )
      await pause()
    }
    startedAt = Date.now()
  }
  const seconds = (spentMs / 1000).toFixed(1)
  say(
    well
      ? green(bold(`All ${told} steps were as they should be (${seconds} s)`))
      : red(bold('Something was not as it should be; see ✗ above')),
  )
  return well
}

/** What goes on while a run has not ended: the group that is open, on a line that is written over. */
function progressLine(event: string) {
  const write = (text: string) => process.stdout.write(isTerminal ? `\r\u001b[K${text}` : '')
  if (isTerminal) write(dim(`   … ${event}`))
  else say(dim(`   … ${event}`))
  return {
    hear(line: string) {
      const [, title] = /^##\[group\](.*)$/.exec(line) ?? []
      if (title !== undefined) write(dim(`   … ${event}: ${title}`.slice(0, (process.stdout.columns || 80) - 1)))
    },
    clear: () => void write(''),
  }
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

async function main(): Promise<void> {
  try {
    const { values } = parseArgs({ options: { exit: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } })
    if (values.help) {
      say(USAGE)
      return
    }
    const interrupted = interruption()
    await assertGit()
    process.exitCode = (await demo(values.exit === true, interrupted)) ? 0 : 1
  } catch (error) {
    process.stderr.write(explain(error, USAGE))
    process.exitCode = 1
  }
}

await main()
