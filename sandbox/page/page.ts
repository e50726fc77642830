import type { IncomingMessage, ServerResponse } from 'node:http'
import { sendAsset } from './assets.ts'
import type { PageContent, PageSources } from './content.ts'
import { html } from './html.ts'
import { renderDocument } from './layout.ts'
import { createLiveUpdates } from './live-updates.ts'
import { contentAt } from './routes.ts'
import { rawLog } from './run-page.ts'
import { findRun } from './shown-runs.ts'

/** What people see in a browser at GitHub's address. */
export interface Page {
  handle(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void>
  /** Ends the streams of updates. */
  close(): void
}

/**
 * Scripts and styles come from files only, so that no text of a stranger can be one even if it got past the sanitiser;
 * only the preview may be framed from elsewhere.
 */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self' http: https:; base-uri 'none'; form-action 'none'"

export function createPage(sources: PageSources): Page {
  const updates = createLiveUpdates()
  return {
    async handle(request, response, url) {
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        request.resume()
        sendText(response, 405, 'Only pages are here; changes go through the API.\n')
        return
      }
      if (await sendAsset(response, url.pathname)) return
      if (url.pathname === '/-/updates') {
        const path = url.searchParams.get('path') ?? '/'
        updates.follow(response, () => contentAt(sources, path))
        return
      }
      const log = logAt(sources, url.pathname)
      if (log !== undefined) return sendText(response, 200, log)
      const content = await contentAt(sources, url.pathname)
      sendPage(response, content ? 200 : 404, content ?? NOT_FOUND, url.pathname)
    },
    close: updates.close,
  }
}

const NOT_FOUND: PageContent = {
  title: 'Page not found',
  regions: [
    { id: 'head', html: html`<h1>Page not found</h1><p class="muted">The sandbox has nothing at this address.</p>` },
  ],
}

function sendPage(response: ServerResponse, status: number, content: PageContent, path: string): void {
  response.writeHead(status, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': POLICY,
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  })
  response.end(renderDocument(content, path).toString())
}

function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff' })
  response.end(text)
}

/** `/owner/name/actions/runs/1/raw` */
function logAt(sources: PageSources, path: string): string | undefined {
  const [, fullName = '', id] = /^\/([^/]+\/[^/]+)\/actions\/runs\/(\d+)\/raw$/.exec(path) ?? []
  const repository = sources
    .github()
    .repositories()
    .find((one) => one.fullName === fullName)
  const run = repository && findRun(repository, sources.book, Number(id))
  return run && rawLog(run)
}
