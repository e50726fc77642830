import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { readEvent } from '../../src/plan/event.ts'
import { makePlan } from '../../src/plan/make-plan.ts'
import { readContext, readPayload } from '../../src/runner/load-run.ts'
import { settingsOf } from '../plan/plan-inputs.ts'
import { runnerEnvironment } from './runner-environment.ts'

const example = z.looseObject({ action: z.string().optional() })
const library = z.array(z.object({ name: z.string(), examples: z.array(example) }))
const recorded = library.parse(createRequire(import.meta.url)('@octokit/webhooks-examples/api.github.com/index.json'))

function examplesOf(name: string) {
  const found = recorded.find((event) => event.name === name)?.examples ?? []
  expect(found.length).toBeGreaterThan(0)
  return found
}

const [openedExample] = examplesOf('pull_request').filter(({ action }) => action === 'opened')

/** A recorded payload with parts of its pull request replaced. */
function pullRequestPayload(changes: Record<string, unknown>) {
  const pullRequest = z.looseObject({}).parse(openedExample?.pull_request)
  return { ...openedExample, pull_request: { ...pullRequest, ...changes } }
}

describe('payloads recorded from GitHub', () => {
  const kinds = {
    pull_request: 'pull-request',
    push: 'push',
    workflow_dispatch: 'dispatch',
    release: 'release',
    issue_comment: 'comment',
    workflow_run: 'workflow-run',
    delete: 'delete',
  }
  const cases = Object.entries(kinds).flatMap(([name, kind]) =>
    examplesOf(name).map((payload, index) => ({ name, kind, payload, index, action: payload.action ?? '' })),
  )

  test.each(cases)('$name $action ($index) is read, and a plan can be made of it', ({ name, kind, payload }) => {
    const event = readEvent(name, payload)
    expect(event.kind).toBe(kind)
    const context = readContext(runnerEnvironment({ GITHUB_EVENT_NAME: name }), payload)
    expect(makePlan({ event, context, settings: settingsOf() }).kind).toBeTruthy()
  })

  test('every action of a pull request is among them', () => {
    const actions = new Set(examplesOf('pull_request').map(({ action }) => action))
    for (const action of ['opened', 'reopened', 'synchronize', 'ready_for_review', 'labeled', 'unlabeled', 'closed']) {
      expect(actions).toContain(action)
    }
  })

  test('a pull request is read with everything that decisions rest on', () => {
    const [payload] = examplesOf('pull_request').filter(({ action }) => action === 'labeled')
    expect(readEvent('pull_request', payload)).toEqual({
      kind: 'pull-request',
      action: 'labeled',
      withSecretsForForks: false,
      label: expect.any(String),
      before: undefined,
      pullRequest: {
        number: 2,
        state: 'open',
        draft: false,
        head: {
          sha: 'ec26c3e57ca3a959ca5aad62de7213c562f8c821',
          ref: 'changes',
          repository: 'Codertocat/Hello-World',
        },
        base: { sha: 'f95f852bd8fca8fcc58a9a2d6c842781e32a215e' },
        labels: [expect.any(String)],
      },
    })
  })

  test('a push of a new branch has no commit before, one that deletes none after', () => {
    const pushes = examplesOf('push').map((payload) => ({ payload, event: readEvent('push', payload) }))
    for (const { payload, event } of pushes) {
      expect(event).toMatchObject({
        before: payload.created === true ? undefined : payload.before,
        after: payload.deleted === true ? undefined : payload.after,
      })
    }
    expect(pushes.some(({ payload }) => payload.created === true)).toBe(true)
    expect(pushes.some(({ payload }) => payload.deleted === true)).toBe(true)
  })

  test('comments on issues are told from those on pull requests', () => {
    const [onIssue] = examplesOf('issue_comment')
    const issue = z.looseObject({}).parse(onIssue?.issue)
    const onPullRequest = { ...onIssue, issue: { ...issue, pull_request: { url: 'https://api.github.com/…/pulls/1' } } }
    expect(readEvent('issue_comment', onIssue)).toMatchObject({ kind: 'comment', onPullRequest: false })
    expect(readEvent('issue_comment', onPullRequest)).toMatchObject({ kind: 'comment', onPullRequest: true })
  })
})

