import { randomBytes } from 'node:crypto'
import { settingTable } from '../../src/plan/setting-table.js'
import { inputNames, parseSettings } from '../../src/plan/settings.js'
/** Builders for the pieces that decisions are made of: complete by default, each part replaceable. */
export const mergeSha = '1'.repeat(40)
export const headSha = '2'.repeat(40)
export const baseSha = '3'.repeat(40)
export const beforeSha = '4'.repeat(40)
export const testKey = `dk_test_${randomBytes(32).toString('hex')}`
export const repository = {
  owner: 'acme',
  name: 'web',
  fullName: 'acme/web',
  defaultBranch: 'main',
  private: false,
  serverUrl: 'https://github.com',
  apiUrl: 'https://api.github.com',
}
export function contextOf(overrides = {}) {
  return {
    repository,
    actor: 'ada',
    triggeringActor: 'ada',
    runId: 7,
    runAttempt: 1,
    runUrl: 'https://github.com/acme/web/actions/runs/7',
    workflow: 'deploy',
    job: 'deploy',
    runnerName: 'GitHub Actions 1',
    sha: mergeSha,
    ref: 'refs/heads/main',
    eventName: 'push',
    workspace: '/home/runner/work/web/web',
    tempDir: '/home/runner/work/_temp',
    ...overrides,
  }
}
export function pullRequestOf(overrides = {}) {
  return {
    number: 12,
    state: 'open',
    merged: false,
    draft: false,
    title: 'Add a page',
    htmlUrl: 'https://github.com/acme/web/pull/12',
    head: { sha: headSha, ref: 'feature', repository: 'acme/web' },
    base: { sha: baseSha, ref: 'main' },
    labels: [],
    author: 'ada',
    ...overrides,
  }
}
export function pullRequestEvent(action, overrides = {}) {
  return {
    kind: 'pull-request',
    action,
    withSecretsForForks: false,
    pullRequest: pullRequestOf(),
    label: undefined,
    before: undefined,
    ...overrides,
  }
}
export const push = (ref, before = beforeSha, after = mergeSha) => ({ kind: 'push', ref, before, after })
export function comment(body, overrides = {}) {
  return {
    kind: 'comment',
    action: 'created',
    number: 12,
    onPullRequest: true,
    commentId: 99,
    body,
    author: 'grace',
    byBot: false,
    createdAt: '2026-11-22T10:00:00Z',
    ...overrides,
  }
}
/** Every setting as the table has it, as `action.yml` hands them over. */
export const inputDefaults = Object.fromEntries(inputNames.map((name) => [name, settingTable[name].fallback]))
export function rawInputs(given = {}) {
  return { ...inputDefaults, 'api-key': testKey, ...given }
}
/** Everything that is wrong with inputs, where there is no file in the workspace. */
export function problemsOf(given) {
  const parsed = parseSettings(rawInputs(given), { readFile: () => undefined })
  return parsed.ok ? [] : parsed.problems
}
/** Settings as they come from inputs, which have to be good. */
export function settingsOf(given = {}) {
  const parsed = parseSettings(rawInputs(given), { readFile: () => undefined })
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.settings
}
export function planInput(event, given = {}, context = {}) {
  return { event, settings: settingsOf(given), context: contextOf(context) }
}
/** What the variables reveal. */
export function revealed(variables) {
  return Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()]))
}
