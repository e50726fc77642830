import { DeployError } from '../core/errors.ts'
import { nearestWord } from '../core/format.ts'
import { Secret } from '../core/secret.ts'
import { locateInWorkspace } from '../core/workspace-file.ts'
import type { RunContext, RunEvent } from '../plan/event.ts'
import { findMovedInputs, isMovedInput } from '../plan/file/keys.ts'
import { secretsWithheld } from '../plan/guards.ts'
import { settingTable } from '../plan/setting-table.ts'
import {
  type InputName,
  inputNames,
  isInput,
  type ParsedSettings,
  parseSettings,
  type RawInputs,
  type Settings,
  type SettingsSources,
} from '../plan/settings.ts'
import type { Variables } from '../plan/variables.ts'
import { type Environment, readContext, readEvent, readPayload } from './event.ts'
import { type Masks, openLog, openMasks, openOutputs, type RunLog } from './output.ts'

/** A run as the runner started it, read and checked. */
export interface LoadedRun {
  readonly environment: Environment
  readonly context: RunContext
  readonly event: RunEvent
  readonly settings: Settings
  /** The settings with those of a file below them. */
  readonly settingsWith: (file: Pick<SettingsSources, 'written' | 'variables'> | undefined) => ParsedSettings
  readonly log: RunLog
  readonly output: ReturnType<typeof openOutputs>
  readonly mask: (secret: string) => void
  /** Masks those values that are secret by name or by look. */
  readonly maskVariables: (variables: Readonly<Record<string, string>>) => void
  readonly secrets: () => readonly string[]
  /** Masks every value that variables were given, for what leaves the run's own log. */
  readonly redact: <T>(value: T) => T
  /** Every warning given so far; grows while the run goes on. */
  readonly warnings: readonly string[]
}

/**
 * Reads everything that the runner hands over, and masks what is secret before anything is printed.
 * @throws DeployError with all problems of the inputs at once
 */
export async function loadRun(environment: Environment): Promise<LoadedRun> {
  const masks = openMasks()
  const raw = readInputs(environment)
  masks.add(raw['api-key'])
  masks.add(raw['github-token'])
  const payload = readPayload(environment.GITHUB_EVENT_PATH)
  const context = readContext(environment, payload)
  const event = readEvent(context.eventName, payload, context)
  const warnings: string[] = []
  const log = redactBoxes(rememberWarnings(openLog(), warnings), masks.redact)
  const given = givenInputs(environment)
  const moved = findMovedInputs(given, raw.config || settingTable.config.fallback)
  for (const warning of undeclaredInputs(given)) log.warning(warning)
  const sources = {
    ...workspaceKinds(context.workspace),
    secretsWithheld: secretsWithheld(context, event) !== undefined,
  }
  const settingsWith: LoadedRun['settingsWith'] = (file) => parseSettings(raw, { ...sources, ...file })
  const parsed = parseSettings(raw, { ...sources, incomplete: true })
  if (!parsed.ok || moved.problems.length > 0) {
    // What does not go together is said as well, so that all of it can be put right in one go.
    const all = settingsWith(undefined)
    throw await refusedInputs([...(all.ok ? [] : all.problems), ...moved.problems], moved.settings)
  }
  const { environment: variables } = parsed.settings
  for (const group of [variables.shared, variables.preview, variables.production]) masks.addVariables(group)
  const { owner, name, fullName, serverUrl } = context.repository
  const { service, project, workspace } = parsed.settings
  const deleted = event.kind === 'delete' ? event.ref : undefined
  masks.spare([owner, name, fullName, `${serverUrl}/${fullName}`, service, project, workspace, deleted])
  return {
    environment,
    context,
    event,
    settings: parsed.settings,
    settingsWith,
    log,
    output: outputsOf(masks, log),
    mask: masks.add,
    maskVariables: (values) => masks.addVariables(asVariables(values)),
    secrets: () => masks.values,
    redact: masks.redact,
    warnings,
  }
}