describe('payloads with holes in them', () => {
  test('a fork that was deleted, an account that is gone, fields that older servers leave out', () => {
    const payload = pullRequestPayload({
      head: { sha: 'a'.repeat(40), ref: 'x', repo: null },
      user: null,
      draft: undefined,
      labels: undefined,
    })
    expect(readEvent('pull_request', payload)).toMatchObject({
      pullRequest: { head: { repository: undefined }, draft: false, labels: [] },
    })
  })

  test('pull_request_target is a pull request that runs with secrets', () => {
    expect(readEvent('pull_request_target', openedExample)).toMatchObject({
      kind: 'pull-request',
      withSecretsForForks: true,
    })
  })

  test('a schedule has little in it', () => {
    expect(readEvent('schedule', { schedule: '5 4 * * *' })).toEqual({ kind: 'schedule', cron: '5 4 * * *' })
    expect(readEvent('schedule', {})).toEqual({ kind: 'schedule', cron: '' })
  })

  test('an unknown event is not an error, whatever its payload', () => {
    expect(readEvent('watch', 'anything')).toEqual({ kind: 'other', name: 'watch' })
  })

  test('commits of repositories with SHA-256 are commits', () => {
    const push = { ref: 'refs/heads/main', before: '0'.repeat(64), after: 'b'.repeat(64) }
    expect(readEvent('push', push)).toMatchObject({ before: undefined, after: 'b'.repeat(64) })
  })

  test('push and workflow_dispatch without a ref, or with a short one: the runner knows it', () => {
    const known = { ref: 'refs/heads/main', sha: 'c'.repeat(40) }
    expect(readEvent('push', {}, known)).toEqual({
      kind: 'push',
      ref: 'refs/heads/main',
      before: undefined,
      after: 'c'.repeat(40),
    })
    for (const payload of [{}, { ref: 'main' }, { ref: null }])
      expect(readEvent('workflow_dispatch', payload, known)).toEqual({ kind: 'dispatch', ref: 'refs/heads/main' })
    expect(readEvent('workflow_dispatch', { ref: 'main' })).toEqual({ kind: 'dispatch', ref: 'refs/heads/main' })
  })

  test.each([
    ['pull_request', pullRequestPayload({ head: { sha: 'not a sha', ref: 'x', repo: null } }), 'pull_request.head.sha'],
    ['pull_request', pullRequestPayload({ number: '12' }), 'pull_request.number'],
    ['push', {}, 'ref'],
    ['issue_comment', { action: 'created', issue: { number: 1 } }, 'comment'],
    ['workflow_run', null, 'the whole'],
  ])('%s: an error names the part that is wrong', (name, payload, where) => {
    expect(() => readEvent(name, payload)).toThrow(`The description of the event ${name} is not as expected: ${where}:`)
  })
})

describe('the payload’s file', () => {
  const fileWith = (text: string) => {
    const directory = mkdtempSync(join(tmpdir(), 'event-'))
    onTestFinished(() => rmSync(directory, { recursive: true }))
    const path = join(directory, 'event.json')
    writeFileSync(path, text)
    return path
  }

  test('is read', () => {
    expect(readPayload(fileWith('{"action":"opened"}'))).toEqual({ action: 'opened' })
    expect(readPayload(undefined)).toEqual({})
  })

  test('that is missing or broken is an error that says where it comes from', () => {
    for (const path of [fileWith('{'), '/does/not/exist.json']) {
      expect(() => readPayload(path)).toThrow('The description of the event could not be read')
    }
  })
})
