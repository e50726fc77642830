import { randomUUID } from 'node:crypto'
import { openSession } from '../../src/ink/session.ts'
import { obtainKey } from '../../src/login/key.ts'

/**
 * What the official suite runs as the client: the product's own session, and before it its own login where a scenario is about
 * authorization. The suite appends the server's address, and names the scenario in the environment.
 */

const endpoint = process.argv.at(-1) ?? ''
const signal = AbortSignal.timeout(110_000)
const say = (line: string) => console.error(line)

// The suite's tokens are not of the platform's form, which the product insists on; on the way they are given it and lose it again.
const KEY_FORM = 'dk_'
const suiteFetch: typeof fetch = async (input, init) => {
  const request = new Request(input, init)
  const authorization = request.headers.get('authorization')
  if (authorization !== null)
    request.headers.set('authorization', authorization.replace(`Bearer ${KEY_FORM}`, 'Bearer '))
  const response = await fetch(request)
  if (!response.headers.get('content-type')?.includes('json')) return response
  const body = (await response
    .clone()
    .json()
    .catch(() => undefined)) as { access_token?: string } | undefined
  if (typeof body?.access_token !== 'string') return response
  return Response.json({ ...body, access_token: KEY_FORM + body.access_token }, response)
}

async function logIn(): Promise<string> {
  const key = await obtainKey(
    { endpoint, browser: true },
    {
      fetch: suiteFetch,
      terminal: { interactive: false, say, print: say, line: async () => undefined, [Symbol.dispose]() {} },
      // The suite's authorization server asks nobody and leads straight back.
      openBrowser: (address, onFailure) => void fetch(address).catch(onFailure),
      newState: randomUUID,
      patienceMs: 100_000,
      now: Date.now,
      signal,
    },
  )
  return key.reveal()
}

const apiKey = process.env.MCP_CONFORMANCE_SCENARIO?.startsWith('auth/') ? await logIn() : `${KEY_FORM}key`
const clock = { now: Date.now, sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)) }
const session = await openSession(
  { endpoint, apiKey, fetch: suiteFetch, clock, random: Math.random, debug: say },
  signal,
)
for (const tool of session.tools) {
  const numbers = Object.keys(tool.inputSchema.properties ?? {}).map((name) => [name, 1])
  await session.call(tool.name, Object.fromEntries(numbers), { repeatable: false, signal })
}
await session.close()
