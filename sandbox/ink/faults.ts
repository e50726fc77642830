import type { FaultRegistry } from '../fault.ts'

/** The faults that the stand-in for the platform knows, with what each one does. */
export const INK_FAULTS = {
  'mcp.http':
    'The MCP endpoint answers with an HTTP error. Options: status (default 503), body, retryAfter (seconds or a date), tool.',
  'mcp.refused': 'The MCP port is closed for forMs (default 500), then open again.',
  'mcp.reset-before': 'The connection is reset before the request is processed. Options: tool.',
  'mcp.reset-after': 'The request is processed, then the connection is reset without an answer. Options: tool.',
  'mcp.cut': 'The request is processed, and half of the answer arrives. Options: tool.',
  'mcp.sse-drop': 'The answer is an event stream that ends before the result. Options: tool.',
  'mcp.silence': 'The request is processed, and the answer comes after delayMs (default 30 000). Options: tool.',
  'mcp.redirect': 'The endpoint redirects. Options: location (default another host), status (default 307).',
  'mcp.invalid-json': 'The request is processed, and the answer is not JSON. Options: tool.',
  'mcp.bad-result': 'A tool result lacks its fields. Options: tool.',
  'ink.quota': 'Creating a service is refused because the plan is used up.',
  'ink.region-unavailable': 'Creating a service is refused because the region is not available. Options: status.',
  'ink.tool-error': 'A tool fails with the given text. Options: tool, text.',
  'ink.race':
    'Somebody does the same at the same moment and is quicker: create_repo, create_service or update_service fails with the words of the database, and what it was to do is there or under way. Options: tool.',
  'ink.deployed-by-other':
    'Right after a deployment starts, somebody else starts another one. Options: branch, afterMs (default 0).',
  'ink.service-deleted': 'Right after a deployment starts, somebody deletes the service. Options: afterMs (default 0).',
  'ink.name-taken': 'Right before a service is created, one of that name appears that is not ours.',
  'build.hang': 'The build never ends by itself (until the platform gives up).',
  'build.crash': 'The build dies without a word. Options: exitCode (default 137).',
  'build.log-flood': 'The build prints many lines before it goes on. Options: lines (default 100 000).',
  'build.log-line': 'The build prints these lines before it goes on, whatever they are. Options: lines (text[]).',
  'build.slow': 'The build takes longer. Options: delayMs (default 2 000).',
  'rollout.unhealthy': 'The new container never accepts a connection.',
  'app.error': 'The app answers every request with an error. Options: status (default 500), body.',
  'app.dies': 'The app dies after it has become active. Options: afterMs (default 200), exitCode (default 1).',
  'git.http': 'The git host answers with an HTTP error. Options: status (default 503), body, service.',
  'git.unauthorized': 'The git host refuses the credentials with 401.',
  'git.forbidden': 'The git host refuses with 403.',
  'git.refused': 'The git port is closed for forMs (default 500), then open again.',
  'git.cut':
    'The connection is cut while the push is on its way. Options: afterBytes (default 0), or when: after, once it is done.',
  'git.slow': 'The git host answers late. Options: delayMs (default 2 000).',
} as const

export type InkFaultName = keyof typeof INK_FAULTS

/**
 * Whether somebody else did the same between a call's look and its change, so that the database refuses the change. On the
 * platform this takes two calls at the same moment; here it is a fault, because moments cannot be aimed at.
 */
export function losesRace(faults: FaultRegistry<InkFaultName>, tool: string): boolean {
  return faults.strike('ink.race', (options) => options.tool === undefined || options.tool === tool) !== undefined
}

/** The database's own words, which the platform passes on. */
export function duplicateKey(constraint: string): string {
  return `ERROR: duplicate key value violates unique constraint "${constraint}" (SQLSTATE 23505)`
}
