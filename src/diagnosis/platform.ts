import { innermostReason } from '../core/errors.ts'
import { adviceFor, type Hint } from './hints.ts'
import { type Ranked, scoreOf, TELLING, withoutPrefix } from './lines.ts'
import { failedCommand, type Section, withoutBuilder } from './section.ts'

/** What the platform says of a failure, and what that means. */
export interface Said {
  /** As it came. */
  readonly raw: string | undefined
  /** The innermost reason. */
  readonly text: string
  /** Whether it tells more than that something ended. */
  readonly tells: boolean
  readonly ended: 'build' | 'run'
  /** Whether the process is known to have ended, so that it cannot merely be unreachable. */
  readonly exited: boolean
}

/** What the platform tells of a deployment that failed. Lines are sanitized, oldest first. */
export interface Told {
  /** Where it failed, as far as known; what the platform says may tell better. */
  readonly phase: 'build' | 'run' | undefined
  readonly status: 'failed' | 'crashed' | 'timed-out' | 'unhealthy' | 'cancelled'
  /** The platform's own words. */
  readonly errorMessage: string | undefined
  readonly deployLogs: readonly string[]
  readonly runtimeLogs: readonly string[]
  /** What the deployed files tell of how the app is to be started: better advice where nothing starts, or stays. */
  readonly howToStart?: string | undefined
}

/** Advice about a failure as a whole. */
export interface Ending {
  readonly cause: string
  readonly hint: string
}

/** A container that ends at once is gone before its phase was ever seen; what the platform says of it tells. */
const AFTER_BUILD =
  /\bcontainer (?:exited|crashed|failed)|\broll-?out\b|accepts? connections|readiness|health ?check|progress deadline|crash ?loop|back-off restarting/i
const EXITED =
  /\bexited with\b|\bcontainer (?:exited|crashed|failed to (?:start|create))|failed to create (?:shim|containerd) task|crash ?loop|OOMKilled|back-off restarting/i
const ONLY_ENDED =
  /\bexit(?:ed)?(?: with)?(?: code| status)?:? \d+|timed out waiting for rollout|progress deadline|accepts? connections|did not complete successfully/i

/** How the log of a build ends that went well. */
const SUCCEEDED =
  /^(?:DONE [\d.]+s|BUILD SUCCESS|exporting to image|pushing|.*\bsuccessfully (?:built|tagged|pushed)\b)/i

/** Reads the platform's words. */
export function saidByPlatform({ phase, status, errorMessage, deployLogs, runtimeLogs }: Told): Said {
  const text = innermost(errorMessage ?? '')
  const afterBuild = AFTER_BUILD.test(text) || status === 'crashed' || status === 'unhealthy'
  const last = deployLogs.findLast((line) => line.trim() !== '')
  const built = failedCommand(text) === undefined && (last === undefined || SUCCEEDED.test(withoutPrefix(last)))
  return {
    raw: errorMessage,
    text,
    tells: text !== '' && !ONLY_ENDED.test(text) && scoreOf(text) >= TELLING,
    ended: afterBuild || phase === 'run' || (built && runtimeLogs.length > 0) ? 'run' : 'build',
    exited: status === 'crashed' || EXITED.test(text),
  }
}

function innermost(message: string): string {
  const lines = innermostReason(message)
    .split(/\r?\n| ⏎ /)
    .map((line) => withoutBuilder(withoutPrefix(line)).trim())
  const telling = lines.find((line) => scoreOf(line) >= TELLING) ?? lines.find((line) => line !== '') ?? ''
  // The first line says what was done, and what git wrote below it why it failed: together they are the reason.
  const [doing] = /^(?:git )?clone failed/.exec(lines[0] ?? '') ?? []
  if (doing === undefined || telling.startsWith(doing)) return telling
  return `${doing}: ${telling.replace(/^(?:output: )?(?:(?:fatal|error): )?/, '')}`
}

/** What no log can tell better. */
const FINAL_HINTS: readonly Hint[] = [
  {
    at: /\b402\b|payment required|insufficient (?:credits?|funds|balance)|billing (?:account )?(?:is )?(?:required|inactive|suspended)/i,
    cause: 'The ml.ink account cannot pay for this deployment',
    todo: 'Add credits or a payment method to the ml.ink account, then run this again.',
  },
  {
    at: /^(?<what>.*\b(?:quota|limit)\b.{0,40}\b(?:reached|exceeded).*)/i,
    without: /memory|rate limit|heap|disk|time limit/i,
    cause: 'The account’s limit is reached: {what}',
    todo: 'Remove what is no longer needed, or raise the limit of the ml.ink account.',
  },
  {
    at: /region "?(?<region>[\w-]+)"?(?: is not available| is unknown| not found)|unknown region "(?<region2>[^"]+)"/i,
    cause: 'The region “{region|region2}” is unknown or not available',
    todo: 'Name another region in the settings, or leave it out.',
  },
  {
    at: /StartToClose timeout|build (?:took too long|timed out|exceeded the time limit)/i,
    cause: 'The build took longer than the platform allows (10 minutes)',
    todo: 'Make the build shorter: install from a lock file, leave tests out of it, or build in the workflow and deploy the result.',
  },
  {
    at: /docker ?compose build pack is not supported/i,
    cause: 'The platform does not build from Docker Compose files',
    todo: 'Set the build pack to `dockerfile` or `railpack`, and deploy each service of the compose file on its own.',
  },
]

