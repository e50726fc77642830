import { didYouMean } from '../../core/format.ts'
import { settingTable } from '../setting-table.ts'
import { type Given, isFileOnly, type SettingName, settingNames } from '../settings.ts'

/** A place in `ink.yml` at which a setting may stand, `*` being the name of a service. */
export interface FileKey {
  readonly key: string
  readonly setting: SettingName
}

/** Settings that a preview may have otherwise than its production service. */
const ofPreviews: readonly SettingName[] = ['memory', 'vcpus']

/** Whether a key with others below it may also be `true` or `false`: a service without previews says `preview: false`. */
export function isSwitch(key: readonly string[]): boolean {
  return key.length === 3 && key[0] === 'services' && key[2] === 'preview'
}

/** Whether a key with others below it may also be a branch: `staging: develop` is short for `staging: { branch: develop }`. */
export function isShorthand(key: readonly string[]): boolean {
  return key.length === 2 && key[0] === 'environments'
}

/** Where the settings of one service stand. */
export const anyService = 'services.*.'

/** The key of a setting below a service, without the service; that of previews alone, where they may have their own. */
export function keysBelowService(
  setting: SettingName,
): { readonly own: string; readonly preview?: string } | undefined {
  const { key } = settingTable[setting]
  if (!key?.startsWith(anyService)) return undefined
  const own = key.slice(anyService.length)
  return ofPreviews.includes(setting) ? { own, preview: `preview.${own}` } : { own }
}

/** Every key of `ink.yml`, made of the table of settings; the schema for editors is made of the same list. */
export const fileKeys: readonly FileKey[] = [
  ...settingNames.flatMap((setting) => {
    const { key } = settingTable[setting]
    return key === undefined ? [] : [{ key, setting }]
  }),
  ...ofPreviews.map((setting) => ({ key: `${anyService}${keysBelowService(setting)?.preview}`, setting })),
]

/** What may stand below a key, or the setting that it holds. */
export interface KeyNode {
  readonly setting: SettingName | undefined
  /** By name; `*` stands for any. */
  readonly below: ReadonlyMap<string, KeyNode>
}

/** The keys as a tree, as a reader of the file meets them. */
export const keyTree: KeyNode = nodeOf(fileKeys.map(({ key, setting }) => ({ path: key.split('.'), setting })))

function nodeOf(keys: readonly { readonly path: readonly string[]; readonly setting: SettingName }[]): KeyNode {
  const names = [...new Set(keys.flatMap(({ path }) => path.slice(0, 1)))]
  const below = names.map((name) => {
    const inside = keys.filter(({ path }) => path[0] === name)
    return [name, nodeOf(inside.map(({ path, setting }) => ({ path: path.slice(1), setting })))] as const
  })
  return { setting: keys.find(({ path }) => path.length === 0)?.setting, below: new Map(below) }
}

/**
 * What counts as a change to a service: what `watch` names, and beside it the service's own directory and the file itself.
 * Of several services each has its own directory; of a single one all else may matter as well.
 */
export function watchedPaths(file: string, directory: Given | undefined, watch: Given | undefined, several: boolean) {
  const root = directory?.text.replace(/^(\.\/)+/, '').replace(/\/+$/, '')
  const own = root === undefined || root === '.' ? [] : [`${root}/**`]
  if (watch === undefined && (own.length === 0 || !several)) return undefined
  const globs = [file, ...own].map((path) => path.replaceAll(/[?[\]{}!\\]/g, '\\$&'))
  return { text: [...globs, ...(watch ? [watch.text] : [])].join('\n'), label: (watch ?? directory)?.label ?? file }
}

/** The end of a message about an unknown key: one that is spelled like it, or where a setting of that name belongs. */
export function describeNearest(key: string, known: readonly string[]): string {
  const home = fileKeys.find(({ key: path, setting }) => setting === key || path.split('.').at(-1) === key)
  return didYouMean(key, known) || (home ? `; it belongs to ${home.key.replace('*', 'NAME')}` : '')
}

/** What no run can be told any more, and what to do instead. */
const gone: Readonly<Record<string, string>> = {
  repo: 'the repository on ml.ink is called like this one; give each of two that share a name a `project` of its own',
  'env-file': 'write variables into `ink.yml` under `env`, and pass secrets with the input `env`',
  'on-missing-key': 'a run that GitHub gives no secrets is skipped, and every other one needs a key',
}

/**
 * Finds settings of the app among the inputs. Leaving them out in silence would deploy something else than was meant.
 * @returns problems to refuse the run with, and the settings that belong into the file
 * @param given every input of the step by its name
 * @param path of the file in the repository
 */
export function findMovedInputs(given: Readonly<Record<string, string>>, path: string) {
  const moved = Object.keys(given).filter(isFileOnly)
  return {
    problems: Object.keys(given).flatMap((name) => {
      if (isFileOnly(name)) return [`${name}: is no input but stands in ${path}, as ${keyOf(name)}`]
      return Object.hasOwn(gone, name) ? [`${name}: is no input; ${gone[name]}`] : []
    }),
    settings: Object.fromEntries(moved.map((name) => [name, given[name] ?? ''])) as Partial<
      Record<SettingName, string>
    >,
  }
}

/** Whether a run is refused that is given such an input. */
export function isMovedInput(name: string): boolean {
  return isFileOnly(name) || Object.hasOwn(gone, name)
}

function keyOf(name: SettingName): string {
  return (settingTable[name].key ?? name).replace('*', 'NAME')
}
