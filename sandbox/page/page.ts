import type { IncomingMessage, ServerResponse } from 'node:http'
import type { GitHub } from '../github/github.ts'
import type { InkPlatform } from '../ink/platform.ts'
import type { RunBook } from './run-book.ts'

/** Whose state the page shows. GitHub comes as a function, since the page is served by it and so made before it. */
export interface PageSources {
  readonly ink: InkPlatform
  readonly book: RunBook
  readonly github: () => GitHub
}

export interface Page {
  handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>
  /** Ends the streams of updates. */
  close(): void
}

export function createPage(_sources: PageSources): Page {
  return {
    async handle(_request, response) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not Found\n')
    },
    close: () => undefined,
  }
}
