import type { HttpRequest } from './http-check.ts'

/** More is of no use in a report, and the body may be endless. */
const LONGEST_BODY_BYTES = 4_096
const TEXT = /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:json|xml)\b)/i
const USER_AGENT = 'ink-deploy (health check)'

/** {@link HttpRequest} over the global `fetch`, which sends neither cookies nor credentials by itself. */
export const fetchOnce: HttpRequest = async (url, signal) => {
  const response = await fetch(url, {
    redirect: 'manual',
    credentials: 'omit',
    headers: { 'user-agent': USER_AGENT, accept: '*/*', 'cache-control': 'no-cache' },
    signal,
  })
  const location = response.headers.get('location')
  const isText = TEXT.test(response.headers.get('content-type') ?? '')
  const body = isText ? await beginning(response) : undefined
  // A body left unread keeps its connection open.
  if (!isText) await response.body?.cancel()
  return {
    status: response.status,
    ...(location === null ? {} : { location }),
    ...(body === undefined ? {} : { body }),
  }
}

async function beginning(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = response.body?.getReader()
  if (reader === undefined) return ''
  while (length < LONGEST_BODY_BYTES) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
    length += value.byteLength
  }
  await reader.cancel()
  return new TextDecoder().decode(Buffer.concat(chunks).subarray(0, LONGEST_BODY_BYTES), { stream: true })
}
