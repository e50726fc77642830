import { createServer, request, type Server } from 'node:http'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InkPlatform, startInkPlatform } from '../../sandbox/ink/platform.ts'
import { runScenario, scenariosFor } from './suite.ts'

/**
 * The official suite against the sandbox's MCP endpoint. The recordings of the real platform stand above it: where the platform
 * does something else than the suite asks for, so does the sandbox.
 */

/** What does not pass, and why. A scenario that has come to pass has to leave this list. */
const expected: Readonly<Record<string, readonly string[]>> = {
  'the platform has tools only: it refuses these methods, below JSON-RPC': [
    'completion-complete',
    'resources-list',
    'resources-read-text',
    'resources-read-binary',
    'resources-templates-read',
    'resources-subscribe',
    'resources-unsubscribe',
    'prompts-list',
    'prompts-get-simple',
    'prompts-get-with-args',
    'prompts-get-embedded-resource',
    'prompts-get-with-image',
  ],
  'the suite calls tools of its own, which the platform does not have': [
    'tools-call-simple-text',
    'tools-call-image',
    'tools-call-audio',
    'tools-call-embedded-resource',
    'tools-call-mixed-content',
    'tools-call-with-logging',
    'tools-call-error',
    'tools-call-with-progress',
    'tools-call-sampling',
    'tools-call-elicitation',
    'json-schema-2020-12',
    'elicitation-sep1034-defaults',
    'elicitation-sep1330-enums',
  ],
}
const reasonFor = (scenario: string) => Object.keys(expected).find((reason) => expected[reason]?.includes(scenario))

let ink: InkPlatform
let entrance: Server
let url: string

beforeAll(async () => {
  ink = await startInkPlatform()
  entrance = createServer((incoming, response) => {
    // The suite has no key, and the platform answers nobody without one.
    const headers = { ...incoming.headers, authorization: `Bearer ${ink.apiKey}` }
    const { method, url: path } = incoming
    const onward = request(new URL(path ?? '/', ink.endpoint), { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => entrance.listen(0, '127.0.0.1', resolve))
  const address = entrance.address()
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/mcp`
})
afterAll(async () => {
  entrance.closeAllConnections()
  await new Promise((resolve) => entrance.close(resolve))
  await ink.stop()
})

const scenarios = await scenariosFor('server')

test('the suite has the scenarios that are expected not to pass', () => {
  expect(scenarios).toEqual(expect.arrayContaining(Object.values(expected).flat()))
})

test.each(scenarios)('%s', async (scenario) => {
  const { passed, output } = await runScenario(scenario, ['server', '--url', url])
  const reason = reasonFor(scenario)
  expect(passed, reason ?? output).toBe(reason === undefined)
})
