import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { z } from 'zod'

const answer = (text) => ({ content: [{ type: 'text', text }] })

/** The tools that this server offers. */
export function createServer() {
  const server = new McpServer({ name: 'example', version: '1.0.0' })
  server.registerTool(
    'count_words',
    { description: 'Count the words of a text', inputSchema: { text: z.string() } },
    ({ text }) => answer(String(text.split(/\s+/).filter(Boolean).length)),
  )
  server.registerTool('deployed_commit', { description: 'Tell which commit is running' }, () =>
    answer(process.env.INK_GIT_COMMIT_SHA ?? 'unknown'),
  )
  return server
}
