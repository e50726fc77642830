import { parse, stringify } from 'yaml'
import { settingTable } from '../setting-table.ts'
import type { SettingName } from '../settings.ts'

/** Settings that are given as text, as `ink.yml` has them. */
export function fileTextOf(given: Partial<Readonly<Record<SettingName, string>>>, service = 'web'): string {
  const root: Record<string, unknown> = {}
  for (const [name, text] of Object.entries(given) as [SettingName, string][]) {
    const path = (settingTable[name].key ?? name).replace('*', service).split('.')
    const last = path.pop() ?? name
    const parent = path.reduce((part, key) => {
      part[key] ??= {}
      return part[key] as Record<string, unknown>
    }, root)
    parent[last] = valueFrom(text, settingTable[name].type.schema)
  }
  return stringify(root)
}

/** A text as the value that YAML would have in its place. What makes no sense stays a text, and is refused where it is read. */
function valueFrom(text: string, { type, items }: Readonly<Record<string, unknown>>): unknown {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  if (type === 'array' && (items as { type?: unknown }).type === 'string') return lines
  if (type === 'object')
    return Object.fromEntries(lines.map((line) => [line.replace(/=.*/, ''), line.replace(/^[^=]*=?/, '')]))
  if (type === 'string' || type === undefined) return text
  try {
    return parse(text)
  } catch {
    return text
  }
}
