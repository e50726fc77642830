import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { type Asked, listServices, type Reply } from './mcp-server.ts'

/** A server that does to whoever asks what no honest one would. */
export interface HostileServer {
  readonly name: string
  reply(asked: Asked): Reply | undefined
}

const json = { 'content-type': 'application/json' }
const events = { 'content-type': 'text/event-stream' }

function pour(response: ServerResponse, piece: string | Buffer): void {
  const more = () => {
    while (!response.destroyed && response.write(piece));
  }
  response.on('drain', more)
  more()
}

function drip(response: ServerResponse, piece: string): void {
  const drop = setInterval(() => response.write(piece), 200)
  response.on('close', () => clearInterval(drop))
}

/** Answers to the list of tools in this way, and to all else honestly. */
const listing = (name: string, reply: () => Reply): HostileServer => ({
  name,
  reply: ({ method }) => (method === 'tools/list' ? reply() : undefined),
})

const tools = (listed: readonly object[]): Reply => ({ result: { tools: listed } })

/** 300 MB, in members that follow each other as one stream may have them (RFC 1952): one is made, and it is there 30 times. */
const gzipBomb = () => Buffer.concat(Array(30).fill(gzipSync(Buffer.alloc(10_000_000, ' '))))

/**
 * What stands where ml.ink, or a proxy before it, should be: that which could take a run's memory, its stack or all of its time.
 * What else such a server may answer is in platform-answers.test.ts.
 */
export const hostileServers: readonly HostileServer[] = [
  { name: 'never answers', reply: () => () => undefined },
  { name: 'answers a byte at a time', reply: () => (response) => drip(response.writeHead(200, json), ' ') },
  { name: 'streams comments for ever', reply: () => (response) => drip(response.writeHead(200, events), ': wait\n\n') },
  { name: 'floods its answer', reply: () => (response) => pour(response.writeHead(200, json), ' '.repeat(100_000)) },
  {
    name: 'floods a stream of events',
    reply: () => (response) =>
      pour(
        response.writeHead(200, events),
        `data: {"jsonrpc":"2.0","method":"notifications/x","params":{"x":"${'x'.repeat(100_000)}"}}\n\n`,
      ),
  },
  {
    name: 'sends a bomb of gzip',
    reply: () => (response) => response.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipBomb()),
  },
  {
    name: 'nests JSON a million deep',
    reply: () => (response) => response.writeHead(200, json).end(`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`),
  },
  {
    name: 'fills JSON with five million values',
    reply: () => (response) => response.writeHead(200, json).end(`[${'1,'.repeat(5_000_000)}1]`),
  },
  { name: 'fails for ever', reply: () => (response) => response.writeHead(503, { 'retry-after': '1' }).end('<html>') },
  listing('lists fifty thousand tools', () => tools(Array.from({ length: 50_000 }, () => listServices))),
]
