import type { IncomingMessage } from 'node:http'

/** Keeps web pages from reaching the sandbox through a host name of their own that points to this machine. */
export function isLocal({ headers }: IncomingMessage): boolean {
  const names = [`http://${headers.host ?? 'localhost'}`, headers.origin ?? 'http://localhost']
  return names.every(
    (name) => URL.canParse(name) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(name).hostname),
  )
}