/** Advice on the platform's words where no log can tell better. */
export function finalAdvice({ text, ended }: Said): Ending | undefined {
  const advice = text === '' ? undefined : adviceFor(FINAL_HINTS, [text], 0, text, ended)
  return advice && { cause: advice.cause ?? text, hint: advice.todo }
}

const LISTENING = /\b(?:listening|running|started|starting|serving|ready|server|available|local:)/i
const LOCAL = /(?:127\.0\.0\.1|localhost|\[::1\])(?::(?<port>\d{2,5}))?/i
const EVERYWHERE = /Network:\s+https?:\/\/|0\.0\.0\.0|\[::\]:|\*:\d/i
const OTHER_PORT =
  /\b(?:listening|running|started|serving|ready)\b.{0,60}?(?:port[ :=]+|0\.0\.0\.0:|\[::\]:|\*:|:::?)(?<port>\d{2,5})\b/i

/** A server that is up where the platform does not look; one that printed an error afterwards may not be up any more. */
export function listening(
  { runtimeLogs, status }: Told,
  best: Ranked | undefined,
  section: Section | undefined,
): (Ending & { readonly at: number }) | undefined {
  if (status === 'unhealthy' && best !== undefined && best.score >= TELLING) return undefined
  const lines = runtimeLogs.map(withoutPrefix)
  const at = lines.findLastIndex((line) => LISTENING.test(line) && (LOCAL.test(line) || OTHER_PORT.test(line)))
  if (at < 0) return undefined
  const failing = best === undefined || best.score < TELLING ? -1 : lines.lastIndexOf(section?.lines[best.at] ?? '')
  if (failing > at) return undefined
  const around = lines.slice(Math.max(0, at - 1), at + 4).join('\n')
  const local = LOCAL.exec(lines[at] ?? '')
  if (local !== null && !EVERYWHERE.test(around)) {
    const port = local.groups?.port === undefined ? '' : `:${local.groups.port}`
    return {
      at,
      cause: `The application listens on localhost${port}, where the platform cannot reach it`,
      hint: `${LISTEN}, for example \`--host 0.0.0.0 --port $PORT\`.`,
    }
  }
  const port = OTHER_PORT.exec(lines[at] ?? '')?.groups?.port
  if (port === undefined || local !== null) return undefined
  return {
    at,
    cause: `The application listens on port ${port}, but nothing answers where the platform looks`,
    hint: `Let it listen on the port in the PORT environment variable, or set \`port\` in ink.yml to ${port}.`,
  }
}

const CODES: Readonly<Record<string, string>> = {
  '126': 'The command may not be executed: make it executable (`git update-index --chmod=+x FILE`) and commit that.',
  '127': 'The command does not exist in the image: install what provides it, or correct its name.',
  '137': 'It was killed, as a rule for its memory: give it more with the `memory` input, or make it need less.',
  '139':
    'It crashed in native code (segmentation fault): look at native dependencies, and whether they fit this image.',
  '143': 'It was asked to stop (SIGTERM): something ended it from outside, often a time limit.',
}
const ENDINGS: Readonly<Record<Told['status'], string>> = {
  failed: 'The deployment failed',
  crashed: 'The service crashed',
  'timed-out': 'The deployment took too long',
  unhealthy: 'The service does not answer as wanted',
  cancelled: 'The deployment was cancelled',
}
const EXIT_CODE = /\bexit(?:ed)?(?: with)?(?: code| status)?:? (\d+)/
const LISTEN = 'Let the application listen on 0.0.0.0 and on the port in the PORT environment variable'

/** How it ended, where nothing tells why. */
export function ending({ status, howToStart }: Told, { raw = '', text, ended }: Said, log: readonly string[]): Ending {
  const last = log.findLast((line) => line.trim() !== '')?.trim()
  const failed = [raw, ...log].findLast((line) => failedCommand(line) !== undefined) ?? ''
  const command = failedCommand(failed)?.replace(/^(?:\/bin\/)?(?:ba)?sh -c /, '')
  const code = EXIT_CODE.exec(raw)?.[1] ?? EXIT_CODE.exec(failed)?.[1]
  const hint = CODES[code ?? '']
  if (ended === 'build' && command !== undefined) {
    const cause = `\`${command}\` failed${code === undefined ? '' : ` with exit code ${code}`}`
    return { cause, hint: hint ?? 'Its last lines are below; run the same command on a fresh clone to see it fail.' }
  }
  if (ended === 'run' && code !== undefined) {
    const server = 'A server must keep running; set `start` in ink.yml when the wrong thing was started.'
    return {
      cause: `The application stopped with exit code ${code} without saying why`,
      hint: hint ?? howToStart ?? server,
    }
  }
  if (/rollout|accepts? connections|progress deadline|readiness|health ?check|deadline exceeded/i.test(text)) {
    const cause = 'The container started, but never accepted connections on its port'
    return { cause, hint: howToStart ?? `${LISTEN} within 3 minutes of its start.` }
  }
  if (status === 'timed-out' && last !== undefined) {
    if (ended === 'run') {
      const cause = 'The time ran out while the new version was rolled out: it started, but did not become active'
      return { cause, hint: `${LISTEN}. Raise \`timeout\` when it starts slowly.` }
    }
    const shorter = 'Raise `timeout`, or make the build shorter: install from a lock file and leave tests out of it.'
    return { cause: `The time ran out during the build, at: ${last}`, hint: shorter }
  }
  const cause = `${ENDINGS[status]}: ${text || last || 'the platform gave no reason, and there are no log lines'}`
  return { cause, hint: 'Nothing in the log says why. The lines below are its end.' }
}
