import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { DeployError } from '../../src/core/errors.ts'
import { runSeed } from '../../src/ink/run-seed.ts'
import { DatabaseUnreachable } from '../../src/ink/seed-database.ts'

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
  server = undefined
})

/** What running a seed at a host comes to that answers like this. */
async function seedAt(answer: RequestListener, limitMs?: number): Promise<unknown> {
  const listening = createServer(answer)
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const { port } = listening.address() as AddressInfo
  const access = { url: `http://127.0.0.1:${port}`, authToken: 'known' }
  return runSeed(access, 'select 1', new AbortController().signal, limitMs).catch((error: unknown) => error)
}

describe('a seed', () => {
  it('waits no longer than a request may take for a host that accepts and never answers', async () => {
    expect(await seedAt(() => undefined, 100)).toBeInstanceOf(DatabaseUnreachable)
  })

  it('waits no longer for an answer that never ends', async () => {
    const error = await seedAt((_request, response) => void response.writeHead(200).write('{"baton"'), 100)
    expect(error).toBeInstanceOf(DatabaseUnreachable)
  })

  it.each([
    [401, 'did not accept the token'],
    [403, 'does not allow this'],
    [413, 'too large'],
    [422, 'nothing was deployed'],
  ])('that is refused with HTTP %i is not a matter of another try', async (status, hint) => {
    const error = await seedAt((_request, response) => void response.writeHead(status).end('{"error":"no"}'))
    expect(error).toBeInstanceOf(DeployError)
    expect(error).not.toBeInstanceOf(DatabaseUnreachable)
    expect(error).toMatchObject({ message: expect.stringContaining(`HTTP ${status}`) })
    expect((error as DeployError).hint).toContain(hint)
  })

  it.each([400, 404, 429, 500, 503])('that is answered with HTTP %i may be tried again', async (status) => {
    expect(await seedAt((_request, response) => void response.writeHead(status).end())).toBeInstanceOf(
      DatabaseUnreachable,
    )
  })
})
