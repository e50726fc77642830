import { settingTable } from '../setting-table.ts'
import { isFileOnly, type SettingName } from '../settings.ts'

/** What no run can be told any more, and what to do instead. */
const gone: Readonly<Record<string, string>> = {
  repo: 'the repository on ml.ink is called like this one; give each of two that share a name a `project` of its own',
  'env-file': 'write variables into `ink.yml` under `env`, and pass secrets with the input `env`',
  'on-missing-key': 'a run that GitHub gives no secrets is skipped, and every other one needs a key',
}

/** What a workflow gives that is not for it to say: problems to refuse the run with, and the settings that belong into the file. */
export interface MovedInputs {
  readonly problems: readonly string[]
  readonly settings: Partial<Readonly<Record<SettingName, string>>>
}

/**
 * Finds settings of the app among the inputs. Leaving them out in silence would deploy something else than was meant.
 * @param given every input of the step by its name
 * @param path of the file in the repository
 */
export function findMovedInputs(given: Readonly<Record<string, string>>, path: string): MovedInputs {
  const moved = Object.keys(given).filter(isFileOnly)
  return {
    problems: Object.keys(given).flatMap((name) => {
      if (isFileOnly(name)) return [`${name}: is no input but stands in ${path}, as ${keyOf(name)}`]
      return Object.hasOwn(gone, name) ? [`${name}: is no input; ${gone[name]}`] : []
    }),
    settings: Object.fromEntries(moved.map((name) => [name, given[name] ?? ''])),
  }
}

/** Whether a run is refused that is given such an input. */
export function isMovedInput(name: string): boolean {
  return isFileOnly(name) || Object.hasOwn(gone, name)
}

function keyOf(name: SettingName): string {
  return (settingTable[name].key ?? name).replace('*', 'NAME')
}
