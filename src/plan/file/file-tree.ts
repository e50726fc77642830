/** A repository as far as it is looked at: paths with `/`, relative to its root. */
export interface FileTree {
  readonly paths: readonly string[]
  /** Undefined for what is not there. */
  read(path: string): string | undefined
}

/** What a directory has that runs. */
export interface Found {
  /** What it is, for people: `a Vite app`. */
  readonly kind: string
  /** Settings by their keys below a service of `ink.yml`, such as `build.publish`. */
  readonly settings: Readonly<Record<string, string>>
  /** Why these settings, each a sentence. */
  readonly reasons: readonly string[]
}

/** The path of what lies in a directory. */
export function at(folder: string, name: string): string {
  return folder === '.' ? name : `${folder}/${name}`
}

/** Whether a directory has a file of this name. */
export function has({ paths }: FileTree, folder: string, name: string): boolean {
  return paths.includes(at(folder, name))
}

/** An object that was parsed, by its keys; an empty one for anything else. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
