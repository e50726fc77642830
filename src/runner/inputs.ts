import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { type InputName, inputDefaults, type RawInputs } from '../plan/inputs.ts'
import type { SettingsSources } from '../plan/parse-settings.ts'
import type { Environment } from './environment.ts'

/** Far more than any list of variables needs; a mistaken path must not fill the memory. */
const longestFileBytes = 1_000_000

/**
 * Reads every input once. The runner hands input `api-key` over as `INPUT_API-KEY`; hyphens stay, so no shell can have
 * set it by accident. The key may come from the job's environment instead, as `INK_API_KEY`.
 */
export function readInputs(environment: Environment): RawInputs {
  const read = (name: InputName): string => environment[`INPUT_${name.toUpperCase()}`]?.trim() ?? ''
  const names = Object.keys(inputDefaults) as InputName[]
  const raw = Object.fromEntries(names.map((name) => [name, read(name)])) as Record<InputName, string>
  return { ...raw, 'api-key': raw['api-key'] || environment.INK_API_KEY?.trim() || '' }
}

/** The files that inputs may point to, by paths relative to the workspace. */
export function workspaceFiles(workspace: string): SettingsSources {
  return {
    readFile(path) {
      const absolute = resolve(workspace, path)
      const found = statSync(absolute, { throwIfNoEntry: false })
      return found?.isFile() && found.size <= longestFileBytes ? readFileSync(absolute, 'utf8') : undefined
    },
  }
}
