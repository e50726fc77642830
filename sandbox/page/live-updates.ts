import type { ServerResponse } from 'node:http'
import type { PageContent } from './content.ts'

/** How often a page that somebody looks at is compared with what was sent last. */
const LOOK_INTERVAL_MS = 250
/** Proxies and browsers give up on a silent stream; a comment keeps it alive. */
const HEARTBEAT_LOOKS = 60

/** Sends the changed parts of pages to whoever looks at them, as server-sent events. */
export interface LiveUpdates {
  /** Keeps the response open and sends what changes in the page. */
  follow(response: ServerResponse, render: () => Promise<PageContent | undefined>): void
  close(): void
}

export function createLiveUpdates(): LiveUpdates {
  const followers = new Set<() => void>()
  return {
    follow(response, render) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      const stop = new AbortController()
      const end = (): void => {
        followers.delete(end)
        stop.abort()
        response.end()
      }
      followers.add(end)
      response.on('close', end)
      sendChanges(response, render, stop.signal)
        .catch((error: unknown) => {
          // The browser shows it and asks again, by when a repository that was just being deleted is gone.
          const problem = error instanceof Error ? error.message : String(error)
          if (!stop.signal.aborted) response.write(`event: problem\ndata: ${JSON.stringify(problem)}\n\n`)
        })
        .finally(end)
    },
    close() {
      for (const end of [...followers]) end()
    },
  }
}

/** Everything once (the page may have changed since it was loaded), then what differs from what was sent. */
async function sendChanges(
  response: ServerResponse,
  render: () => Promise<PageContent | undefined>,
  signal: AbortSignal,
): Promise<void> {
  const sent = new Map<string, string>()
  for (let look = 0; !signal.aborted; look += 1) {
    const content = await render()
    if (signal.aborted) return
    for (const { id, html } of content?.regions ?? []) {
      const markup = html.toString()
      if (sent.get(id) === markup) continue
      sent.set(id, markup)
      response.write(`event: region\ndata: ${JSON.stringify({ id, markup })}\n\n`)
    }
    if (look % HEARTBEAT_LOOKS === 0) response.write(': still here\n\n')
    await pause(LOOK_INTERVAL_MS, signal)
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    signal.addEventListener('abort', done)
  })
}
