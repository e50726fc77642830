import { randomBytes } from 'node:crypto'
import type { Repository, RunContext } from '../../src/plan/context.ts'
import type { PullRequest, PullRequestEvent, RunEvent } from '../../src/plan/event.ts'
import type { PlanInput } from '../../src/plan/intent.ts'
import { settingTable } from '../../src/plan/setting-table.ts'
import {
  inputNames,
  isFileOnly,
  type ParsedSettings,
  parseSettings,
  type RawInputs,
  type SettingName,
  type Settings,
  type SettingsSources,
} from '../../src/plan/settings.ts'

/** Builders for the pieces that decisions are made of: complete by default, each part replaceable. */

export const mergeSha = '1'.repeat(40)
export const headSha = '2'.repeat(40)
export const baseSha = '3'.repeat(40)
export const beforeSha = '4'.repeat(40)

export const testKey = `dk_test_${randomBytes(32).toString('hex')}`

export const repository: Repository = {
  owner: 'acme',
  name: 'web',
  fullName: 'acme/web',
  defaultBranch: 'main',
  private: false,
  serverUrl: 'https://github.com',
  apiUrl: 'https://api.github.com',
}

export function contextOf(overrides: Partial<RunContext> = {}): RunContext {
  return {
    repository,
    actor: 'ada',
    runId: 7,
    runAttempt: 1,
    runUrl: 'https://github.com/acme/web/actions/runs/7',
    workflow: 'deploy',
    workflowPath: undefined,
    workflowSha: undefined,
    action: undefined,
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

export function pullRequestOf(overrides: Partial<PullRequest> = {}): PullRequest {
  return {
    number: 12,
    state: 'open',
    draft: false,
    head: { sha: headSha, ref: 'feature', repository: 'acme/web' },
    base: { sha: baseSha },
    labels: [],
    ...overrides,
  }
}

export function pullRequestEvent(action: string, overrides: Partial<PullRequestEvent> = {}): PullRequestEvent {
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

export const push = (ref: string, before: string | undefined = beforeSha, after: string | undefined = mergeSha) =>
  ({ kind: 'push', ref, before, after }) as const

export function comment(body: string, overrides: Partial<Extract<RunEvent, { kind: 'comment' }>> = {}): RunEvent {
  return {
    kind: 'comment',
    action: 'created',
    number: 12,
    onPullRequest: true,
    commentId: 99,
    body,
    author: 'grace',
    byBot: false,
    authorMayWrite: undefined,
    ...overrides,
  }
}

/** Every setting as the table has it, as `action.yml` hands them over. */
export const inputDefaults = Object.fromEntries(
  inputNames.map((name) => [name, settingTable[name].fallback]),
) as RawInputs

/** Settings by name, wherever they would stand: in the workflow, or in `ink.yml`. */
export type Given = Partial<Readonly<Record<SettingName, string>>>

export function rawInputs(given: Given = {}): RawInputs {
  return { ...inputDefaults, 'api-key': testKey, ...given }
}

/** What a file says that has all those of the settings which stand in files alone, under their plain names. */
function writtenIn(given: Given): NonNullable<SettingsSources['written']> {
  return (name) => {
    const text = given[name]
    return isFileOnly(name) && text ? { text, label: name } : undefined
  }
}

/** Parses settings, each from where it stands. */
export function parseGiven(given: Given, sources: SettingsSources = {}): ParsedSettings {
  return parseSettings(rawInputs(given), { written: writtenIn(given), ...sources })
}

/** Everything that is wrong with settings. */
export function problemsOf(given: Given): readonly string[] {
  const parsed = parseGiven(given)
  return parsed.ok ? [] : parsed.problems
}

/** Settings, which have to be good. */
export function settingsOf(given: Given = {}): Settings {
  const parsed = parseGiven(given)
  if (!parsed.ok) throw new Error(parsed.problems.join('\n'))
  return parsed.settings
}

export function planInput(event: RunEvent, given: Given = {}, context: Partial<RunContext> = {}): PlanInput {
  return { event, settings: settingsOf(given), context: contextOf(context) }
}

/** What the variables reveal. */
export function revealed(variables: ReadonlyMap<string, { reveal(): string }>): Record<string, string> {
  return Object.fromEntries([...variables].map(([name, value]) => [name, value.reveal()]))
}
