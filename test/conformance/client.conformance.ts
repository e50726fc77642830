import { expect, test } from 'vitest'
import { runScenario, scenariosFor } from './suite.ts'

/** The official suite against our own session and, in the `auth/…` scenarios, our own login. */

/** What does not pass, and why. A scenario that has come to pass has to leave this list. */
const expected: Readonly<Record<string, string>> = {
  'elicitation-sep1034-client-defaults': 'the session answers no questions: nobody sits in front of a job',
  'auth/basic-cimd':
    'the login registers itself, as ml.ink documents, and has no metadata document of its own on the web',
  'auth/scope-step-up': 'a key of ml.ink acts for the whole account; there are no scopes to ask for later',
  'auth/scope-retry-limit': 'the same: nothing is ever asked for a second time',
  'auth/pre-registration':
    'the login is for a server that takes registrations; a program that anybody runs has no client of its own',
  'auth/2025-03-26-oauth-metadata-backcompat':
    'ml.ink has resource metadata; guessing where to log in without it is not safe',
  'auth/2025-03-26-oauth-endpoint-fallback': 'the same, without even metadata of the authorization server',
  'auth/offline-access-scope': 'the login asks for no refresh token: what ml.ink hands out is a lasting key',
  'auth/client-credentials-jwt': 'an extension for programs with an identity of their own; the login is for a person',
  'auth/client-credentials-basic': 'the same',
  'auth/cross-app-access-complete-flow': 'an extension for companies with an identity provider',
}

const COMMAND = 'node_modules/.bin/tsx test/conformance/client.ts'
const scenarios = await scenariosFor('client')

test('the suite has the scenarios that are expected not to pass', () => {
  expect(scenarios).toEqual(expect.arrayContaining(Object.keys(expected)))
})

test.each(scenarios)('%s', async (scenario) => {
  const { passed, output } = await runScenario(scenario, ['client', '--command', COMMAND, '--timeout', '120000'])
  expect(passed, expected[scenario] ?? output).toBe(expected[scenario] === undefined)
})
