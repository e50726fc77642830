import { nearestWord } from '../../core/nearest.ts'
import { settingTable } from '../setting-table.ts'
import { type SettingName, settingNames } from '../settings.ts'

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
 * What somebody probably meant who wrote an unknown key: one that is spelled like it, or the place where a setting of that
 * name belongs; undefined when nothing is near.
 */
export function describeNearest(key: string, known: readonly string[]): string | undefined {
  const near = nearestWord(key, known)
  if (near !== undefined) return `did you mean ${near}?`
  const home = fileKeys.find(({ key: path, setting }) => setting === key || path.split('.').at(-1) === key)
  return home && `it belongs to ${home.key.replace('*', 'NAME')}`
}
