import type { Parsed } from './input-values.ts'

/** An MCP endpoint. Plain http is for the loopback interface only: the key travels in a header. */
export function parseEndpoint(text: string): Parsed<string> {
  const allowed = 'an https URL without credentials or fragment; http only for localhost'
  if (!URL.canParse(text)) return { allowed }
  const url = new URL(text)
  const secure = url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
  return secure && !url.username && !url.password && !url.hash ? { value: text } : { allowed }
}

/** Whether a host name of a URL leads to this machine alone. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

/** Whether a text can be an API key of ml.ink. Its length is the platform's business. */
export function looksLikeApiKey(text: string): boolean {
  return /^dk_\S+$/.test(text)
}
