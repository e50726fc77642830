import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { type Listener, listen } from '../listener.ts'
import { HranaStream, pipelineSchema, type StreamResult } from './hrana.ts'

/** An idle stream is closed after this time, and its transaction rolled back. */
const STREAM_IDLE_MS = 10_000

/** A database that is being served: where, and with which token. */
export interface ServedDatabase {
  readonly url: string
  readonly authToken: string
  /** Stops serving and removes the file. */
  close(): Promise<void>
}

interface OpenStream {
  readonly stream: HranaStream
  timer: NodeJS.Timeout
}

/**
 * Serves one SQLite file over Hrana on a port of its own.
 *
 * @param folder - an existing folder for the file
 * @param maxBytes - the size it may grow to
 */
export async function serveDatabase(
  folder: string,
  id: string,
  maxBytes: number,
  log: (line: string) => void,
): Promise<ServedDatabase> {
  const home = join(folder, id)
  await mkdir(home)
  const path = join(home, 'data.db')
  const authToken = databaseToken()
  const streams = new Map<string, OpenStream>()

  function forget(baton: string): void {
    const open = streams.get(baton)
    if (open === undefined) return
    clearTimeout(open.timer)
    streams.delete(baton)
  }

  function takeStream(baton: string | null | undefined): HranaStream | undefined {
    if (baton == null) return new HranaStream(path, maxBytes)
    const open = streams.get(baton)
    forget(baton)
    return open?.stream
  }

  function keepStream(stream: HranaStream): string {
    const baton = randomBytes(24).toString('base64url')
    const timer = setTimeout(() => {
      forget(baton)
      stream.close()
    }, STREAM_IDLE_MS)
    streams.set(baton, { stream, timer })
    return baton
  }

  async function answerPipeline(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pipeline = pipelineSchema.safeParse(await readJson(request))
    if (!pipeline.success) return sendJson(response, 400, { error: 'invalid request', code: 'HRANA_PROTO_ERROR' })
    const stream = takeStream(pipeline.data.baton)
    if (stream === undefined)
      return sendJson(response, 400, { error: 'The stream has expired', code: 'STREAM_EXPIRED' })
    const results: StreamResult[] = pipeline.data.requests.map((step) => stream.handle(step))
    const closed = pipeline.data.requests.some(({ type }) => type === 'close')
    if (closed) stream.close()
    sendJson(response, 200, { baton: closed ? null : keepStream(stream), base_url: null, results })
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? '/', 'http://database.invalid')
    if (request.method === 'GET' && ['/v2', '/v3', '/health'].includes(pathname)) {
      response.writeHead(200).end()
      return
    }
    if (request.headers.authorization !== `Bearer ${authToken}`) {
      request.resume()
      return sendJson(response, 401, { error: 'Unauthorized: the auth token is missing or wrong' })
    }
    if (request.method === 'POST' && ['/v2/pipeline', '/v3/pipeline'].includes(pathname)) {
      return answerPipeline(request, response)
    }
    request.resume()
    sendJson(response, 404, { error: 'not found' })
  }

  const listener: Listener = await listen(handle, 0, log)
  return {
    url: listener.origin,
    authToken,
    async close() {
      await listener.close()
      for (const [baton, { stream }] of streams) {
        forget(baton)
        stream.close()
      }
      await rm(home, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

/** A token in the shape of a JSON Web Token, as the platform hands them out; only its being equal is checked. */
function databaseToken(): string {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const payload = { a: 'rw', iat: Math.floor(Date.now() / 1000), jti: randomBytes(8).toString('hex') }
  return `${encode({ alg: 'EdDSA', typ: 'JWT' })}.${encode(payload)}.${randomBytes(64).toString('base64url')}`
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return undefined
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