/** What the post step needs of a run, whose settings were read and checked by the step itself. */
export function loadRemains(environment: Environment) {
  const masks = openMasks()
  const raw = readInputs(environment)
  const secret = (name: InputName): Secret | undefined => {
    masks.add(raw[name])
    return raw[name] === '' ? undefined : new Secret(raw[name])
  }
  const context = readContext(environment, readPayload(environment.GITHUB_EVENT_PATH))
  return { context, token: secret('github-token'), apiKey: secret('api-key'), log: openLog() }
}

async function refusedInputs(
  problems: readonly string[],
  moved: ReturnType<typeof findMovedInputs>['settings'],
): Promise<DeployError> {
  let file = ''
  if (Object.keys(moved).length > 0) {
    const { fileTextOf } = await import('../plan/file/ink-file.ts')
    file = `\nLines for the file, beside what it has already:\n\n${fileTextOf(moved)}`
  }
  return new DeployError(`The inputs are not right:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`, {
    hint: `Nothing was done. Put the \`with:\` block of the step right; the README lists every input.${file}`,
  })
}

/** What the run puts out as its name and address is not secret from then on; a reason may hold words of an app. */
function outputsOf(masks: Masks, { warning }: RunLog): ReturnType<typeof openOutputs> {
  const output = openOutputs(masks, warning)
  return (name, value) => {
    if (name === 'url' || name === 'service') masks.spare([String(value)])
    output(name, name === 'skipped-reason' ? masks.redact(value) : value)
  }
}

function asVariables(values: Readonly<Record<string, string>>): Variables {
  return new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]))
}

/** Boxes in the run's page are read by more people than its log is, and warnings come back in the summary. */
function redactBoxes(log: RunLog, redact: (text: string) => string): RunLog {
  return { ...log, notice: (text) => log.notice(redact(text)), warning: (text) => log.warning(redact(text)) }
}

function rememberWarnings(log: RunLog, warnings: string[]): RunLog {
  return {
    ...log,
    warning: (text) => {
      warnings.push(text)
      log.warning(text)
    },
  }
}

/**
 * What the workflow gives under names that no input has. The runner hands them over all the same, and says so in a line
 * that is easily missed: what was meant is simply not set.
 */
export function undeclaredInputs(given: Readonly<Record<string, string>>): string[] {
  return Object.keys(given)
    .filter((name) => name !== '' && !isInput(name) && !isMovedInput(name))
    .map((name) => {
      const near = nearestWord(name, inputNames)
      return `There is no input ${JSON.stringify(name)}, so that it does nothing${near ? `; did you mean ${near}?` : '.'}`
    })
}

/** Every input of the step, declared or not, that is not empty. */
export function givenInputs(environment: Environment): Record<string, string> {
  const given = Object.entries(environment).filter(([name, value]) => name.startsWith('INPUT_') && value?.trim())
  return Object.fromEntries(
    given.map(([name, value]) => [name.slice('INPUT_'.length).toLowerCase(), value?.trim() ?? '']),
  )
}

/**
 * Reads every input once. The runner hands input `api-key` over as `INPUT_API-KEY`; hyphens stay, so no shell can have
 * set it by accident. The key may come from the job's environment instead, as `INK_API_KEY`.
 */
export function readInputs(environment: Environment): RawInputs {
  const read = (name: InputName): string => environment[`INPUT_${name.toUpperCase()}`]?.trim() ?? ''
  const raw = Object.fromEntries(inputNames.map((name) => [name, read(name)])) as Record<InputName, string>
  return { ...raw, 'api-key': raw['api-key'] || environment.INK_API_KEY?.trim() || '' }
}

/** What lies at paths of the workspace. */
function workspaceKinds(workspace: string): Pick<SettingsSources, 'kindOf'> {
  return {
    kindOf(path) {
      const { kind } = locateInWorkspace(workspace, path)
      if (kind === 'directory') return 'folder'
      return kind === 'file' ? 'file' : undefined
    },
  }
}
