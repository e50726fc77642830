import type { Html } from './html.ts'

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
