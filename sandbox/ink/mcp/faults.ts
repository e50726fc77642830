import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FaultOptions, FaultRegistry } from '../../fault.ts'
import type { InkFaultName } from '../faults.ts'
import type { Journal } from '../journal.ts'

const forCall = (call: string) => (options: FaultOptions) => options.tool === undefined || options.tool === call

/**
 * Faults that strike before the request is looked at. Returns true when one has answered (or cut) the request.
 *
 * @param call - the tool that is called, or the JSON-RPC method
 */
export function sufferBeforehand(
  faults: FaultRegistry<InkFaultName>,
  journal: Journal,
  request: IncomingMessage,
  response: ServerResponse,
  call: string,
): boolean {
  const refusal = faults.strike('mcp.http', forCall(call))
  if (refusal !== undefined) {
    const { status = 503, body = 'error', retryAfter } = refusal.options
    journal.add({ kind: 'http', name: `mcp ${call}`, ok: false, detail: { fault: 'mcp.http', status } })
    const headers = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
    response.writeHead(Number(status), { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${body}\n`)
    return true
  }
  const redirect = faults.strike('mcp.redirect', forCall(call))
  if (redirect !== undefined) {
    const { status = 307, location = 'http://mcp.example.invalid/mcp' } = redirect.options
    journal.add({ kind: 'http', name: `mcp ${call}`, ok: false, detail: { fault: 'mcp.redirect', location } })
    response.writeHead(Number(status), { location: String(location) }).end()
    return true
  }
  if (faults.strike('mcp.reset-before', forCall(call))) {
    journal.add({ kind: 'http', name: `mcp ${call}`, ok: false, detail: { fault: 'mcp.reset-before' } })
    request.socket.resetAndDestroy()
    return true
  }
  return false
}

/** Arranges that the answer, once it is made, is spoiled on its way. */
export function spoilAnswer(
  faults: FaultRegistry<InkFaultName>,
  journal: Journal,
  response: ServerResponse,
  call: string,
): { asStream: boolean } {
  const struck = (name: InkFaultName) => {
    const fault = faults.strike(name, forCall(call))
    if (fault !== undefined) journal.add({ kind: 'http', name: `mcp ${call}`, ok: false, detail: { fault: name } })
    return fault
  }
  const socket = response.socket
  const silence = struck('mcp.silence')
  if (silence !== undefined)
    replaceAnswer(response, (send) => void setTimeout(send, Number(silence.options.delayMs ?? 30_000)).unref())
  if (struck('mcp.reset-after')) replaceAnswer(response, () => socket?.resetAndDestroy())
  if (struck('mcp.cut')) {
    replaceAnswer(response, (_send, answer) => {
      const head = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${answer.length}\r\n\r\n`
      socket?.write(Buffer.concat([Buffer.from(head), answer.subarray(0, Math.floor(answer.length / 2))]), () =>
        socket.destroy(),
      )
    })
  }
  if (struck('mcp.invalid-json')) replaceAnswer(response, (send) => send('{"jsonrpc":"2.0","id":', 'application/json'))
  if (struck('mcp.bad-result')) {
    replaceAnswer(response, (send, answer) => send(withEmptyResult(answer.toString()), 'application/json'))
  }
  const dropped = struck('mcp.sse-drop') !== undefined
  if (dropped) replaceAnswer(response, (send) => send(': the stream ends here\n\n', 'text/event-stream'))
  return { asStream: dropped }
}

type Send = (body?: string, contentType?: string) => void

/** Collects what the server answers and hands it to `deliver`, which sends it, something else, or nothing. */
function replaceAnswer(response: ServerResponse, deliver: (send: Send, answer: Buffer) => void): void {
  const chunks: Buffer[] = []
  let head: Parameters<ServerResponse['writeHead']> | undefined
  const { writeHead, write, end } = response
  const collect = (chunk: unknown) => {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk))
  }
  const spoiled = {
    writeHead(...args: Parameters<ServerResponse['writeHead']>) {
      head = args
      return response
    },
    write(chunk: unknown) {
      collect(chunk)
      return true
    },
    end(chunk?: unknown) {
      collect(chunk)
      const answer = Buffer.concat(chunks)
      Object.assign(response, { writeHead, write, end })
      deliver((body, contentType) => {
        if (response.destroyed) return
        if (body === undefined && head !== undefined) response.writeHead(...head)
        else response.writeHead(200, { 'content-type': contentType ?? 'application/json' })
        response.end(body ?? answer)
      }, answer)
      return response
    },
    flushHeaders() {},
  }
  Object.assign(response, spoiled)
}

/** The same JSON-RPC answer with a tool result that has none of its fields. */
function withEmptyResult(answer: string): string {
  const json = answer.startsWith('{') ? answer : (/^data: (.*)$/m.exec(answer)?.[1] ?? '{}')
  const message = JSON.parse(json) as { result?: unknown }
  return JSON.stringify({ ...message, result: { content: [{ type: 'text', text: '{}' }], structuredContent: {} } })
}
