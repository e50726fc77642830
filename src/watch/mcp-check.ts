import { errorMessage } from '../core/errors.ts'
import type { Attempt } from './probe.ts'

/** Shakes hands with the MCP server at exactly this URL and lists its tools' names; rejects when it cannot. */
export type McpProbe = (url: URL, signal: AbortSignal) => Promise<readonly string[]>

/** Where MCP servers listen by convention. */
const PATHS: readonly string[] = ['/mcp', '/']

/** Asks a service for the tools it offers over MCP, at `/mcp` and at its root; stays with the path that answered. */
export function askOverMcp(mcp: McpProbe, base: URL): (signal: AbortSignal) => Promise<Attempt> {
  let paths = PATHS
  return async (signal) => {
    const errors: string[] = []
    for (const path of paths) {
      const url = new URL(path, base)
      try {
        const tools = await mcp(url, signal)
        paths = [path]
        return { url: url.href, tools }
      } catch (error) {
        signal.throwIfAborted()
        errors.push(`${path}: ${errorMessage(error)}`)
      }
    }
    return { url: base.href, error: `no MCP server answered (${errors.join('; ')})` }
  }
}
