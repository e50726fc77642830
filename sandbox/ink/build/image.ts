import { resolve, sep } from 'node:path'

/** What a build leaves behind: a folder, and how to serve or start it. */
export interface Image {
  readonly key: string
  readonly folder: string
  readonly serve:
    | { readonly kind: 'static'; readonly directory: string }
    | {
        readonly kind: 'process'
        readonly command: string
        readonly workingDirectory: string
        readonly env: Readonly<Record<string, string>>
      }
}

/** A build that ended badly; the message is what the platform reports. */
export class BuildFailure extends Error {
  override readonly name = 'BuildFailure'
  /** What failed: an activity of the build's workflow, or the workflow itself. */
  readonly step: 'clone' | 'build' | 'workflow'

  constructor(message: string, step: 'clone' | 'build' | 'workflow' = 'build') {
    super(message)
    this.step = step
  }
}

/** What a build may use of the world. */
export interface BuildTools {
  /** Runs a shell command in the build's environment; its output goes to the build log. Throws `BuildFailure` when it fails. */
  readonly run: (command: string, workingDirectory: string, env?: Readonly<Record<string, string>>) => Promise<void>
  readonly log: (line: string) => void
}

/** Joins a path from the configuration to a folder; refuses one that leads out of it. */
export function insideFolder(folder: string, path: string): string {
  const joined = resolve(folder, path)
  if (joined !== folder && !joined.startsWith(folder + sep)) throw new BuildFailure(`path escapes the source: ${path}`)
  return joined
}
