import * as core from '@actions/core'
import { harmlessLine, harmlessText } from '../core/sanitize.ts'

/** The run's log. Every text may hold words of strangers (titles, branches), so nothing in it can act as a command. */
export interface RunLog {
  startGroup(title: string): void
  endGroup(): void
  info(text: string): void
  debug(text: string): void
  notice(text: string): void
  warning(text: string): void
  /** One line written by somebody else: a build log, an answer. */
  foreign(line: string): void
}

/** Writes to the runner. */
export function openLog(): RunLog {
  return {
    startGroup: (title) => core.startGroup(harmlessLine(title)),
    endGroup: () => core.endGroup(),
    info: (text) => core.info(harmlessText(text)),
    // These are commands themselves, in which the library escapes whatever the text holds.
    debug: (text) => core.debug(text),
    notice: (text) => core.notice(text),
    warning: (text) => core.warning(text),
    foreign: (line) => core.info(harmlessLine(line)),
  }
}
