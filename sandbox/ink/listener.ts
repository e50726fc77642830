import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'

/** An HTTP server on 127.0.0.1 that can be closed for a while and opened again on its port. */
export interface Listener {
  readonly port: number
  readonly origin: string
  /** Refuses connections for so many milliseconds, from now on; existing ones are cut. */
  refuseFor(ms: number): void
  /** Opens again at once if it is closed. */
  reopen(): Promise<void>
  close(): Promise<void>
}

/**
 * @param handle - answers requests; what it throws becomes a 500 and goes to `log`
 * @param port - 0 for a free one
 */
export async function listen(
  handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>,
  port: number,
  log: (line: string) => void,
): Promise<Listener> {
  const server = createServer((request, response) => {
    Promise.resolve(handle(request, response)).catch((error: unknown) => {
      log(
        `! ${request.method} ${request.url?.split('?')[0]}: ${error instanceof Error ? error.message : String(error)}`,
      )
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end('Internal Server Error\n')
    })
  })
  server.keepAliveTimeout = 60_000
  const bound = await open(server, port)
  let reopenTimer: NodeJS.Timeout | undefined
  let closed = false

  const reopen = async (): Promise<void> => {
    clearTimeout(reopenTimer)
    reopenTimer = undefined
    if (!server.listening && !closed) await open(server, bound)
  }
  return {
    port: bound,
    origin: `http://127.0.0.1:${bound}`,
    refuseFor(ms) {
      clearTimeout(reopenTimer)
      void shut(server)
      reopenTimer = setTimeout(() => void reopen(), ms)
    },
    reopen,
    async close() {
      closed = true
      clearTimeout(reopenTimer)
      await shut(server)
    },
  }
}

function open(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      const address = server.address()
      if (typeof address === 'object' && address !== null) resolve(address.port)
      else reject(new Error('The server listens on no port.'))
    })
  })
}

function shut(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve()
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

/** Keeps web pages from reaching the sandbox through a host name of their own that points to this machine. */
export function isLocal({ headers }: IncomingMessage): boolean {
  const names = [`http://${headers.host ?? 'localhost'}`, headers.origin ?? 'http://localhost']
  return names.every(
    (name) => URL.canParse(name) && ['localhost', '127.0.0.1', '[::1]'].includes(new URL(name).hostname),
  )
}
