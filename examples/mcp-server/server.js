import { createServer as createHttpServer } from 'node:http'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { createServer } from './tools.js'

const port = Number(process.env.PORT ?? 3000)

// Without sessions: every request gets a server of its own, so any number of instances can answer.
async function answer(request, response) {
  if (new URL(request.url, 'http://localhost').pathname !== '/mcp') return response.writeHead(404).end()
  if (request.method !== 'POST') return response.writeHead(405, { allow: 'POST' }).end()
  const server = createServer()
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true })
  response.once('close', () => void server.close())
  await server.connect(transport)
  await transport.handleRequest(request, response)
}

createHttpServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error)
    if (!response.headersSent) response.writeHead(500).end()
  })
}).listen(port, '0.0.0.0', () => console.log(`Listening on ${port}`))
