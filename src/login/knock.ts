import { LATEST_PROTOCOL_VERSION } from '@modelcontextprotocol/sdk/types.js'
import { DeployError } from '../core/errors.ts'
import type { Secret } from '../core/secret.ts'
import { KEY_MAY_REMAIN } from './leftover.ts'
import type { Fetch } from './requests.ts'

/** Greets the MCP endpoint, with a key or without, and returns how it answered. The key follows no redirect. */
export async function knock(endpoint: string, fetch: Fetch, key?: Secret): Promise<Response> {
  const response = await fetch(endpoint, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'x-ink-client': 'ink-deploy',
      ...(key && { authorization: `Bearer ${key.reveal()}` }),
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: LATEST_PROTOCOL_VERSION,
        capabilities: {},
        clientInfo: { name: 'ink-deploy', version: '1.0.0' },
      },
    }),
  })
  await response.body?.cancel()
  return response
}

/** @throws DeployError when the endpoint does not take the key, which would show in the first deployment only */
export async function checkKey(endpoint: string, fetch: Fetch, key: Secret): Promise<void> {
  const { status } = await knock(endpoint, fetch, key)
  if (status === 200) return
  throw new DeployError(`ml.ink handed out a key that ${new URL(endpoint).host} does not take (HTTP ${status})`, {
    hint: `Nothing was stored. ${KEY_MAY_REMAIN} Log in again; if it stays so, make a key there.`,
  })
}
