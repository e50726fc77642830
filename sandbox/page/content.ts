import type { GitHub } from '../github/github.ts'
import type { InkPlatform } from '../ink/platform.ts'
import type { GitReads } from './git-reads.ts'
import type { Html } from './html.ts'
import type { RunBook } from './run-book.ts'

/** A part of a page that is replaced as a whole when it changes. */
export interface Region {
  readonly id: string
  readonly html: Html
  /** Stands beside the others where there is room. */
  readonly aside?: boolean
}

/** A page as its room makes it: what the layout needs, and what updates are compared by. */
export interface PageContent {
  readonly title: string
  readonly regions: readonly Region[]
}

/** Whose state the page shows. GitHub comes as a function, since the page is served by it and so made before it. */
export interface PageSources {
  readonly ink: InkPlatform
  readonly book: RunBook
  readonly git: GitReads
  readonly github: () => GitHub
}
